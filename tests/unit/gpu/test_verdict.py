"""The verdict as a whole, and the fit of memory and element types."""

from typing import Any

import pytest
from support.machines import MACHINE, RELEASE, code, machine, release
from support.verdicts import ALLOW, REJECT, UNKNOWN, expect

from gitops_model.gpu.compat import judge


def test_a_release_on_a_machine_that_fits_is_allowed_without_a_reason() -> None:
    assert judge(RELEASE, MACHINE).reasons == ()
    assert judge(RELEASE, MACHINE).verdict == ALLOW


@pytest.mark.parametrize(
    "need, total, free, verdict",
    [
        (8000, 10000, 8000, ALLOW),
        (8001, 10000, 8000, REJECT),
        (10000, 10000, 10000, ALLOW),
        (10001, 10000, None, REJECT),  # more than there is, whatever is in use
        (8000, 10000, None, UNKNOWN),
        (8000, None, 9000, UNKNOWN),
        (8000, None, 7000, REJECT),
        (8000, 7000, 9000, REJECT),  # more free than there is: the smaller one counts
        (None, 10000, 10000, UNKNOWN),
        (0, 10000, 0, ALLOW),
    ],
)
def test_the_release_fits_into_memory(need: Any, total: Any, free: Any, verdict: str) -> None:
    target = machine(gpu={"memory_mib": total, "memory_free_mib": free})
    expect(release(memory_mib=need), target, verdict, None if verdict == ALLOW else "OUT_OF_MEMORY")


@pytest.mark.parametrize(
    "dtype, capability, verdict",
    [
        ("float32", "7.5", ALLOW),
        ("float16", "7.5", ALLOW),
        ("bfloat16", "8.0", ALLOW),
        ("bfloat16", "7.5", REJECT),
        ("bf16", "7.5", REJECT),
        ("float8_e4m3fn", "8.9", ALLOW),
        ("float8_e4m3fn", "8.6", REJECT),
        ("FP8", "8.6", REJECT),
        ("float8_e5m2", "9.0", ALLOW),
        ("float4_e2m1fn", "10.0", ALLOW),
        ("float4_e2m1fn", "12.0", ALLOW),
        ("float4_e2m1fn", "9.0", REJECT),
        ("float8_e4m3fnuz", "9.0", UNKNOWN),
        ("float6_e3m2", "12.0", UNKNOWN),
    ],
)
def test_the_gpu_computes_with_the_element_type(dtype: str, capability: str, verdict: str) -> None:
    needs = release(dtypes=[dtype], binaries=code("sm_75", "sm_80", "sm_90", "sm_100", "sm_120"))
    target = machine(driver="580.95.05", gpu={"compute_capability": capability})
    expect(needs, target, verdict, None if verdict == ALLOW else "DTYPE_UNSUPPORTED")


def test_types_that_nobody_could_find_out_are_unknown() -> None:
    expect(release(dtypes=None), MACHINE, UNKNOWN, "DTYPE_UNSUPPORTED")


# --- several GPUs --------------------------------------------------------------------------------------------------
def test_the_worst_gpu_decides_and_each_has_its_own_verdict() -> None:
    target = machine()
    small = {**target["gpus"][0], "name": "NVIDIA L4", "compute_capability": "8.9", "fabric": None}
    target["gpus"].append(small)
    found = expect(release(binaries=code("sm_90")), target, REJECT, "209")
    assert [gpu.verdict for gpu in found.gpus] == [ALLOW, REJECT]
    assert found.reasons[0].gpu == 1
    target["environment"] = {"CUDA_VISIBLE_DEVICES": "0"}
    expect(release(binaries=code("sm_90")), target, REJECT)  # CUDA counts the fastest first, NVML by bus
    target["environment"]["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    expect(release(binaries=code("sm_90")), target, ALLOW)


def test_gpus_may_be_chosen_by_uuid() -> None:
    target = machine(environment={"CUDA_VISIBLE_DEVICES": "GPU-aa"}, gpu={"uuid": "GPU-aabb"})
    target["gpus"].append({**target["gpus"][0], "uuid": "GPU-ccdd", "compute_mode": "prohibited"})
    expect(RELEASE, target, ALLOW)
    target["environment"] = {"CUDA_VISIBLE_DEVICES": "GPU-cc"}
    expect(RELEASE, target, REJECT, "NO_DEVICE")
    target["environment"] = {"CUDA_VISIBLE_DEVICES": "GPU-"}  # not one GPU: nothing is visible
    expect(RELEASE, target, REJECT, "NO_DEVICE")


def test_a_fact_that_decides_alone_decides() -> None:
    assert judge(RELEASE, {"libcuda_present": False}).verdict == REJECT
    assert judge(RELEASE, {"nvml_status": 18}).verdict == REJECT
    assert judge(RELEASE, {"gpus": []}).verdict == REJECT
    assert judge(release(sonames=["libnope.so.1"]), {"libraries": []}).verdict == REJECT
    assert judge(release(memory_mib=100), {"gpus": [{"memory_mib": 50}]}).verdict == REJECT
    assert judge(RELEASE, {}).verdict == UNKNOWN


def test_a_reason_is_data() -> None:
    found = judge(release(memory_mib=90000), MACHINE).as_dict()
    assert found["verdict"] == REJECT
    assert found["target"] == "node-1"
    first = found["reasons"][0]  # type: ignore[index]
    assert set(first) == {"code", "error", "message", "source", "fix", "effect", "gpu"}
    assert (first["code"], first["error"], first["effect"], first["gpu"]) == ("GM418", "OUT_OF_MEMORY", REJECT, 0)
