"""`diff` of a real model and what re-exports, wrappers and tools make of its names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import compose
from safetensors.numpy import save_file
from support import reexported
from support.gitrepo import GitRepo
from support.program import Program
from support.recording import valid

ModelFile = Callable[[str, str], Path]

SILERO = "silero_vad/data/silero_vad.onnx"
OLD, NEW = "silero-vad==5.1.2", "silero-vad==6.0.0"


def diff(cli: Program, before: Path, after: Path) -> dict[str, Any]:
    return valid("diff", cli("diff", "--no-index", before, after, "--format", "json", check=0).json())


def test_what_was_retrained_and_renamed_is_told(cli: Program, model_file: ModelFile, tmp_path: Path) -> None:
    """Names that say nothing and 28 tensors of other content: the same 28 as between the releases, and 313 renames."""
    model = onnx.load(model_file(NEW, SILERO))
    names = reexported.rename(model)
    onnx.save(model, tmp_path / "m.onnx")
    weights = diff(cli, model_file(OLD, SILERO), tmp_path / "m.onnx")["weights"]
    released = diff(cli, model_file(OLD, SILERO), model_file(NEW, SILERO))["weights"]
    assert [change["from"] for change in weights["changed"]] == [change["name"] for change in released["changed"]]
    assert [c["statistics"] for c in weights["changed"]] == [c["statistics"] for c in released["changed"]]
    assert (weights["added"], weights["removed"], len(weights["renamed"])) == ([], [], 313)
    for change in (*weights["changed"], *weights["renamed"]):
        old, new = change["from"].split("_branch/")[-1], change["name"].split("_branch/")[-1]
        assert names[old] == new


def test_a_graph_that_changed_too(cli: Program, model_file: ModelFile, tmp_path: Path) -> None:
    """Every weight of swift retrained, every name new, and an operation more: still told one by one."""
    package, path = "swift-f0==0.2.0", "swift_f0/model.onnx"
    model = onnx.load(model_file(package, path))
    reexported.rename(model)
    count = reexported.retrain(model)
    output = model.graph.output[0].name
    for node in model.graph.node:
        node.output[:] = ["before_" + name if name == output else name for name in node.output]
    model.graph.node.append(onnx.helper.make_node("Abs", ["before_" + output], [output]))
    onnx.save(model, tmp_path / "m.onnx")
    found = diff(cli, model_file(package, path), tmp_path / "m.onnx")
    weights = found["weights"]
    assert (len(weights["changed"]), weights["added"], weights["removed"]) == (count, [], [])
    assert (found["verdict"]["kind"], found["verdict"]["bump"]) == ("weights+graph", "minor")


@pytest.mark.parametrize("prefix", ["pre_", "m1/"])
def test_what_compose_puts_before_every_name(prefix: str, cli: Program, model_file: ModelFile, tmp_path: Path) -> None:
    before = model_file(NEW, SILERO)
    onnx.save(compose.add_prefix(onnx.load(before), prefix), tmp_path / "m.onnx")
    found = diff(cli, before, tmp_path / "m.onnx")
    assert found["weights"]["prefix"] == {"before": "", "after": prefix, "tensors": 341}
    assert len(found["weights"]["renamed"]) == 341
    assert {"pattern": "prefix", "count": 341, "numeric": "exact"} in found["graph"]["rewrites"]
    text = cli("diff", "--no-index", before, tmp_path / "m.onnx", check=0).out
    assert f'341 tensors got the prefix "{prefix}"' in text
    assert len(text.splitlines()) < 30
    assert len(diff(cli, tmp_path / "m.onnx", before)["weights"]["renamed"]) == 341


@pytest.fixture
def checkpoints(tmp_path: Path) -> tuple[Path, Path]:
    """A checkpoint from a wrapper, and without it, one tensor tuned."""
    weights = {f"layers.{n}.{part}": np.full((8, 8), n, "f") for n in range(6) for part in ("w", "v")}
    weights |= {"head.weight": np.ones((4, 8), "f"), "head.bias": np.zeros(4, "f")}
    before, after = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_file({f"module.{name}": values for name, values in weights.items()}, before)
    save_file(weights | {"head.weight": weights["head.weight"] * 2}, after)
    return before, after


def test_a_prefix_is_one_line(cli: Program, checkpoints: tuple[Path, Path]) -> None:
    line = '14 tensors lost the prefix "module."'
    found = diff(cli, *checkpoints)
    (changed,) = found["weights"]["changed"]
    assert (changed["name"], changed["from"], changed["statistics"]["relative_l2"]) == (
        "head.weight",
        "module.head.weight",
        1,
    )
    assert found["weights"]["patterns"][0] == {"kind": "prefix", "tensors": 14, "sentence": line}
    assert (len(found["weights"]["renamed"]), found["graph"]["rewrites"]) == (13, [])
    assert {layer["name"] for layer in found["weights"]["layers"]} == {"head"}
    assert found["verdict"]["bump"] == "minor"
    for format_ in ("text", "markdown", "html"):
        text = cli("diff", "--no-index", *checkpoints, "--format", format_, check=0).out
        assert "lost the prefix" in text
        assert "module.layers" not in text


def test_notes_leave_to_the_graph_what_they_cannot_tell(
    cli: Program, git_repo: Callable[..., GitRepo], model_file: ModelFile
) -> None:
    """Two notes of one structure tell names and contents; where both are new, the graphs are read, but no weights."""
    old = model_file(OLD, SILERO).read_bytes()
    model = onnx.load_model_from_string(model_file(NEW, SILERO).read_bytes())
    reexported.rename(model)
    repo = git_repo(files={"m.onnx": old})
    repo.commit("Next", {"m.onnx": model.SerializeToString()})
    cli("record", "--all", cwd=repo.path, check=0)
    weights = cli("diff", "HEAD~1", "HEAD", "--format", "json", cwd=repo.path, check=0).json()["weights"]
    assert (len(weights["changed"]), weights["added"], weights["removed"]) == (28, [], [])
    assert {change["statistics"] for change in weights["changed"]} == {None}
