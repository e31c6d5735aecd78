"""What scripts rely on: the JSON of real runs against the published schemas."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.gitrepo import GitRepo
from support.program import Program
from support.wheel import ROOT

SILERO, SWIFT = "silero_vad/data/silero_vad.onnx", "swift_f0/model.onnx"
ModelFile = Callable[[str, str], Path]


def valid(kind: str, document: Any) -> Any:
    schema = json.loads((ROOT / "gitops_model" / "render" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    return document


@pytest.mark.parametrize("options", [(), ("--no-digests",)], ids=["digests", "no-digests"])
@pytest.mark.parametrize(
    "package, path",
    [
        ("silero-vad==6.2.3", SILERO),
        ("swift-f0==0.3.0", SWIFT),
        ("silero-vad==6.2.3", "silero_vad/data/silero_vad_16k.safetensors"),
    ],
    ids=["onnx-nested", "onnx", "safetensors"],
)
def test_show(cli: Program, model_file: ModelFile, package: str, path: str, options: tuple[str, ...]) -> None:
    shown = valid("show", cli("show", model_file(package, path), *options, "--format", "json", check=0).json())
    assert shown["format"] == path.rpartition(".")[2]
    assert shown["structure"] is not None
    assert shown["tensors"]
    assert {tensor["digest"] is None for tensor in shown["tensors"]} == {bool(options)}
    assert (shown["weights"] is None) == bool(options)
    assert (shown["signature"] is None) == path.endswith(".safetensors")
    assert sum(shown["graph"]["ops"].values()) == shown["graph"]["nodes"]


def test_diff_of_two_files(cli: Program, model_file: ModelFile) -> None:
    files = [model_file(f"swift-f0=={version}", SWIFT) for version in ("0.1.0", "0.2.0", "0.3.0")]
    for before, after in ((files[0], files[1]), (files[1], files[2]), (files[2], files[2])):
        valid("diff", cli("diff", "--no-index", before, after, "--format", "json", check=0).json())


def test_diff_of_fewer_bits(cli: Program, tmp_path: Path) -> None:
    names: list[Path] = []
    for dtype, element in (("float32", TensorProto.FLOAT), ("float16", TensorProto.FLOAT16)):
        values = [helper.make_tensor_value_info(name, element, ["n"]) for name in "xy"]
        weights = [numpy_helper.from_array(np.array([1.1], dtype), "w")]
        graph = helper.make_graph([helper.make_node("Mul", ["x", "w"], ["y"])], "g", values[:1], values[1:], weights)
        names.append(tmp_path / f"{dtype}.onnx")
        onnx.save(helper.make_model(graph, ir_version=8), names[-1])
    found = valid("diff", cli("diff", "--no-index", *names, "--format", "json", check=0).json())
    assert {rewrite["numeric"] for rewrite in found["graph"]["rewrites"]} == {"lossy"}


@pytest.fixture
def history(git_repo: Callable[..., GitRepo], model_file: ModelFile) -> GitRepo:
    """A commit with two models; on top of it a work tree in which one changed, one is gone, one is new, one is bad."""
    versions = [model_file(f"swift-f0=={version}", SWIFT).read_bytes() for version in ("0.2.0", "0.3.0")]
    repo = git_repo(files={"a.onnx": versions[0], "gone.onnx": versions[0], "bad.onnx": versions[0], "README": "x"})
    repo.write("a.onnx", versions[1])
    repo.write("new.onnx", b"\x08" * 5000)
    repo.write("bad.onnx", versions[1][:5000])
    (repo.path / "gone.onnx").unlink()
    repo.git("add", "--all")
    return repo


def test_diff_of_several_files(cli: Program, history: GitRepo) -> None:
    document = valid("diff", cli("diff", "--staged", "--format", "json", cwd=history.path, check=0).json())
    kinds = {file["path"]: file["verdict"]["kind"] for file in document["files"]}
    assert kinds == {"a.onnx": "graph-only", "bad.onnx": "unreadable", "gone.onnx": "removed", "new.onnx": "unreadable"}
    assert document["verdict"]["bump"] == "major"
    assert document["verdict"]["equivalent"] is False


def test_diff_of_one_file_in_git_has_its_keys_on_top(cli: Program, history: GitRepo) -> None:
    document = cli("diff", "--staged", "--format", "json", "--", "a.onnx", cwd=history.path, check=0).json()
    assert valid("diff", document)["verdict"]["kind"] == "graph-only"
    assert [node["op_type"] for node in document["graph"]["added"]] == ["ArgMax", "Gather", "Where"]


def test_diff_of_nothing(cli: Program, history: GitRepo) -> None:
    document = valid("diff", cli("diff", "HEAD", "HEAD", "--format", "json", cwd=history.path, check=0).json())
    assert document["files"] == []
    assert document["verdict"]["bump"] == "none"


def test_check(cli: Program, history: GitRepo) -> None:
    document = valid("report", cli("check", "--staged", "--format", "json", cwd=history.path, check=1).json())
    assert document["summary"]["errors"] == len([f for f in document["findings"] if f["severity"] == "error"]) > 0


def test_review(cli: Program, history: GitRepo) -> None:
    history.commit("Change")
    words = ("review", "--base", "HEAD~1", "--format", "json")
    document = valid("review", cli(*words, cwd=history.path, check=1).json())
    assert [model["path"] for model in document["models"]] == ["bad.onnx", "gone.onnx", "new.onnx", "a.onnx"]
    assert document["verdict"] == {"kind": "several", "bump": "major"}
    assert {finding["path"] for finding in document["findings"]} == {"bad.onnx", "new.onnx"}
    assert document["changed"]


def test_review_of_nothing(cli: Program, history: GitRepo) -> None:
    words = ("review", "--base", "HEAD", "--format", "json")
    document = valid("review", cli(*words, cwd=history.path, check=0).json())
    assert not document["changed"]
    assert document["verdict"] == {"kind": "unchanged", "bump": "none"}
