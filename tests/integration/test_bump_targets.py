"""A model above what its manifest declares to run it is a major change: the declared runtime no longer loads it."""

from collections.abc import Callable
from typing import Any

import pytest
from onnx import TensorProto, helper
from support.gitrepo import GitRepo
from support.program import Program
from support.small_models import sha256

HEAD = "name: m\nversion: 1.2.0\narchitecture: amd64\nchecksums:\n"
VALUES = "inputs:\n  x: {dtype: float32, shape: [4]}\noutputs:\n  y: {dtype: float32, shape: [4]}\n"
TARGET = "driver: 550.54.15\nlibraries:\n- {soname: libonnxruntime.so.1, version: 1.17.1}\n"
RUNTIME = "runtime: {onnxruntime: VERSION}\n"


def onnx_model(opset: int = 20, ir: int = 9, domain: str = "") -> bytes:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", values[:1], values[1:])
    imports = [helper.make_opsetid(domain, opset)]
    if domain:
        imports.append(helper.make_opsetid("", 20))
    return helper.make_model(graph, opset_imports=imports, ir_version=ir).SerializeToString()


def files(model: bytes, more: str) -> dict[str, str | bytes]:
    text = HEAD + f"  m.onnx: {{sha256: {sha256(model)}}}\n" + VALUES + more
    return {"models/model.yaml": text, "models/m.onnx": model, "models/fleet/node.yaml": TARGET}


def runtime(version: str) -> str:
    return RUNTIME.replace("VERSION", f'"{version}"')


Diff = Callable[..., dict[str, Any]]


@pytest.fixture
def diff(cli: Program, git_repo: Callable[..., GitRepo]) -> Diff:
    def run(before: bytes, after: bytes, declared: tuple[str, str]) -> dict[str, Any]:
        repo = git_repo(files=files(before, declared[0]))
        repo.commit("Next", files(after, declared[1]))
        return cli("diff", "HEAD~1", "HEAD", "--format", "json", cwd=repo.path, check=0).json()["verdict"]

    return run


# Of ONNX Runtime 1.17 the tables say opset 20 and IR version 9, of 1.18 opset 21 and IR version 10.
WITHIN = {
    "nothing is declared": (onnx_model(21, 10), "", ""),
    "the newest that it loads": (onnx_model(20, 9), runtime("1.17.1"), runtime("1.17.1")),
    "a newer one is declared, before and after": (onnx_model(21, 10), runtime("1.18.0"), runtime("1.18.0")),
    "a release that no table has yet": (onnx_model(99, 99), runtime("1.999"), runtime("1.999")),
    "a version that is none": (onnx_model(21, 10), runtime("9999999999"), runtime("9999999999")),
    "a profile, which declares no runtime": (onnx_model(21, 10), "targets: [l4]\n", "targets: [l4]\n"),
    "a target that is not there": (onnx_model(21, 10), "targets: [gone.yaml]\n", "targets: [../../out.yaml]\n"),
    "another domain": (onnx_model(99, 9, "com.example"), runtime("1.17.1"), runtime("1.17.1")),
}


@pytest.mark.parametrize("case", WITHIN)
def test_a_model_that_the_declared_runtime_may_load(diff: Diff, case: str) -> None:
    model, before, after = WITHIN[case]
    verdict = diff(onnx_model(19, 8), model, (before, after))
    assert verdict["bump"] == "patch"
    assert not any("newest" in reason for reason in verdict["reasons"])


BEYOND = {
    "opset": (
        onnx_model(21, 9),
        (runtime("1.17.1"),) * 2,
        ["opset 21 is above 20, the newest that ONNX Runtime 1.17.1"],
    ),
    "IR version": (
        onnx_model(20, 10),
        (runtime("1.17.1"),) * 2,
        ["IR version 10 is above 9, the newest that ONNX Runtime 1.17.1"],
    ),
    "declared after only": (onnx_model(21, 9), ("", runtime("1.17.1")), ["opset 21 is above 20"]),
    "declared before, and now a newer runtime is": (
        onnx_model(21, 9),
        (runtime("1.17.1"), runtime("1.18.0")),
        ["opset 21 is above 20"],
    ),
    "declared by a target": (
        onnx_model(21, 9),
        ("targets: [fleet/node.yaml]\n",) * 2,
        ["opset 21 is above 20, the newest that ONNX Runtime 1.17.1 (declared in fleet/node.yaml) loads"],
    ),
    "older than any in the table": (
        onnx_model(27, 14),
        (runtime("1.2"),) * 2,
        ["opset 27 is above 19", "IR version 14"],
    ),
}


@pytest.mark.parametrize("case", BEYOND)
def test_a_model_that_the_declared_runtime_does_not_load(diff: Diff, case: str) -> None:
    model, declared, reasons = BEYOND[case]
    verdict = diff(onnx_model(19, 8), model, declared)
    assert verdict["bump"] == "major"
    found = [reason for reason in verdict["reasons"] if "newest" in reason]
    assert len(found) == len(reasons)
    assert all(reason in one for reason, one in zip(reasons, found, strict=True))


def test_what_was_out_of_reach_before_is_no_new_break(diff: Diff) -> None:
    assert diff(onnx_model(21, 10), onnx_model(22, 10), (runtime("1.17.1"),) * 2)["bump"] == "patch"


def test_two_files_without_a_manifest_have_no_target(cli: Program, git_repo: Callable[..., GitRepo]) -> None:
    repo = git_repo(files={"a.onnx": onnx_model(19, 8), "b.onnx": onnx_model(21, 10)})
    words = ("diff", "--no-index", "a.onnx", "b.onnx", "--format", "json")
    assert cli(*words, cwd=repo.path, check=0).json()["verdict"]["bump"] == "patch"


def test_the_version_must_follow(cli: Program, git_repo: Callable[..., GitRepo]) -> None:
    """GM305, `review` and `bump` know it too, also where notes were written on both models."""
    repo = git_repo(files=files(onnx_model(20, 9), runtime("1.17.1")))
    repo.commit("Next", files(onnx_model(20, 10), runtime("1.17.1")))
    cli("record", "--all", cwd=repo.path, check=0)
    reason = "IR version 10 is above 9, the newest that ONNX Runtime 1.17.1 (declared in models/model.yaml) loads"
    noted = cli("diff", "HEAD~1", "HEAD", "--format", "json", cwd=repo.path, check=0).json()["verdict"]
    assert (noted["bump"], noted["reasons"][0]) == ("major", reason)
    words = ("check", "--select", "GM305", "--base", "HEAD~1", "--format", "json")
    (finding,) = cli(*words, cwd=repo.path, check=1).json()["findings"]
    assert reason in finding["message"]
    review = cli("review", "--base", "HEAD~1", "--format", "json", cwd=repo.path, check=1).json()
    assert review["verdict"]["bump"] == "major"
    assert "GM305" in {one["code"] for one in review["findings"]}
    cli("bump", "models/model.yaml", "--base", "HEAD~1", cwd=repo.path, check=0)
    assert "version: 2.0.0" in (repo.path / "models/model.yaml").read_text(encoding="utf-8")
