"""`diff` with notes: the same verdict, and no weight byte is read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save
from support.gitrepo import GitRepo
from support.manifests import SWIFT, SWIFT_NEXT
from support.program import Program

ModelFile = Callable[[str, str], Path]


def onnx_model(*, weight: float = 1.0, name: str = "w", op: str = "Add", rank: tuple[Any, ...] = ("n", 4)) -> bytes:
    values = [helper.make_tensor_value_info(one, TensorProto.FLOAT, rank) for one in "xy"]
    tensors = [numpy_helper.from_array(np.arange(4, dtype=np.float32) * weight, name)]
    graph = helper.make_graph([helper.make_node(op, ["x", name], ["y"])], "g", values[:1], values[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


PAIRS = {
    "weights": (onnx_model(), onnx_model(weight=2)),
    "renamed": (onnx_model(), onnx_model(name="v")),
    "interface": (onnx_model(), onnx_model(rank=(1, 4))),
    "operation": (onnx_model(), onnx_model(op="Mul")),
    "safetensors": (save({"w": np.zeros(4)}), save({"w": np.ones(4), "v": np.ones(2)})),
    "metadata": (save({"w": np.zeros(4)}), save({"w": np.zeros(4)}, {"epoch": "2"})),
}


def both(cli: Program, repo: GitRepo, *words: str) -> list[dict[str, Any]]:
    with_notes = cli("diff", *words, "--format", "json", cwd=repo.path, check=0).json()
    without = cli("diff", "--no-notes", *words, "--format", "json", cwd=repo.path, check=0).json()
    return [with_notes, without]


def without_statistics(document: dict[str, Any]) -> dict[str, Any]:
    weights = document["weights"]
    changed = [{**tensor, "statistics": None} for tensor in weights["changed"]]
    layers = [{**layer, "relative_l2": None, "max_abs": None} for layer in weights["layers"]]
    return {**document, "weights": {**weights, "changed": changed, "layers": layers, "patterns": []}}


@pytest.mark.parametrize("pair", PAIRS)
def test_the_verdict_is_the_same_with_notes_and_without(
    cli: Program, git_repo: Callable[..., GitRepo], pair: str
) -> None:
    name = "m.safetensors" if pair in {"safetensors", "metadata"} else "m.onnx"
    repo = git_repo(files={name: PAIRS[pair][0]})
    repo.commit("Next", {name: PAIRS[pair][1]})
    cli("record", "--all", cwd=repo.path, check=0)
    noted, read = both(cli, repo, "HEAD~1", "HEAD")
    assert noted == without_statistics(read)
    if pair == "weights":
        assert read["weights"]["changed"][0]["statistics"]["relative_l2"] == 1.0
        assert noted["weights"]["changed"][0]["statistics"] is None
        measured = cli("diff", "--statistics", "HEAD~1", "HEAD", "--format", "json", cwd=repo.path).json()
        assert measured == read


def test_real_models_too(cli: Program, git_repo: Callable[..., GitRepo], model_file: ModelFile) -> None:
    repo = git_repo(files={"m.onnx": model_file(*SWIFT).read_bytes()})
    repo.commit("Next", {"m.onnx": model_file(*SWIFT_NEXT).read_bytes()})
    cli("record", "--all", cwd=repo.path, check=0)
    noted, read = both(cli, repo, "HEAD~1", "HEAD")
    assert noted == without_statistics(read)


def test_external_data_that_changed_is_told_from_the_note(cli: Program, git_repo: Callable[..., GitRepo]) -> None:
    from support.recording import external

    repo = git_repo()
    repo.commit("One", dict(external(repo.path.parent / "one", 1.0)))
    repo.commit("Two", dict(external(repo.path.parent / "two", 2.0)))
    cli("record", "--all", cwd=repo.path, check=0)
    noted, read = both(cli, repo, "HEAD~1", "HEAD")
    assert noted["path"] == "m.onnx"
    assert noted["verdict"]["kind"] == "weights-only"
    assert noted == without_statistics(read)


def test_a_verdict_that_can_fail_a_job_does_not_believe_notes(cli: Program, git_repo: Callable[..., GitRepo]) -> None:
    first, second = PAIRS["weights"]
    repo = git_repo(files={"m.onnx": first})
    repo.commit("Next", {"m.onnx": second})
    cli("record", "--all", cwd=repo.path, check=0)
    line = repo.git("notes", "--ref=gitops-model", "show", repo.git("rev-parse", "HEAD~1:m.onnx"))
    forged = repo.git("rev-parse", "HEAD:m.onnx")
    repo.git("notes", "--ref=gitops-model", "add", "-f", "-m", line, forged)
    assert cli("diff", "HEAD~1", "HEAD", "--format", "json", cwd=repo.path).json()["verdict"]["bump"] == "none"
    document = cli("diff", "HEAD~1", "HEAD", "--exit-code", "--format", "json", cwd=repo.path, check=1).json()
    assert document["verdict"]["kind"] == "weights-only"


@pytest.mark.parametrize(
    "line",
    [
        '{"facts":{},"format":"onnx","kind":"fingerprint","source":"content","v":1}',
        '{"facts":{"opset":3},"format":"onnx","kind":"fingerprint","model":"x","source":"content","structure":"s","v":1}',
        (
            '{"deps":[],"facts":{"inputs":[["x","float32",[{}]]],"metadata":{},"opset":{},"ops":{},"outputs":[],'
            '"properties":{}},"format":"onnx","kind":"fingerprint","model":"x","source":"content","structure":"s",'
            '"tensors":[["w","float32",[-1],"0"]],"v":1}'
        ),
        '{"deps":[],"facts":[],"format":3,"kind":"fingerprint","source":"content","tensors":7,"v":1}',
    ],
)
def test_nonsense_in_notes_is_not_believed(cli: Program, git_repo: Callable[..., GitRepo], line: str) -> None:
    first, second = PAIRS["weights"]
    repo = git_repo(files={"m.onnx": first})
    repo.commit("Next", {"m.onnx": second})
    for rev in ("HEAD~1", "HEAD"):
        repo.git("notes", "--ref=gitops-model", "add", "-f", "-m", line, repo.git("rev-parse", f"{rev}:m.onnx"))
    found = cli("diff", "HEAD~1", "HEAD", "--format", "json", cwd=repo.path, check=0).json()
    assert found["verdict"]["kind"] == "weights-only"


def test_not_one_byte_of_the_models_is_read(cli: Program, git_repo: Callable[..., GitRepo]) -> None:
    """Neither version is there any more: not in the object store, not in the work tree. Only the notes are."""
    repo = git_repo(files={"m.safetensors": save({"a.w": np.zeros(4), "b.w": np.zeros(4)})})
    repo.commit("Next", {"m.safetensors": save({"a.w": np.zeros(4), "b.w": np.ones(4)})})
    cli("record", "--all", cwd=repo.path, check=0)
    (repo.path / "m.safetensors").unlink()
    for rev in ("HEAD~1", "HEAD"):
        oid = repo.git("rev-parse", f"{rev}:m.safetensors")
        (repo.path / ".git/objects" / oid[:2] / oid[2:]).unlink()
    found = cli("diff", "HEAD~1", "HEAD", "--format", "json", cwd=repo.path, check=0).json()
    assert found["verdict"]["kind"] == "weights-only"
    assert [tensor["name"] for tensor in found["weights"]["changed"]] == ["b.w"]
