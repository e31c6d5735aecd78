"""Memory and element types: do the weights fit (OUT_OF_MEMORY), does the GPU compute with them (DTYPE_UNSUPPORTED)?"""

from collections.abc import Iterator

from gitops_model.gpu import facts
from gitops_model.gpu.contract import Gpu, Requirements
from gitops_model.gpu.reasons import FACT, Reason, missing, reject, unknown
from gitops_model.gpu.versions import show


def check_memory(need: Requirements, gpu: Gpu) -> Iterator[Reason]:
    """What is needed against what is free; `memory_mib` of the requirements holds the CUDA context too."""
    if "memory_mib" not in need.stated:
        return
    if need.memory_mib is None:
        yield missing("OUT_OF_MEMORY", "memory_mib of the release")
        return
    total, free = gpu.memory_mib, gpu.memory_free_mib
    have = min((size for size in (total, free) if size is not None), default=None)
    where = f"gpus[{gpu.place}]"
    if have is not None and need.memory_mib > have:
        held = f", {total - free:.0f} of {total:.0f} MiB are in use" if total and free is not None else ""
        yield reject(
            "OUT_OF_MEMORY",
            f"{need.memory_mib:.0f} MiB are needed, {gpu.name} has {have:.0f} MiB{held}",
            "sum of weights, activations, workspace, context and what is in use",
            "use a larger GPU or MIG slice, a smaller batch, or fewer bits",
        )
        return
    if total is None:
        yield missing("OUT_OF_MEMORY", f"{where}.memory_mib")
    if free is None:
        yield missing("OUT_OF_MEMORY", f"{where}.memory_free_mib")


def check_dtypes(need: Requirements, gpu: Gpu) -> Iterator[Reason]:
    """The floor of every element type of the model."""
    if "dtypes" in need.stated and need.dtypes is None:
        yield missing("DTYPE_UNSUPPORTED", "dtypes of the release")
    for name in dict.fromkeys(need.dtypes or ()):
        limit = facts.dtype_floor(name)
        if limit is None:
            yield unknown(
                "DTYPE_UNSUPPORTED",
                f"whether a GPU computes with {name} is not known",
                "table of element types",
                "use a type of the table, or update gitops-model",
            )
        elif limit.capability is None:
            continue
        elif gpu.capability is None:
            yield missing("DTYPE_UNSUPPORTED", f"gpus[{gpu.place}].compute_capability")
        elif gpu.capability < limit.capability:
            yield reject(
                "DTYPE_UNSUPPORTED",
                f"{name} needs compute capability {show(limit.capability)}, {gpu.name} has {show(gpu.capability)}",
                limit.source,
                "convert the model, or use a newer GPU",
            )
        elif gpu.capability not in facts.capabilities() and limit.capability >= (8, 9):
            yield unknown("DTYPE_UNSUPPORTED", f"{gpu.name} is newer than the table", FACT, "update gitops-model")
