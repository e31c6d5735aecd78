"""The whole way of a tag: its push, the GPU runner, the status, the final tag, the merge group. Run by act."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from onnx import helper
from support.act_gate import Gate
from support.fake_github import FakeGitHub
from support.gitrepo import GitRepo
from support.machines import MACHINE
from support.onnx_models import model, value, weight
from support.program import Program

ZEROS = "0" * 40
CONTEXT = "gitops-model/gpu"


def dense(ir_version: int = 10) -> bytes:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    return model(nodes, [value("x", [2, 8])], [value("y", [2, 8])], (weight("w", 8, 8),), ir_version=ir_version)


def files(content: bytes, version: str = "1.2.0") -> dict[str, str | bytes]:
    return {
        "m/model.onnx": content,
        "m/model.yaml": f"""\
name: dense
version: {version}
architecture: amd64
checksums:
  model.onnx: {{sha256: {hashlib.sha256(content).hexdigest()}}}
inputs:
  x: {{dtype: float32, shape: [2, 8]}}
outputs:
  y: {{dtype: float32, shape: [2, 8]}}
runtime: {{onnxruntime: 1.23.2}}
""",
    }


SONAMES = ("cublasLt.so.12", "cublas.so.12", "curand.so.10", "cufft.so.11", "cudart.so.12", "cudnn.so.9")
LIBRARIES = [{"soname": f"lib{name}", "compute_capabilities": None} for name in SONAMES]
GOOD = {**MACHINE, "libraries": [*MACHINE["libraries"][:2], *({"soname": row["soname"]} for row in LIBRARIES)]}


@pytest.fixture
def origin(git_repo: Callable[..., GitRepo]) -> GitRepo:
    return git_repo("origin", files={"README": "x", **files(dense())})


@pytest.fixture
def gate(tmp_path: Path, scripts: Path, require_tool: Callable[[str], Path]) -> Gate:
    folder = tmp_path / "gate"
    folder.mkdir()
    (folder / "good.json").write_text(json.dumps(GOOD))
    (folder / "poor.json").write_text(json.dumps({**GOOD, "driver": "470.57.02", "cuda_driver": "11.4"}))
    return Gate(folder, scripts / "gitops-model", require_tool("act"), str(folder / "good.json"))


def push(origin: GitRepo, tag: str, before: str = ZEROS) -> dict[str, Any]:
    head = origin.git("rev-parse", f"{tag}^{{commit}}")
    return {"ref": f"refs/tags/{tag}", "before": before, "after": origin.git("rev-parse", tag), "head_sha": head}


def states(github: FakeGitHub, sha: str) -> list[str]:
    return [row["state"] for row in github.statuses if row["sha"] == sha and row["context"] == CONTEXT]


def test_a_candidate_that_passes_a_release_and_a_merge_group(
    gate: Gate, github: FakeGitHub, origin: GitRepo, cli: Program
) -> None:
    cli("tag", "dense", "1.2.0-rc.1", cwd=origin.path, check=0)
    sha = origin.git("rev-parse", "HEAD")
    code, log = gate("push", push(origin, "model/dense/v1.2.0-rc.1"), github, origin)
    assert code == 0, log
    assert states(github, sha) == ["pending", "success"]
    (run,) = github.check_runs
    assert (run["head_sha"], run["conclusion"]) == (sha, "success")
    assert "| `node-1` | ✅ allow |" in run["output"]["summary"]
    assert github.token not in log

    origin.commit("Elsewhere", {"README": "y"})
    cli("tag", "dense", "1.2.0", cwd=origin.path, check=0)
    merged = origin.git("rev-parse", "HEAD")
    code, log = gate("push", push(origin, "model/dense/v1.2.0"), github, origin)
    assert code == 0, log
    assert states(github, merged) == ["success"]
    assert len(github.check_runs) == 1, "a final tag is not checked again"

    def queued(base: str, head: str) -> tuple[int, str]:
        group = {"base_sha": base, "head_sha": head, "head_ref": "refs/heads/queue", "base_ref": "refs/heads/main"}
        return gate(
            "merge_group", {"action": "checks_requested", "merge_group": group, "head_sha": head}, github, origin
        )

    # the base of the first group has no model at all
    root = origin.git("rev-list", "--max-parents=0", "HEAD")
    empty = origin.git("commit-tree", "-m", "Empty", origin.git("mktree"))
    origin.git("branch", "empty", empty)
    code, log = queued(empty, root)
    assert code == 0, log
    assert "dense: passed as model/dense/v1.2.0-rc.1" in log
    changed = origin.commit("Retrain", files(dense(9)))
    code, log = queued(merged, changed)
    assert code == 1, log
    assert "GM510" in log
    assert states(github, changed) == ["failure"]


def test_what_does_not_pass(gate: Gate, github: FakeGitHub, origin: GitRepo, cli: Program) -> None:
    cli("tag", "dense", "1.2.0-rc.1", cwd=origin.path, check=0)
    sha = origin.git("rev-parse", "HEAD")
    event = push(origin, "model/dense/v1.2.0-rc.1")
    gate.target = str(gate.folder / "poor.json")
    code, log = gate("push", event, github, origin)
    assert code == 1, log
    assert states(github, sha) == ["pending", "failure"]
    assert "GM401" in github.check_runs[-1]["output"]["summary"]

    gate.runner = "broken"
    code, _ = gate("push", event, github, origin)
    assert code == 1, log
    assert states(github, sha)[2:] == ["pending", "error"]
    assert "no verdict" in github.statuses[-1]["description"]

    calls = len((gate.folder / "calls").read_text().splitlines())
    moved = push(origin, "model/dense/v1.2.0-rc.1", before="1" * 40)
    code, log = gate("push", moved, github, origin)
    assert code == 1, log
    assert "GM502" in log
    assert states(github, sha)[4:] == ["error"]
    later = (gate.folder / "calls").read_text().splitlines()[calls:]
    assert not [call for call in later if call.startswith("gpu check")], "nothing reached the GPU runner"


def test_a_bad_tag_is_an_error_and_reaches_no_runner(gate: Gate, github: FakeGitHub, origin: GitRepo) -> None:
    tag = "model/dense/v1.2.0-$(id)"
    origin.git("tag", "-a", "-m", "x", tag)
    code, log = gate("push", push(origin, tag), github, origin)
    assert code == 1, log
    assert "uid=" not in log
    assert states(github, origin.git("rev-parse", "HEAD")) == ["error"]
    assert "gpu check" not in (gate.folder / "calls").read_text()
