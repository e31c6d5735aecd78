"""What a run on the GPU must keep, each limit on both sides of its border."""

from typing import Any

import pytest

from gitops_model.pipeline.gpu.smoke import judged
from gitops_model.pipeline.run_model import CPU, CUDA

CPU_RUN: dict[str, Any] = {"repeatable": True, "nodes": {CPU: {"MatMul": 1}}}


def gpu_run(**changes: Any) -> dict[str, Any]:
    row = {"name": "y", "same_shape": True, "max_abs_diff": 0.0, "max_rel_diff": 0.0}
    run = {
        "providers": [CUDA, CPU],
        "nodes": {CUDA: {"MatMul": 1}},
        "repeatable": True,
        "load_ms": 100.0,
        "latency_p50_ms": 1.0,
        "latency_p95_ms": 2.0,
        "device_memory_mib": 500,
        "compared": [row],
    }
    diff = changes.pop("diff", {})
    run["compared"] = [{**row, **diff}]
    return run | changes


def effects(gpu: dict[str, Any] | None, acceptance: dict[str, Any], cpu: dict[str, Any] = CPU_RUN) -> list[str]:
    return [f"{reason.effect.name} {reason.error}" for reason in judged("m", cpu, gpu, acceptance)]


@pytest.mark.parametrize(
    "key, measured, holds, breaks",
    [
        ("latency_p50_ms", {"latency_p50_ms": 3.0}, 3.0, 2.999),
        ("latency_p95_ms", {"latency_p95_ms": 3.0}, 3.0, 2.999),
        ("load_time_ms", {"load_ms": 50.0}, 50.0, 49.9),
        ("memory_mib", {"device_memory_mib": 400}, 400, 399),
        ("max_abs_diff", {"diff": {"max_abs_diff": 0.1, "max_rel_diff": 9.0}}, 0.1, 0.09),
        ("max_rel_diff", {"diff": {"max_abs_diff": 9.0, "max_rel_diff": 0.1}}, 0.1, 0.09),
    ],
)
def test_limits(key: str, measured: dict[str, Any], holds: float, breaks: float) -> None:
    assert effects(gpu_run(**measured), {key: holds}) == []
    assert effects(gpu_run(**measured), {key: breaks}) == ["REJECT ACCEPTANCE"]


@pytest.mark.parametrize(
    "diff, verdict",
    [
        ({"max_abs_diff": 9.0, "max_rel_diff": 0.01}, []),
        ({"max_abs_diff": 0.001, "max_rel_diff": 9.0}, []),
        ({"max_abs_diff": 0.0011, "max_rel_diff": 0.011}, ["REJECT ACCEPTANCE"]),
        ({"same_shape": False, "max_abs_diff": None, "max_rel_diff": None}, ["REJECT ACCEPTANCE"]),
        ({"max_abs_diff": float("nan"), "max_rel_diff": float("nan")}, ["REJECT ACCEPTANCE"]),
    ],
)
def test_without_a_stated_difference_the_tolerance_counts(diff: dict[str, Any], verdict: list[str]) -> None:
    assert effects(gpu_run(diff=diff), {}) == verdict


def test_absence_is_no_pass() -> None:
    assert effects(None, {}) == ["UNKNOWN SMOKE"]
    assert effects({"problem": "x"}, {}) == ["REJECT SMOKE"]
    assert effects(gpu_run(), {}, {"problem": "x"}) == ["REJECT SMOKE"]
    assert effects(gpu_run(device_memory_mib=None), {"memory_mib": 1}) == ["UNKNOWN ACCEPTANCE"]
    assert effects(gpu_run(nodes={CPU: {"MatMul": 1}}), {}) == ["REJECT CPU_FALLBACK"]


def test_operators_on_the_cpu_may_be_accepted() -> None:
    run = gpu_run(nodes={CUDA: {"MatMul": 1}, CPU: {"Unique": 1}}, without_kernel=["Unique"])
    assert effects(run, {}) == ["REJECT CPU_FALLBACK"]
    assert [reason.effect.name for reason in judged("m", CPU_RUN, run, {}, allows_cpu=True)] == ["NOTE"]
