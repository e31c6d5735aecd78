"""A release and a machine that fit, every fact stated: tests change one thing and look at the verdict."""

from copy import deepcopy
from typing import Any

RELEASE: dict[str, Any] = {
    "cuda_runtime": "12.4",
    "binaries": [
        {
            "path": "lib/custom_ops.so",
            "images": [
                {"kind": "sass", "arch": "80"},
                {"kind": "sass", "arch": "90"},
                {"kind": "ptx", "arch": "90", "ptx_isa": "8.4"},
            ],
        }
    ],
}

MACHINE: dict[str, Any] = {
    "name": "node-1",
    "driver": "550.54.15",
    "cuda_driver": "12.4",
    "libcuda_present": True,
    "nvml_status": 0,
    "gpus": [
        {
            "name": "NVIDIA H100 80GB HBM3",
            "compute_capability": "9.0",
            "brand": 14,
            "memory_mib": 81559,
            "memory_free_mib": 80000,
            "mig": False,
            "ecc_uncorrected": 0,
            "ecc_mode": "enabled",
            "remap_failed": False,
            "compute_mode": "default",
            "fabric": "completed",
        }
    ],
    "compat": None,
    "libraries": [
        {"soname": "libcuda.so.1", "version": "550.54.15"},
        {"soname": "libnvidia-ptxjitcompiler.so.1"},
        {"soname": "libcudart.so.12", "version": "12.4.127"},
        {
            "soname": "libcudnn.so.9",
            "version": "9.5.1",
            "symbols": ["cudnnCreate"],
            "compute_capabilities": ["8.0", "9.0"],
        },
    ],
    "environment": {},
}

NEWER_COMPAT: dict[str, Any] = {
    "version": "575.57.08",
    "cuda": "12.9",
    "driver_branches": [535, 550, 560, 565, 570, 575],
    "devices": [1, 2, 7, 8, 9, 10, 11, 12, 13, 14],
}
"""What the ELF note of cuda-compat 575.57.08 says."""


def release(**changes: Any) -> dict[str, Any]:
    return {**deepcopy(RELEASE), **changes}


def machine(*, gpu: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The machine; with another driver it has that driver's halves, unless they are given too."""
    document = deepcopy(MACHINE)
    if "driver" in changes:
        document.pop("cuda_driver")
        document["libraries"][0].pop("version")
    document.update(changes)
    if gpu is not None:
        document["gpus"][0].update(gpu)
    return document


def code(*images: str) -> list[dict[str, Any]]:
    """Binaries with one container: `sm_80`, `compute_90@8.4`."""
    return [{"path": "lib/custom_ops.so", "images": [image(name) for name in images]}]


def image(text: str) -> dict[str, Any]:
    name, _, isa = text.partition("@")
    if name.startswith("compute_"):
        return {"kind": "ptx", "arch": name.removeprefix("compute_"), **({"ptx_isa": isa} if isa else {})}
    return {"kind": "sass", "arch": name.removeprefix("sm_")}
