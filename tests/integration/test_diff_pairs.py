"""`diff` on real successive releases of models, against what was measured about them (tests/data/pairs.json)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.program import Program

PAIRS = json.loads((Path(__file__).parents[1] / "data" / "pairs.json").read_text(encoding="utf-8"))
VERDICTS = json.loads((Path(__file__).parents[1] / "data" / "verdicts.json").read_text(encoding="utf-8"))
ONNX = [pytest.param(pair, id=pair["id"]) for pair in PAIRS if pair["format"] == "onnx"]


@pytest.fixture(params=ONNX)
def pair(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.param


@pytest.fixture
def diff(pair: dict[str, Any], cli: Program, model_file: Callable[[str, str], Path]) -> dict[str, Any]:
    before, after = (model_file(pair[side]["package"], pair[side]["path"]) for side in ("before", "after"))
    return cli("diff", "--no-index", before, after, "--format", "json", check=0).json()


def test_as_measured(pair: dict[str, Any], diff: dict[str, Any]) -> None:
    truth, tensors, weights = pair["truth"], pair["truth"]["tensors"], diff["weights"]
    changed, added, removed, renamed = (len(weights[key]) for key in ("changed", "added", "removed", "renamed"))
    assert weights["unchanged"] + renamed == tensors["content_in_both"]
    assert changed + removed == tensors["content_only_before"]
    assert changed + added == tensors["content_only_after"]
    if truth["kind"] == "weights-only":
        assert changed == truth["weights_changed_tensors"]
    for key, sign in (("added", 1), ("removed", -1)):
        ops = [node["op_type"] for node in diff["graph"][key]]
        assert {op: ops.count(op) for op in ops} == {
            op: sign * n for op, n in truth["op_delta"].items() if sign * n > 0
        }
    assert list(diff["graph"]["nodes"].values()) == truth["node_count"]
    before, after = truth["opset"]
    domains = {domain for domain in before | after if before.get(domain) != after.get(domain)}
    assert diff["opset"] == {d: {"before": before.get(d), "after": after.get(d)} for d in domains}
    assert bool(diff["signature"]["inputs"] or diff["signature"]["outputs"]) == truth["io_changed"]
    assert bool(diff["metadata"]) == truth["metadata_props_changed"]
    assert (diff["digests"]["structure"]["before"] != diff["digests"]["structure"]["after"]) == truth["graph_changed"]


def test_verdict(pair: dict[str, Any], diff: dict[str, Any]) -> None:
    assert diff["verdict"]["kind"] == pair["truth"]["kind"]
    assert diff["verdict"]["equivalent"] == pair["truth"]["model_equal_ignoring_names_and_order"]


def test_interface_is_named(pair: dict[str, Any], diff: dict[str, Any]) -> None:
    """What changed in the interface is listed value by value, with both sides."""
    for role in ("inputs", "outputs"):
        sides = [
            {v["name"]: v for v in pair["truth"].get(f"io_{side}", {}).get(role, [])} for side in ("before", "after")
        ]
        changes = diff["signature"][role]
        assert {c["name"] for c in changes if c["change"] == "added"} == sides[1].keys() - sides[0].keys()
        assert {c["name"] for c in changes if c["change"] == "removed"} == sides[0].keys() - sides[1].keys()
        common = sides[0].keys() & sides[1].keys()
        reshaped = {name for name in common if sides[0][name]["shape"] != sides[1][name]["shape"]}
        assert {c["name"] for c in changes if c["change"] in {"shape", "rank"}} == reshaped


def test_the_table_of_verdicts_is_whole() -> None:
    assert list(VERDICTS) == [pair["id"] for pair in PAIRS]


@pytest.mark.parametrize("pair", [pytest.param(pair, id=pair["id"]) for pair in PAIRS])
def test_verdict_as_committed(pair: dict[str, Any], cli: Program, model_file: Callable[[str, str], Path]) -> None:
    """kind, bump and equivalent of every pair of every format; `weights+code` of the truth is weights+graph."""
    before, after = (model_file(pair[side]["package"], pair[side]["path"]) for side in ("before", "after"))
    verdict = cli("diff", "--no-index", before, after, "--format", "json", check=0).json()["verdict"]
    assert {key: verdict[key] for key in ("kind", "bump", "equivalent")} == VERDICTS[pair["id"]]
    assert verdict["kind"] == pair["truth"]["kind"].replace("weights+code", "weights+graph")
    assert verdict["reasons"]


@pytest.mark.parametrize("versions", [("5.1.2", "6.0.0"), ("6.0.0", "6.2.3")], ids="-".join)
def test_torchscript_code_is_told_without_the_numbers_of_its_export(
    versions: tuple[str, str], cli: Program, model_file: Callable[[str, str], Path]
) -> None:
    """Classes of one name are told apart by numbers that every export gives anew."""
    files = [model_file(f"silero-vad=={version}", "silero_vad/data/silero_vad.jit") for version in versions]
    graph = cli("diff", "--no-index", *files, "--format", "json", check=0).json()["graph"]
    added, removed = ({node["op_type"] for node in graph[fate]} for fate in ("added", "removed"))
    assert not added & removed
