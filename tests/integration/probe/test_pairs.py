"""The probe as referee: on real successive releases of models, and on what tools make of small networks."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import rewriters
from support.accuracy import NETS, quietly
from support.program import Program
from support.wheel import ROOT

from gitops_model.pipeline.diff import diff_files
from gitops_model.pipeline.diff_arguments import TwoFiles
from gitops_model.pipeline.probe import Limits

PAIRS = json.loads((ROOT / "tests/data/pairs.json").read_text(encoding="utf-8"))
VERDICTS = json.loads((ROOT / "tests/data/verdicts.json").read_text(encoding="utf-8"))
RUN = [pair for pair in PAIRS if pair["format"] == "onnx" and VERDICTS[pair["id"]]["kind"] != "identical-bytes"]
SAME = {"silero-16k-openvino-623"}
"""Not proved (an input of no effect went), and the same all the same."""


@pytest.mark.parametrize("pair", [pytest.param(pair, id=pair["id"]) for pair in RUN])
def test_releases(pair: dict[str, Any], cli: Program, model_file: Callable[[str, str], Path]) -> None:
    before, after = (model_file(pair[side]["package"], pair[side]["path"]) for side in ("before", "after"))
    document = cli("diff", "--run", "--no-index", before, after, "--format", "json", check=0).json()
    assert document["problems"] == []
    assert document["probe"]["runs"] > 0
    assert document["probe"]["agrees"] is (document["verdict"]["equivalent"] or pair["id"] in SAME)


def test_some_pairs_are_run() -> None:
    assert len(RUN) >= 8
    assert any(VERDICTS[pair["id"]]["equivalent"] for pair in RUN)


TOOLS = {**rewriters.EXACT, "quantize_dynamic": rewriters.LOSSY["quantize_dynamic"][1]}
SOME = ("norm", "functions")


@pytest.mark.parametrize("tool", TOOLS)
def test_rewritten_networks(tool: str, tmp_path: Path) -> None:
    """Nothing that is proved equivalent comes out different."""
    seen = 0
    for net in SOME:
        model = NETS[net]()
        try:
            after = quietly(TOOLS[tool], model, tmp_path)
        except Exception:  # noqa: BLE001 - each tool has errors of its own
            continue
        (tmp_path / "a.onnx").write_bytes(model.SerializeToString())
        (tmp_path / "b.onnx").write_bytes(after.SerializeToString())
        (file,) = diff_files(TwoFiles("a.onnx", "b.onnx"), str(tmp_path), os.environ, Limits()).files
        assert file.diff is not None
        assert file.diff.probe is not None
        if file.diff.verdict.equivalent and file.diff.probe.runs:
            assert file.diff.probe.agrees is True, net
            assert not file.problems
            seen += 1
        if tool == "quantize_dynamic" and not file.diff.verdict.equivalent and file.diff.probe.runs:
            assert not all(output.same_bits for output in file.diff.probe.outputs), net
    assert seen
