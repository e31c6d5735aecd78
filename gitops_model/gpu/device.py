"""The GPU by itself: is there one that CUDA may use (NO_DEVICE), healthy (214), and connected (802)?"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from gitops_model.gpu import facts
from gitops_model.gpu.contract import COMPUTE_MODES, Gpu, Target
from gitops_model.gpu.reasons import FACT, Reason, missing, reject, unknown

_NVML = "NVML API reference, nvmlReturn_t"
_ENVIRONMENT = "CUDA programming guide, environment variables (docs.nvidia.com/cuda/archive/13.4.3)"
_SLICE = re.compile(r"\bMIG\b|\b[0-9]+(?:c\.[0-9]+)?g\.[0-9]+gb\b", re.ASCII | re.IGNORECASE)
_DEAD = {
    9: "the NVIDIA driver is not loaded",
    15: "a GPU has fallen off the bus (lost)",
    16: "a GPU needs a reset",
}


def check_machine(target: Target) -> Iterator[Reason]:
    """NO_DEVICE: NVML cannot start, there is no GPU, or the environment hides all."""
    status = target.nvml_status
    if status is None:
        yield missing("NO_DEVICE", "nvml_status")
    elif status in _DEAD:
        yield reject("NO_DEVICE", f"NVML says {status}: {_DEAD[status]}", _NVML, "load the driver or reset the GPU")
    elif status not in {0, 18}:
        absent = "libnvidia-ml.so.1 is not there" if status == 12 else "its state is not known"
        yield unknown("NO_DEVICE", f"NVML says {status}: {absent}", _NVML, "probe the machine: gitops-model gpu probe")
    if target.gpus is None:
        yield missing("NO_DEVICE", "gpus")
    elif not target.gpus:
        yield reject("NO_DEVICE", "the machine has no GPU", FACT, "use a machine with a GPU, or pass the container one")
    if target.environment is None:
        yield missing("NO_DEVICE", "environment")


class Visible(NamedTuple):
    """The GPUs that a program sees, as far as CUDA_VISIBLE_DEVICES says, and what it says wrong."""

    gpus: tuple[Gpu, ...]
    reasons: tuple[Reason, ...]


def visible(target: Target) -> Visible:
    """Indices are CUDA's, which are NVML's only with CUDA_DEVICE_ORDER=PCI_BUS_ID: else all GPUs are judged."""
    gpus = target.gpus or ()
    environment = target.environment or {}
    value = environment.get("CUDA_VISIBLE_DEVICES")
    if value is None or not gpus:
        return Visible(gpus, ())
    names = [name.strip() for name in value.split(",")]
    chosen: list[Gpu] = []
    for name in names:
        if re.fullmatch(r"[0-9]{1,4}", name, re.ASCII):
            found = [gpu for gpu in gpus if gpu.place == int(name)]
        elif name.startswith(("GPU-", "MIG-")):
            if any(gpu.uuid is None for gpu in gpus):
                return Visible(
                    gpus, (unknown("NO_DEVICE", f"which GPU {name} is is not known", FACT, "state the uuids"),)
                )
            found = [gpu for gpu in gpus if (gpu.uuid or "").startswith(name)]
        else:
            found = []
        if len(found) != 1:
            break  # as CUDA does: what stands before the first invalid one is visible
        chosen.extend(found)
    if not chosen:
        return Visible(gpus, (_hidden(value),))
    if len({gpu.place for gpu in chosen}) < len(chosen):
        text = f"CUDA_VISIBLE_DEVICES={value} names a GPU twice"
        return Visible(gpus, (unknown("NO_DEVICE", text, _ENVIRONMENT, "name every GPU once"),))
    by_place = any(not name.startswith(("GPU-", "MIG-")) for name in names[: len(chosen)])
    if by_place and names != ["0"] and any(gpu.mig for gpu in gpus):
        text = f"CUDA_VISIBLE_DEVICES={value} counts GPUs, and which slices that leaves is not documented"
        return Visible(gpus, (unknown("NO_DEVICE", text, _ENVIRONMENT, "name the slices by their uuids"),))
    if by_place and environment.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID":
        return Visible(gpus, ())
    return Visible(tuple(chosen), ())


def _hidden(value: str) -> Reason:
    return reject(
        "NO_DEVICE",
        f"CUDA_VISIBLE_DEVICES={value!r} leaves no GPU visible",
        _ENVIRONMENT,
        "unset CUDA_VISIBLE_DEVICES, or name a GPU that is there",
    )


def check_device(gpu: Gpu) -> Iterator[Reason]:
    """MIG, compute mode, ECC, row remapping and fabric of one GPU."""
    where = f"gpus[{gpu.place}]"
    yield from _mig(gpu, where)
    yield from _compute_mode(gpu, where)
    yield from _memory_errors(gpu, where)
    if "fabric" not in gpu.stated:
        yield missing("802", f"{where}.fabric")
    elif gpu.fabric not in {None, "completed"}:
        yield reject(
            "802",
            f"the NVSwitch fabric of {gpu.name} is {gpu.fabric}",
            "NVML nvmlDeviceGetGpuFabricInfo; CUDA runtime API, cudaErrorSystemNotReady",
            "start nvidia-fabricmanager of the driver's version and wait for `completed`",
        )


def is_slice(gpu: Gpu) -> bool:
    """Whether the entry is a MIG slice, whose memory is its own."""
    said = gpu.mig if isinstance(gpu.mig, str) else gpu.name if gpu.mig else ""
    return bool(_SLICE.search(said))


def _mig(gpu: Gpu, where: str) -> Iterator[Reason]:
    if gpu.mig is None:
        row = None if gpu.capability is None else facts.capabilities().get(gpu.capability)
        if "mig" in gpu.stated and row is not None and not row.get("mig"):
            return
        yield missing("NO_DEVICE", f"{where}.mig")
    elif gpu.mig is False or gpu.mig == "disabled" or is_slice(gpu):
        return
    elif gpu.mig is True or gpu.mig == "enabled":
        yield reject(
            "NO_DEVICE",
            f"MIG is on and {gpu.name} is no slice: CUDA sees no device",
            "NVIDIA MIG user guide: with MIG enabled only compute instances are CUDA devices",
            "create an instance (nvidia-smi mig -cgi … -C), or write the slice's profile: mig: 1g.10gb",
        )
    else:
        yield unknown("NO_DEVICE", f"{where}.mig is {gpu.mig!r}, no profile of a slice", FACT, "write it as 1g.10gb")


def _compute_mode(gpu: Gpu, where: str) -> Iterator[Reason]:
    source = "NVML nvmlComputeMode_t; CUDA runtime API, cudaErrorDevicesUnavailable"
    fix = "nvidia-smi -c DEFAULT"
    if gpu.compute_mode is None or gpu.compute_mode not in COMPUTE_MODES:
        yield missing("NO_DEVICE", f"{where}.compute_mode")
    elif gpu.compute_mode == "prohibited":
        yield reject("NO_DEVICE", f"the compute mode of {gpu.name} is prohibited (error 46)", source, fix)
    elif gpu.compute_mode.startswith("exclusive"):
        if gpu.processes is None:
            yield missing("NO_DEVICE", f"{where}.processes")
        elif gpu.processes:
            message = f"{gpu.name} is {gpu.compute_mode} and held by {gpu.processes} process(es) (error 46)"
            yield reject("NO_DEVICE", message, source, fix)


def _memory_errors(gpu: Gpu, where: str) -> Iterator[Reason]:
    source = "NVML nvmlDeviceGetMemoryErrorCounter, nvmlDeviceGetRemappedRows; cudaErrorECCUncorrectable"
    fix = "drain the machine and reset the GPU; replace it when a remap failed"
    uncounted = gpu.ecc_mode in {"disabled", "unsupported"}
    if gpu.ecc_uncorrected:
        yield reject("214", f"{gpu.name} has {gpu.ecc_uncorrected} uncorrected ECC error(s)", source, fix)
    elif gpu.ecc_uncorrected is None and not (uncounted and "ecc_uncorrected" in gpu.stated):
        yield missing("214", f"{where}.ecc_uncorrected")
    if gpu.remap_failed:
        yield reject("214", f"a row remap of {gpu.name} failed or waits for a reset", source, fix)
    elif gpu.remap_failed is None and not (uncounted and "remap_failed" in gpu.stated):
        yield missing("214", f"{where}.remap_failed")
