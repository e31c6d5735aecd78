"""Pickles that are no checkpoints, and what is no model at all: what is said of them, and that nothing is believed."""

import collections
import datetime as dt
import io
import os
import pickle
import zlib
from pathlib import Path

import numpy as np
import pytest

from gitops_model.blob import Blob, NoSource
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Model
from gitops_model.readers import read_model
from gitops_model.readers.opaque import of_stranger

TORCH = Path(__file__).parents[2] / "data" / "torch"


class Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


def read(name: str, content: bytes) -> Model:
    return read_model(Blob.of_bytes(name, content), NoSource())


def codes(name: str, content: bytes) -> list[str]:
    return [problem.code for problem in read(name, content).problems]


HARMLESS = {
    "numbers": [1, 2.5, None, True, 10**30],
    "containers": {"a": (1, [2, {3}]), "b": frozenset((4,)), "c": bytearray(b"x")},
    "arrays": {"w": np.arange(6.0).reshape(2, 3), "s": np.float32(1)},
    "standard library": (collections.OrderedDict(a=1), dt.date(2026, 1, 1)),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", HARMLESS)
def test_data_alone_is_no_finding(name: str, protocol: int) -> None:
    content = pickle.dumps(HARMLESS[name], protocol)
    for ending in (".pkl", ".pickle", ".joblib"):
        assert codes(f"m{ending}", content) == []
    assert codes("m.pkl", content * 3) == [], "several pickles one after another"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_call_is_told_with_its_name_and_place(protocol: int) -> None:
    model = read("m.pkl", pickle.dumps({"a": Payload()}, protocol))
    assert [problem.code for problem in model.problems] == ["GM603"]
    assert model.problems[0].found == "posix.system"
    assert "byte" in model.problems[0].message


def test_a_call_behind_the_first_pickle_is_found() -> None:
    assert codes("m.pkl", pickle.dumps(1) + pickle.dumps(Payload())) == ["GM603"]


@pytest.mark.parametrize(
    "content",
    [
        zlib.compress(pickle.dumps([1])),
        b"\x1f\x8b\x08" + bytes(40),
        b"BZh9" + bytes(40),
        pickle.dumps([1]) + b"\xff" * 40,
        pickle.dumps([1])[:-1] + b"\xff" * 40,
        b"\x80\x04" + b"\xff" * 40,
        bytes(range(255, 0, -1)),
    ],
    ids=["zlib", "gzip", "bzip2", "junk behind it", "junk inside it", "no opcode", "unknown bytes"],
)
def test_what_cannot_be_analysed_is_not_safe(content: bytes) -> None:
    problem = read("m.joblib", content).problems[-1]
    assert problem.code == "GM603"
    assert "cannot be analysed" in problem.message


def test_names_before_the_point_of_failure_are_told_too() -> None:
    problems = read("m.joblib", pickle.dumps(Payload())[:-1] + b"\xff" * 9).problems
    assert [problem.found for problem in problems] == ["posix.system", None]


def test_every_beginning_of_data_is_truncated() -> None:
    content = pickle.dumps(HARMLESS["containers"], 4)
    for length in range(len(content)):
        with pytest.raises(BadFile) as caught:
            read("m.pkl", content[:length])
        assert caught.value.problem.code == "GM001", length


@pytest.mark.parametrize("name", ["state_dict.pt", "zoo_legacy.pt"])
def test_a_checkpoint_under_a_pickles_name_is_read_as_one(name: str) -> None:
    model = read("m.pkl", (TORCH / name).read_bytes())
    assert model.format == "pytorch"
    assert model.tensors


def test_a_page_or_a_pointer_under_a_pickles_name() -> None:
    for content, code in ((b"<!DOCTYPE html><html></html>", "GM004"), (b"# xet version 0\nfilesize = 1\n", "GM003")):
        with pytest.raises(BadFile) as caught:
            read("m.pkl", content)
        assert caught.value.problem.code == code


# --- strangers ------------------------------------------------------------------------------------------------------
CORE_ML = b"\x08\x04\x12\x09\x0a\x07\x0a\x01x\x1a\x02\x2a\x00\xa2\x1f\x02\x0a\x00"


def archive(*names: str) -> bytes:
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, b"x")
    return out.getvalue()


@pytest.mark.parametrize(
    "name, content, code, what",
    [
        ("net.mlmodel", CORE_ML, "GM009", "a Core ML model"),
        ("net.ort", bytes(4) + b"ORTM" + bytes(40), "GM009", "an ONNX Runtime model (.ort)"),
        ("net.plan", b"ftrt" + bytes(40), "GM009", "a TensorRT engine plan"),
        ("net.engine", bytes(range(1, 60)), "GM009", "a TensorRT engine plan"),
        ("net.ggml", b"lmgg" + bytes(40), "GM009", "an old GGML file (before GGUF)"),
        ("net.pt2", archive("net/archive_format", "net/models/model.json"), "GM009", "a torch.export archive (.pt2)"),
        ("page.html", b"<!DOCTYPE html><html></html>", "GM004", "an HTML page"),
        ("a.tgz", b"\x1f\x8b\x08" + bytes(40), "GM004", "a gzip archive"),
        ("net.onnx", b"<!DOCTYPE html><html></html>", "GM004", "an HTML page"),
        ("noise", bytes(range(255, 0, -1)), "GM009", "bytes of no known kind"),
    ],
)
def test_a_stranger_is_refused_and_can_be_described(name: str, content: bytes, code: str, what: str) -> None:
    blob = Blob.of_bytes(name, content)
    with pytest.raises(BadFile) as caught:
        read_model(blob, NoSource())
    problem = caught.value.problem
    assert problem.code == code
    model = of_stranger(blob, problem)
    assert model is not None
    assert (model.format, model.properties) == ("opaque", {"what": what, "size": len(content)})
    assert model.problems == (problem,)


def test_what_is_broken_is_not_described_as_something_else() -> None:
    for code in ("GM001", "GM002", "GM003", "GM005", "GM010"):
        assert of_stranger(Blob.of_bytes("m", b"x"), Problem(code, "this is a pity")) is None
