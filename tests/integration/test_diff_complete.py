"""`diff --format json` leaves nothing out: with `show` of the old model a script has `show` of the new one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.gitrepo import GitRepo
from support.program import Program
from support.rebuild import rebuilt, told
from support.wheel import ROOT

PAIRS = json.loads((Path(__file__).parents[1] / "data" / "pairs.json").read_text(encoding="utf-8"))
SCHEMA = json.loads((ROOT / "gitops_model" / "render" / "diff.schema.json").read_text(encoding="utf-8"))
ModelFile = Callable[[str, str], Path]


@pytest.mark.parametrize("pair", [pytest.param(pair, id=pair["id"]) for pair in PAIRS])
def test_released_pairs(pair: dict[str, Any], cli: Program, model_file: ModelFile) -> None:
    files = [model_file(pair[side]["package"], pair[side]["path"]) for side in ("before", "after")]
    before, after = (cli("show", file, "--format", "json", check=0).json() for file in files)
    diff = cli("diff", "--no-index", *files, "--format", "json", check=0).json()
    jsonschema.Draft202012Validator(SCHEMA).validate(diff)
    assert rebuilt(before, diff) == told(after)


@pytest.mark.parametrize("pair", [pytest.param(pair, id=pair["id"]) for pair in PAIRS])
def test_a_model_does_not_differ_from_itself(pair: dict[str, Any], cli: Program, model_file: ModelFile) -> None:
    file = model_file(pair["after"]["package"], pair["after"]["path"])
    diff = cli("diff", "--no-index", file, file, "--format", "json", check=0).json()
    assert diff["verdict"] | {"reasons": []} == {
        "kind": "identical-bytes",
        "bump": "none",
        "equivalent": True,
        "reasons": [],
    }
    weights, graph = diff["weights"], diff["graph"]
    empty = (*diff["signature"].values(), diff["opset"], diff["properties"], diff["metadata"])
    empty += tuple(weights[name] for name in weights if name not in ("unchanged", "unknown"))
    empty += tuple(graph[name] for name in graph if name != "nodes")
    assert not any(empty)
    assert weights["unknown"] == 0
    for sides in (*diff["digests"].values(), diff["formats"], graph["nodes"]):
        assert sides["before"] == sides["after"]


def test_what_notes_tell_is_complete_too(cli: Program, git_repo: Callable[..., GitRepo], model_file: ModelFile) -> None:
    """Both versions are recorded, so that no model is opened."""
    pair = next(pair for pair in PAIRS if pair["id"] == "fw103-silero512-renamed")
    files = [model_file(pair[side]["package"], pair[side]["path"]) for side in ("before", "after")]
    repo = git_repo(files={"m.onnx": files[0].read_bytes()})
    repo.write("m.onnx", files[1].read_bytes())
    repo.commit("Release")
    for revision in ("HEAD~1", "HEAD"):
        cli("record", "--rev", revision, cwd=repo.path, check=0)
    before, after = (
        cli("show", f"{revision}:m.onnx", "--format", "json", cwd=repo.path, check=0).json()
        for revision in ("HEAD~1", "HEAD")
    )
    diff = cli("diff", "HEAD~1", "HEAD", "--format", "json", cwd=repo.path, check=0).json()
    assert rebuilt(before, diff) == told(after)
