"""`gpu check --smoke`: the CPU part with the real ONNX Runtime, the GPU part with one that claims to have a GPU."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from support.onnx_models import model, value, weight
from support.program import Program
from support.wheel import ROOT

from gitops_model.pipeline.gpu.scan import manifest_at
from gitops_model.pipeline.gpu.smoke import smoke
from gitops_model.pipeline.run_model import Task
from gitops_model.render.gpu import Smoke

MANIFEST = """\
name: dense
version: 1.0.0
architecture: amd64
checksums:
  model.onnx: {{sha256: {digest}}}
inputs:
  x: {{dtype: float32, shape: [batch, 8]}}
outputs:
  y: {{dtype: float32, shape: [batch, 8]}}
runtime: {{batch: 4}}
acceptance: {{latency_p95_ms: 1000, max_abs_diff: 0.001}}
""".format(digest="0" * 64)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["v"]), helper.make_node("Relu", ["v"], ["y"])]
    data = model(nodes, [value("x", ["n", 8])], [value("y", ["n", 8])], (weight("w", 8, 8),))
    Path("model.onnx").write_bytes(data)


def ran(**limits: Any) -> Smoke:
    return smoke("model.onnx", str(Path.cwd()), os.environ, limits=Task(runs=3, **limits))


# --- the CPU part --------------------------------------------------------------------------------------------------
def test_without_a_gpu_the_cpu_part_runs_and_nothing_passes(cli: Program) -> None:
    Path("model.yaml").write_text(MANIFEST)
    result = cli("gpu", "check", "model.yaml", "--smoke", "--runs", "3", "--format", "json", check=1)
    schema = json.loads((ROOT / "gitops_model/render/gpu-check.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(result.json())
    (run,) = result.json()["smoke"]
    assert (run["verdict"], run["gpu"]) == ("unknown", None)
    assert run["inputs"] == {"x": [4, 8]}
    assert {"the GPU", "latency_p95_ms", "max_abs_diff"} <= set(run["unchecked"])
    assert sum(run["cpu"]["nodes"]["CPUExecutionProvider"].values()) >= 1
    assert run["cpu"]["repeatable"]
    assert 0 < run["cpu"]["latency_p50_ms"] <= run["cpu"]["latency_p95_ms"]
    text = cli("gpu", "check", "model.yaml", "--smoke", "--runs", "1", check=1).out
    assert "not checked: the GPU" in text


def test_a_real_model_runs(model_file: Any) -> None:
    shutil.copy(model_file("silero-vad==6.2.3", "silero_vad/data/silero_vad.onnx"), "model.onnx")
    inputs = "  input: {dtype: float32, shape: [1, samples]}\n  state: {dtype: float32, shape: [2, 1, 128]}"
    inputs += "\n  sr: {dtype: int64, shape: []}"
    text = MANIFEST.replace("  x: {dtype: float32, shape: [batch, 8]}", inputs)
    Path("model.yaml").write_text(text.replace("{batch: 4}", "{dimensions: {samples: 512}}"))
    manifest = manifest_at("model.yaml", str(Path.cwd()), os.environ)
    found = smoke(
        "model.onnx", str(Path.cwd()), os.environ, manifest=manifest, fixed={"sr": 16000}, limits=Task(runs=2)
    )
    assert found.inputs == {"input": [1, 512], "state": [2, 1, 128], "sr": []}
    assert found.cpu is not None
    assert found.cpu.get("problem") is None


def test_external_data_is_laid_beside_the_model() -> None:
    loaded = onnx.load("model.onnx")
    numbers = np.eye(8, dtype=np.float32)
    loaded.graph.initializer[0].CopyFrom(numpy_helper.from_array(numbers, "w"))
    onnx.save(loaded, "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert (ran().cpu or {}).get("problem") is None
    Path("weights.bin").unlink()
    Path("weights.bin").symlink_to("/etc/hostname")
    from gitops_model.errors import BadFile

    with pytest.raises(BadFile):
        ran()


def test_what_does_not_load_is_rejected() -> None:
    nodes = [helper.make_node("NoSuchOperator", ["x"], ["y"], domain="com.example")]
    data = model(nodes, [value("x", [1])], [value("y", [1])], opset={"": 17, "com.example": 1})
    Path("model.onnx").write_bytes(data)
    found = ran()
    assert found.verdict == "reject"
    assert "NoSuchOperator" in found.reasons[0].message


def test_time_and_memory_end_a_run() -> None:
    nodes = [helper.make_node("Expand", ["x", "s"], ["y"])]
    big = helper.make_tensor("s", onnx.TensorProto.INT64, [1], [1 << 33])
    Path("model.onnx").write_bytes(model(nodes, [value("x", [1])], [value("y", None)], (big,)))
    found = ran(memory=4 << 30)
    assert found.verdict == "reject", "32 GiB do not fit in 4"
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["c2"]), helper.make_node("Identity", ["z"], ["z2"])],
        "body",
        [value("i", [], onnx.TensorProto.INT64), value("c", [], onnx.TensorProto.BOOL), value("z", [1])],
        [value("c2", [], onnx.TensorProto.BOOL), value("z2", [1])],
    )
    loop = helper.make_node("Loop", ["", "t", "x"], ["y"], body=body)
    true = helper.make_tensor("t", onnx.TensorProto.BOOL, [], [True])
    Path("model.onnx").write_bytes(model([loop], [value("x", [1])], [value("y", [1])], (true,)))
    found = ran(seconds=3)
    assert found.verdict == "reject"
    assert "within 3 s" in found.reasons[0].message


# --- the GPU part --------------------------------------------------------------------------------------------------
@pytest.fixture
def gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    folder = tmp_path / "site"
    folder.mkdir()
    shutil.copy(ROOT / "tests/support/fake_onnxruntime.py", folder / "onnxruntime.py")
    monkeypatch.syspath_prepend(str(folder))

    def behave(**behaviour: Any) -> Smoke:
        (folder / "behaviour.json").write_text(json.dumps(behaviour))
        return ran(seconds=behaviour.pop("seconds", 60))

    return behave


def decisive(found: Smoke) -> list[str]:
    return [reason.error for reason in found.reasons if reason.effect.verdict == found.verdict]


def test_a_run_on_the_gpu_that_agrees_passes(gpu: Any) -> None:
    found = gpu()
    assert (found.verdict, found.reasons, found.unchecked) == (
        "allow",
        tuple(reason for reason in found.reasons if "were taken as 1" in reason.message),
        (),
    )
    assert found.gpu["compared"] == [{"name": "y", "same_shape": True, "max_abs_diff": 0.0, "max_rel_diff": 0.0}]


@pytest.mark.parametrize(
    "behaviour, error, said",
    [
        ({"providers": ["CPUExecutionProvider"]}, "CPU_FALLBACK", "no node ran on the GPU"),
        ({"on_cpu": ["Unique"]}, "CPU_FALLBACK", "no kernel for Unique"),
        ({"shift": 0.5}, "ACCEPTANCE", "differs from the CPU's"),
        ({"shift": float("nan")}, "ACCEPTANCE", "differs from the CPU's"),
        ({"crash": True}, "SMOKE", "SIGABRT"),
        ({"hang": True, "seconds": 2}, "SMOKE", "within 2 s"),
        ({"hungry": True}, "SMOKE", "more than"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_run_on_the_gpu_that_does_not_is_rejected(gpu: Any, behaviour: dict[str, Any], error: str, said: str) -> None:
    found = gpu(**behaviour)
    assert found.verdict == "reject"
    assert decisive(found) == [error]
    assert any(said in reason.message for reason in found.reasons)


def test_shape_arithmetic_on_the_cpu_is_told_and_allowed(gpu: Any) -> None:
    found = gpu(on_cpu=["Shape"])
    assert found.verdict == "allow"
    assert any("Shape (1)" in reason.message for reason in found.reasons)
