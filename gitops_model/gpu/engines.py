"""TensorRT engines: a plan belongs to the GPU and the TensorRT it was built with (ENGINE_MISMATCH)."""

import re
from collections.abc import Iterator

from gitops_model.gpu import facts
from gitops_model.gpu.contract import Engine, Gpu, Requirements, Target
from gitops_model.gpu.reasons import Reason, missing, reject, unknown
from gitops_model.gpu.versions import Version, show

_ERROR = "ENGINE_MISMATCH"
_SOURCE = "TensorRT developer guide: engines are specific to the GPU and the TensorRT version they were built with"
_COMPATIBLE = "TensorRT developer guide, hardware compatibility (HardwareCompatibilityLevel) and version compatibility"
_RUNTIME = re.compile(r"libnvinfer(?:_lean)?\.so\.[0-9]{1,4}", re.ASCII)


def check_engines(need: Requirements, target: Target, gpu: Gpu) -> Iterator[Reason]:
    """Every engine of the release on one GPU."""
    if "engines" in need.stated and need.engines is None:
        yield missing(_ERROR, "engines of the release")
    for engine in need.engines or ():
        yield from _hardware(engine, gpu)
        yield from _version(engine, _runtime(need, target), gpu)


def _hardware(engine: Engine, gpu: Gpu) -> Iterator[Reason]:
    built, here = engine.capability, gpu.capability
    fix = "build the engine on the target, or with hardware compatibility"
    if built is None:
        yield missing(_ERROR, f"compute_capability of {engine.path}")
    elif here is None:
        yield missing(_ERROR, f"gpus[{gpu.place}].compute_capability")
    elif engine.hardware == "ampere_plus":
        row = facts.capabilities().get(here)
        if min(built, here) < (8, 0) or (row and row["tegra"]):
            message = f"{engine.path} is built for GPUs from 8.0 on (not Jetson), {gpu.name} is {show(here)}"
            yield reject(_ERROR, message, _COMPATIBLE, fix)
        elif row is None or built < (10, 0) <= here:
            message = f"whether the TensorRT of {engine.path} knows {gpu.name} ({show(here)}) is not known"
            yield unknown(_ERROR, message, _COMPATIBLE, fix)
    elif built != here:
        message = f"{engine.path} is built for compute capability {show(built)}, {gpu.name} is {show(here)}"
        if engine.hardware is None:
            yield unknown(_ERROR, message + "; whether it is hardware-compatible is not known", _SOURCE, fix)
        else:
            yield reject(_ERROR, message, _SOURCE, fix)


def _runtime(need: Requirements, target: Target) -> Version | None:
    """The TensorRT that will load the engine: the release's own, else what the loader finds."""
    if need.tensorrt is not None:
        return need.tensorrt
    for library in target.libraries or ():
        if _RUNTIME.fullmatch(library.soname):
            return library.version
    return None


def _version(engine: Engine, runtime: Version | None, gpu: Gpu) -> Iterator[Reason]:
    built = engine.tensorrt
    fix = "build the engine with the TensorRT that loads it, or version-compatible"
    if built is None:
        yield missing(_ERROR, f"tensorrt of {engine.path}")
        return
    floor = facts.floor_since("tensorrt_floors", built)
    if floor is not None and floor.capability and gpu.capability and gpu.capability < floor.capability:
        yield reject(
            _ERROR,
            f"TensorRT {show(built)} starts at compute capability {show(floor.capability)}",
            floor.source,
            "use an older TensorRT or a newer GPU",
        )
    if runtime is None:
        yield missing(_ERROR, "the version of TensorRT (tensorrt of the release, or libnvinfer.so in libraries)")
        return
    message = f"{engine.path} is built with TensorRT {show(built)}, {show(runtime)} would load it"
    if engine.version_compatible:
        if built[0] != runtime[0] or built > runtime:
            yield reject(_ERROR, message, _COMPATIBLE, fix)
        return
    shared = min(len(built), len(runtime))
    if built[:shared] != runtime[:shared]:
        yield reject(_ERROR, message, _SOURCE, fix)
    elif built != runtime and shared < 3:
        yield unknown(_ERROR, message + "; the patch decides", _SOURCE, "state all numbers of both versions")
