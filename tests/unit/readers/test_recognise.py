"""What a file is when it is not the model that its name promises."""

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from collections.abc import Callable

import numpy as np
import onnx
import onnx.helper
import pytest
from safetensors.numpy import save

from gitops_model.blob import Blob, NoSource
from gitops_model.errors import BadFile, Problem
from gitops_model.readers import FORMATS, read_model, reader_of
from gitops_model.readers.recognise import STRANGERS, foreign

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"
DVC = b"outs:\n- md5: a304afb96060aad90176268345e10355\n  size: 12\n  path: model.onnx\n"
XET = b"# xet version 0\nfilesize = 12\nhash = 'aa'\n"


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.onnx"))
    return out.getvalue()


def array() -> bytes:
    out = io.BytesIO()
    np.save(out, np.arange(3))
    return out.getvalue()


NO_STRANGER: dict[str, bytes] = {
    "nothing": b"",
    "one byte": b"\x08",
    "random bytes": bytes(range(255, 0, -1)),
    "a few letters": b"GG",
    "text with a NUL": b"abcdefghijklmnop\0qrst",
    "a start of an ONNX model": onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [])).SerializeToString(),
    "the first 7 bytes of a safetensors file": b"\x40" + bytes(6),
}

STRANGE: dict[str, tuple[bytes, str]] = {
    "a pointer of Git LFS": (LFS, "lfs-pointer"),
    "a pointer of DVC": (DVC, "dvc-pointer"),
    "a pointer of DVC with a stage": (b"md5: aa\nfrozen: true\ndeps:\n- path: x\n  md5: bb\n" + DVC, "dvc-pointer"),
    "a pointer of git-xet": (XET, "xet-pointer"),
    "an HTML page": (b"<!DOCTYPE html>\n<html><body>Not found</body></html>", "html"),
    "an HTML page behind space": (b"\n\n  <HTML><head></head></HTML>", "html"),
    "an HTML page behind a comment": (b"<!-- served by x --><html></html>", "html"),
    "an XML error": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "xml"),
    "a conflict": (b"<<<<<<< HEAD\nversion https://git-lfs.github.com/spec/v1\n=======\n>>>>>>> x\n", "conflict"),
    "a pickle of protocol 4": (pickle.dumps({"a": [1, 2]}, 4), "pickle"),
    "a pickle of protocol 2": (pickle.dumps(range(3), 2), "pickle"),
    "a pickle of protocol 0": (pickle.dumps({"a": 1}, 0), "pickle"),
    "a pickle that calls at once": (b"cposix\nsystem\n(S'true'\ntR.", "pickle"),
    "a zip": (zipped("readme.txt"), "zip"),
    "an empty zip": (zipped(), "zip"),
    "a checkpoint of torch": (zipped("archive/data.pkl", "archive/data/0"), "torch-zip"),
    "an archive of NumPy": (zipped("w.npy"), "npz"),
    "an archive of Keras": (zipped("metadata.json", "config.json", "model.weights.h5"), "keras-zip"),
    "gzip": (gzip.compress(b"x"), "gzip"),
    "tar": (tarred(), "tar"),
    "safetensors": (save({"a": np.zeros(3, np.float32)}), "safetensors"),
    "an array of NumPy": (array(), "npy"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(8), "hdf5"),
    "GGUF": (b"GGUF" + bytes(20), "gguf"),
    "GGML": (b"lmgg" + bytes(20), "ggml"),
    "TFLite": (bytes(4) + b"TFL3" + bytes(8), "tflite"),
    "ONNX Runtime": (bytes(4) + b"ORTM" + bytes(8), "ort"),
    "an ELF binary": (b"\x7fELF\x02\x01\x01" + bytes(9), "elf"),
    "a script": (b"#!/bin/sh\necho hello\n", "script"),
    "JSON": (json.dumps({"error": "not found"}).encode(), "json"),
    "a JSON list": (b'[{"a": 1}]', "json"),
    "text": (b"Invalid username or password.", "text"),
    "text that ends inside a character": ("größenordnung und änderung".encode() + b"\xc3", "text"),
    "zeros": (bytes(1000), "zeros"),
}


