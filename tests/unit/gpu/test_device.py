"""The GPU by itself: there and usable (NO_DEVICE), healthy (214), connected (802)."""

from typing import Any

import pytest
from support.machines import RELEASE, code, machine, release
from support.verdicts import ALLOW, REJECT, UNKNOWN, expect


@pytest.mark.parametrize(
    "fabric, verdict", [("completed", ALLOW), (None, ALLOW), ("in-progress", REJECT), ("not-ready", REJECT)]
)
def test_the_fabric_is_up(fabric: str | None, verdict: str) -> None:
    expect(RELEASE, machine(gpu={"fabric": fabric}), verdict, None if verdict == ALLOW else "802")


@pytest.mark.parametrize(
    "gpu, verdict",
    [
        ({"ecc_uncorrected": 0}, ALLOW),
        ({"ecc_uncorrected": 1}, REJECT),
        ({"ecc_uncorrected": None}, UNKNOWN),
        ({"ecc_uncorrected": None, "ecc_mode": "disabled"}, ALLOW),
        ({"ecc_uncorrected": None, "ecc_mode": "unsupported", "remap_failed": None}, ALLOW),
        ({"ecc_uncorrected": 1, "ecc_mode": "disabled"}, REJECT),
        ({"remap_failed": True}, REJECT),
        ({"remap_failed": None}, UNKNOWN),
    ],
)
def test_the_memory_of_the_gpu_is_healthy(gpu: dict[str, Any], verdict: str) -> None:
    expect(RELEASE, machine(gpu=gpu), verdict, None if verdict == ALLOW else "214")


# --- NO_DEVICE -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "changes, verdict",
    [
        ({"gpus": []}, REJECT),
        ({"gpus": None}, UNKNOWN),
        ({"nvml_status": 9}, REJECT),
        ({"nvml_status": 15}, REJECT),
        ({"nvml_status": 12}, UNKNOWN),
        ({"nvml_status": 999}, UNKNOWN),
        ({"nvml_status": -1}, UNKNOWN),
        ({"nvml_status": None}, UNKNOWN),
        ({"environment": None}, UNKNOWN),
        ({"environment": {"CUDA_VISIBLE_DEVICES": ""}}, REJECT),
        ({"environment": {"CUDA_VISIBLE_DEVICES": "-1"}}, REJECT),
        ({"environment": {"CUDA_VISIBLE_DEVICES": "NoDevFiles"}}, REJECT),
        ({"environment": {"CUDA_VISIBLE_DEVICES": "1"}}, REJECT),
        ({"environment": {"CUDA_VISIBLE_DEVICES": "0"}}, ALLOW),
        ({"environment": {"CUDA_VISIBLE_DEVICES": "0,-1,7"}}, ALLOW),
        ({"environment": {"CUDA_VISIBLE_DEVICES": "0,0"}}, UNKNOWN),
        ({"environment": {"CUDA_VISIBLE_DEVICES": "GPU-1"}}, UNKNOWN),
        ({"environment": {"CUDA_VISIBLE_DEVICES": 0}}, ALLOW),
        ({"environment": {"NVIDIA_VISIBLE_DEVICES": "void"}}, ALLOW),  # what Kubernetes sets where CDI gives the GPU
    ],
)
def test_cuda_sees_a_gpu(changes: dict[str, Any], verdict: str) -> None:
    expect(RELEASE, machine(**changes), verdict, None if verdict == ALLOW else "NO_DEVICE")


@pytest.mark.parametrize(
    "gpu, verdict",
    [
        ({"mig": False}, ALLOW),
        ({"mig": None}, UNKNOWN),
        ({"mig": None, "compute_capability": "8.9"}, ALLOW),  # no such GPU has MIG
        ({"mig": True}, REJECT),
        ({"mig": True, "name": "NVIDIA H100 80GB HBM3 MIG 1g.10gb"}, ALLOW),
        ({"mig": "1g.10gb"}, ALLOW),
        ({"mig": "1c.2g.20gb"}, ALLOW),
        ({"mig": "disabled"}, ALLOW),
        ({"mig": "enabled"}, REJECT),
        ({"mig": "perhaps"}, UNKNOWN),
        ({"compute_mode": 0}, ALLOW),
        ({"compute_mode": "prohibited"}, REJECT),
        ({"compute_mode": 2}, REJECT),
        ({"compute_mode": "exclusive-process", "processes": 0}, ALLOW),
        ({"compute_mode": "exclusive-process", "processes": 1}, REJECT),
        ({"compute_mode": 3}, UNKNOWN),
        ({"compute_mode": None}, UNKNOWN),
        ({"compute_mode": 4}, UNKNOWN),
        ({"compute_mode": "Exclusive_Process", "processes": 1}, REJECT),
        ({"compute_mode": "Default"}, ALLOW),
        ({"compute_mode": "odd"}, UNKNOWN),
    ],
)
def test_the_gpu_may_be_used(gpu: dict[str, Any], verdict: str) -> None:
    needs = release(binaries=code("sm_80", "sm_90"))
    expect(needs, machine(gpu=gpu), verdict, None if verdict == ALLOW else "NO_DEVICE")


def test_indices_do_not_say_which_slices_are_visible() -> None:
    target = machine(gpu={"mig": "1g.10gb", "uuid": "MIG-a"})
    target["gpus"].append({**target["gpus"][0], "uuid": "MIG-b"})
    for value, verdict in (("0", ALLOW), ("1", UNKNOWN), ("0,1", UNKNOWN), ("MIG-b", ALLOW), ("MIG-c", REJECT)):
        target["environment"] = {"CUDA_VISIBLE_DEVICES": value, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
        expect(RELEASE, target, verdict, None if verdict == ALLOW else "NO_DEVICE")