@pytest.mark.parametrize("head", NO_STRANGER.values(), ids=NO_STRANGER)
def test_what_nothing_is_known_about_is_no_stranger(head: bytes) -> None:
    assert foreign(head) is None


@pytest.mark.parametrize("head, kind", STRANGE.values(), ids=STRANGE)
def test_a_stranger_is_named(head: bytes, kind: str) -> None:
    stranger = foreign(head[:4096])
    assert stranger is not None
    assert stranger.kind == kind


def test_the_words_of_every_row_complete_a_sentence() -> None:
    for stranger, _ in STRANGERS:
        assert stranger.what.split()[0] in {"a", "an", "JSON"}, stranger


def refused(path: str, content: bytes) -> Problem:
    with pytest.raises(BadFile) as caught:
        read_model(Blob.of_bytes(path, content), NoSource())
    return caught.value.problem


@pytest.mark.parametrize("suffix", [".onnx", ".safetensors"])
@pytest.mark.parametrize("name", STRANGE)
def test_a_stranger_under_a_models_name_is_one_finding_that_says_what_it_is(suffix: str, name: str) -> None:
    content, kind = STRANGE[name]
    if kind == "safetensors" and suffix == ".safetensors":
        return  # it is at home there
    problem = refused(f"models/net{suffix}", content)
    assert problem.code == ("GM003" if kind.endswith("pointer") else "GM004")
    assert problem.found is not None
    assert problem.found in problem.message


@pytest.mark.parametrize(
    "content, hint",
    [
        (LFS, "git lfs pull --include='my models/$(x).onnx'"),
        (DVC, "dvc pull 'my models/$(x).onnx'"),
        (XET, "git xet checkout -- 'my models/$(x).onnx'"),
    ],
    ids=["lfs", "dvc", "xet"],
)
def test_a_pointer_comes_with_the_command_that_fetches_it(content: bytes, hint: str) -> None:
    assert refused("my models/$(x).onnx", content).hint == hint


def test_a_model_of_another_format_is_named_by_that_format() -> None:
    content = NO_STRANGER["a start of an ONNX model"]
    problem = refused("net.safetensors", content)
    assert problem.code == "GM004"
    assert problem.message == "this is an ONNX model, not a safetensors file"


def test_a_model_without_a_models_name_is_read_as_what_it_is() -> None:
    model = read_model(Blob.of_bytes("weights", save({"a": np.zeros(3, np.float32)})), NoSource())
    assert model.format == "safetensors"


@pytest.mark.parametrize("path, code", [("weights", "GM009"), ("net.onnx", "GM002"), ("net.safetensors", "GM002")])
def test_bytes_that_nobody_knows_are_refused_by_whom_they_were_promised_to(path: str, code: str) -> None:
    assert refused(path, NO_STRANGER["random bytes"]).code == code


@pytest.mark.parametrize("suffix", [".tflite", ".safetensors"])
def test_a_beginning_too_short_to_tell_is_a_truncated_file_of_what_was_promised(suffix: str) -> None:
    for length in range(1, 8):
        assert refused(f"net{suffix}", bytes([0x1C, 0, 0, 0, 0, 0, 0])[:length]).code == "GM001"


def test_an_empty_file_is_truncated_whatever_its_name() -> None:
    assert {refused(path, b"").code for path in ("a.onnx", "a.safetensors", "a")} == {"GM001"}


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_no_row_takes_a_pointer_for_a_model(row: object) -> None:
    sniff: Callable[[bytes], bool] = reader_of(row).sniff  # type: ignore[arg-type]
    assert not any(sniff(pointer) for pointer in (LFS, DVC, XET))
