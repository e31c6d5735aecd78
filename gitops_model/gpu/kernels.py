"""Device code against a GPU: which container of a fatbin runs, which is compiled first, which cannot (209, 222, 223).

The unit is the container, not the file: the runtime registers each on its own, and one without a match fails when its
kernels load, however well the others fit.
"""

import fnmatch
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from gitops_model.gpu import facts
from gitops_model.gpu.contract import Binary, Container, Gpu, Image, Requirements, Target, number
from gitops_model.gpu.driver import UserMode
from gitops_model.gpu.facts import Capability
from gitops_model.gpu.reasons import Effect, Reason, jit, missing, note, reject, unknown
from gitops_model.gpu.versions import Version, show

_ENVIRONMENT = "CUDA programming guide, CUDA_DISABLE_PTX_JIT (docs.nvidia.com/cuda/archive/13.4.3)"


# --- one image -----------------------------------------------------------------------------------------------------
def sass_runs(arch: str, gpu: Capability) -> bool | None:
    """Whether a cubin for `arch` ("90a") runs on a GPU; None where no rule says."""
    built, suffix = number(arch), arch.lstrip("0123456789")
    if suffix == "a":
        return gpu in facts.families().get(arch, {built})
    if suffix == "f":
        return _in_family(arch, built, gpu)
    if built == gpu:
        return True
    known = facts.capabilities()
    if {built, gpu} == {(10, 1), (11, 0)}:
        return None  # one chip under two names
    if built[0] != gpu[0] or built[1] > gpu[1]:
        return False
    if gpu not in known or built not in known or known[gpu]["tegra"] or known[built]["tegra"]:
        return None
    return True


def ptx_compiles(arch: str, gpu: Capability) -> bool | None:
    """Whether PTX for `arch` compiles for a GPU, the ISA aside; None where no rule says."""
    built, suffix = number(arch), arch.lstrip("0123456789")
    if suffix == "a":
        return gpu in facts.families().get(arch, {built})
    if suffix == "f":
        return _in_family(arch, built, gpu)
    return built <= gpu


def _in_family(arch: str, built: Capability, gpu: Capability) -> bool | None:
    family = facts.families().get(arch)
    if family is not None and gpu in family:
        return True
    if built[0] != gpu[0] and {built, gpu} != {(10, 1), (11, 0)}:
        return False
    return False if family is not None and gpu in facts.capabilities() else None


# --- one container -------------------------------------------------------------------------------------------------
class Fit(Enum):
    RUNS = "runs"
    JIT = "jit"
    UNKNOWN = "unknown"
    NO_IMAGE = "209"
    PTX_TOO_NEW = "222"
    JIT_OFF = "223"
    NO_COMPILER = "221"


class Machine(NamedTuple):
    """What decides whether PTX is compiled. None is "nobody knows"."""

    mode: UserMode
    forced: bool | None
    disabled: bool | None
    compiler: bool | None


def machine(target: Target, mode: UserMode) -> Machine:
    """The JIT switches of a target. The compiler is part of the driver: it counts as absent only where the libraries
    are listed with the driver's own and without it."""
    off = _switch(target, "CUDA_DISABLE_PTX_JIT", "CUDA_DISABLE_JIT")
    on = _switch(target, "CUDA_FORCE_PTX_JIT", "CUDA_FORCE_JIT")
    if target.libraries is None:
        compiler = None
    else:
        compiler = target.library("libnvidia-ptxjitcompiler.so.1") is not None or not target.library("libcuda.so.1")
    return Machine(mode, on, off, compiler)


def _switch(target: Target, *names: str) -> bool | None:
    if target.environment is None:
        return None
    values = {target.variable(name) for name in names}
    return True if "1" in values else False if values <= {"", "0"} else None


def fit(container: Container, gpu: Capability, host: Machine) -> Fit:
    """What becomes of one container on one GPU."""
    if all(image.kind == "ltoir" for image in container.images):
        return Fit.UNKNOWN  # empty, or input of a link that the program itself does
    ready = None
    if host.forced is not True:
        sass = [sass_runs(image.arch, gpu) for image in container.images if image.kind == "sass"]
        ready = True if True in sass else None if None in sass else False
        if ready and host.forced is False:
            return Fit.RUNS
    ptx = [image for image in container.images if image.kind == "ptx"]
    compiled = _compiled(ptx, gpu, host)
    if ready is False or host.forced is True:
        return compiled
    # A cubin that may run, or one that runs unless compilation is forced: certain only where both ways end alike.
    return Fit.UNKNOWN


def _compiled(images: list[Image], gpu: Capability, host: Machine) -> Fit:
    targets = [(image, ptx_compiles(image.arch, gpu)) for image in images]
    usable = [image for image, compiles in targets if compiles]
    unsure = any(compiles is None for _, compiles in targets)
    if not usable:
        return Fit.UNKNOWN if unsure else Fit.NO_IMAGE
    if host.disabled:
        return Fit.JIT_OFF
    if host.compiler is False:
        return Fit.NO_COMPILER
    limit = facts.ptx_limit(host.mode.cuda)
    fits = [_isa_fits(image, limit.low, limit.high) for image in usable]
    if True in fits:
        return Fit.JIT if host.disabled is False and host.compiler else Fit.UNKNOWN
    return Fit.UNKNOWN if None in fits or unsure else Fit.PTX_TOO_NEW


def _isa_fits(image: Image, low: Version | None, high: Version | None) -> bool | None:
    lowest = facts.lowest_isa(image.arch)
    if image.isa is None or (lowest is not None and image.isa < lowest):
        return None  # not said, or older than its own target: such PTX does not exist
    if low is not None and image.isa <= low:
        return True
    return False if high is not None and image.isa > high else None


# --- files ---------------------------------------------------------------------------------------------------------
def check_kernels(need: Requirements, target: Target, gpu: Gpu, mode: UserMode) -> Iterator[Reason]:
    """209, 222, 223 and 221 for every file with device code."""
    capability = gpu.capability
    if capability is None:
        yield missing("209", f"gpus[{gpu.place}].compute_capability")
        return
    if "binaries" in need.stated and need.binaries is None:
        yield missing("209", "binaries")
    elif not need.binaries and need.onnxruntime is None and not need.engines:
        yield unknown(
            "UNKNOWN",
            "nothing says what code the release runs on the GPU",
            "a verdict is never given for lack of facts",
            "scan the release (gitops-model gpu scan), or state binaries, onnxruntime or engines",
        )
    host = machine(target, mode)
    for binary in need.binaries or ():
        yield from _check_file(_Case(binary, gpu, capability, host))
    if need.onnxruntime is not None:
        yield from _check_wheel(need, need.onnxruntime, target, _Case(_NOTHING, gpu, capability, host))


def _check_wheel(need: Requirements, version: Version, target: Target, case: "_Case") -> Iterator[Reason]:
    """The device code of ONNX Runtime where no file of the release is its library: that of the PyPI wheel, as opened,
    or what the opened ones before and after have in common.

    With files of its own the release may hold another build: then the wheel only raises a doubt, and none where it is
    of another CUDA than the release.
    """
    files = need.binaries or ()
    if any(os.path.basename(file.path).startswith("libonnxruntime_providers_cuda") for file in files):
        return
    wheels = [] if target.architecture == "arm64" else _wheels(version)
    found = [list(_check_file(case._replace(binary=wheel))) for wheel in wheels]
    effects = {max((reason.effect for reason in reasons), default=Effect.NOTE) for reasons in found}
    if not files and len(effects) == 1 and (len(found) == 1 or Effect.JIT not in effects):
        yield from found[-1]
    elif not files:
        yield unknown(
            "209",
            f"which GPU code ONNX Runtime {show(version)} holds is not known"
            + (" on arm64" if target.architecture == "arm64" else ""),
            "table of opened ONNX Runtime wheels (x86_64)",
            "scan the installed wheel: gitops-model gpu scan",
        )
    elif Effect.REJECT in effects and not _other_cuda(need, version):
        yield unknown(
            "209",
            f"the PyPI wheel of ONNX Runtime {show(version)} has no code for {case.device}, and its library is none of "
            "the release's files",
            "table of opened ONNX Runtime wheels (x86_64)",
            "scan the installed wheel too: gitops-model gpu scan",
        )


def _other_cuda(need: Requirements, version: Version) -> bool:
    """Whether the release uses another CUDA major than the wheel was built with."""
    row = facts.onnxruntime_releases().get(version[:2])
    if row is None or row["cuda"] is None or need.cuda_runtime is None:
        return False
    return facts.parse(row["cuda"])[0] != need.cuda_runtime[0]


def _wheels(version: Version) -> list[Binary]:
    builds = facts.onnxruntime_builds()
    if version in builds:
        return [_wheel(builds[version])]
    below = [release for release in sorted(builds) if release < version]
    above = [release for release in sorted(builds) if release > version]
    return [_wheel(builds[below[-1]]), _wheel(builds[above[0]])] if below and above else []


def _wheel(row: facts.Row) -> Binary:
    images = [Image("sass", arch, number(arch), arch.lstrip("0123456789"), None) for arch in row["sass"]]
    for image in row["ptx"]:
        arch = image["arch"]
        images.append(Image("ptx", arch, number(arch), arch.lstrip("0123456789"), facts.parse(image["ptx_isa"])))
    return Binary(f"onnxruntime-gpu {row['version']} (PyPI)", (Container(tuple(images), 1),), 0, "any", ())


def dispatches(binary: Binary) -> bool:
    """Whether a file picks among its containers by GPU, so that gaps are normal."""
    if binary.coverage is not None:
        return binary.coverage == "any"
    name = os.path.basename(binary.path)
    return any(fnmatch.fnmatchcase(name, row["pattern"]) for row in facts.rows("libraries", "dispatching"))


_NOTHING = Binary("", None, 0, None, ())


class _Case(NamedTuple):
    """One file on one GPU."""

    binary: Binary
    gpu: Gpu
    capability: Capability
    host: Machine

    def where(self, number: int, total: int) -> str:
        return f"{self.binary.path}: {number} of {total} containers" if total > 1 else f"{self.binary.path}:"

    @property
    def device(self) -> str:
        return f"{self.gpu.name} ({show(self.capability)})"


def _check_file(case: _Case) -> Iterator[Reason]:
    binary = case.binary
    source = facts.rule("sass")["source"]
    scan = "scan the file: gitops-model gpu scan"
    if binary.problems:
        yield unknown("209", f"{binary.path} could not be read: {binary.problems[0]}", source, scan)
    if not binary.containers:
        if binary.containers is None:
            text = "the device code in it is not known"
        elif binary.linked:
            text = "it holds only input of a device link (__nv_relfatbin)"
        else:
            text = "no device code was found in it, and some may be where the scanner does not look"
        yield unknown("209", f"{binary.path}: {text}", facts.rule("relfatbin")["source"], scan)
        return
    numbers: Counter[Fit] = Counter()
    for container in binary.containers:
        numbers[fit(container, case.capability, case.host)] += container.number
    total = numbers.total()
    runs, slow, unsure = numbers[Fit.RUNS], numbers[Fit.JIT], numbers[Fit.UNKNOWN]
    bad = [found for found in numbers if found not in {Fit.RUNS, Fit.JIT, Fit.UNKNOWN}]
    picks = dispatches(binary)
    if not picks or not (runs or slow or unsure):
        for found in bad:
            yield _rejected(case, found, numbers[found], total)
    # a library that picks: what may run does not forbid, but only what surely runs allows
    if unsure and not (picks and runs):
        yield _unsure(case, unsure, total)
    if slow:
        yield _slow(case, slow, total)
    if picks and runs + slow < total and runs + slow:
        text = f"have nothing for {case.gpu.name}; the library picks others"
        yield note("209", f"{case.where(total - runs - slow, total)} {text}", source)


def _rejected(case: _Case, found: Fit, number: int, total: int) -> Reason:
    part = case.where(number, total)
    gencode = _gencode(case.capability)
    containers = case.binary.containers
    if found is Fit.NO_IMAGE:
        return reject(
            "209",
            f"{part} no code for {case.device}; there is {_archs(containers)}",
            f"{facts.rule('sass')['source']}; {facts.rule('ptx')['source']}",
            f"build with {gencode}",
        )
    if found is Fit.PTX_TOO_NEW:
        cuda = case.host.mode.cuda
        return reject(
            "222",
            f"{part} the PTX is of ISA {_isas(containers)}, the driver (CUDA {cuda}) compiles {facts.ptx_limit(cuda)}",
            facts.ptx_source(),
            f"build with {gencode}, or with the toolkit of the driver, or update the driver",
        )
    if found is Fit.JIT_OFF:
        return reject(
            "223",
            f"{part} only PTX fits {case.device}, and the environment forbids compiling it",
            _ENVIRONMENT,
            f"build with {gencode}, or unset CUDA_DISABLE_PTX_JIT and CUDA_DISABLE_JIT",
        )
    return reject(
        "221",
        f"{part} only PTX fits {case.device}, and libnvidia-ptxjitcompiler.so.1 is not there",
        "CUDA runtime API, cudaErrorJitCompilerNotFound",
        f"build with {gencode}, or install the driver's libraries (NVIDIA_DRIVER_CAPABILITIES=compute,utility)",
    )


def _unsure(case: _Case, number: int, total: int) -> Reason:
    images = [image for container in case.binary.containers or () for image in container.images]
    ptx = [ptx_compiles(image.arch, case.capability) for image in images if image.kind == "ptx"]
    error, text = "209", "whether a cubin for another capability runs here is not documented"
    if True in ptx and (case.host.disabled is None or case.host.compiler is None):
        error, text = "223", "whether PTX may be compiled here is not known (environment, libraries)"
    elif True in ptx:
        error, text = "222", f"whether the driver (CUDA {case.host.mode.cuda}) compiles the PTX is not known"
    elif None in ptx:
        text = "the family of a target is newer than the table"
    elif all(image.kind == "ltoir" for image in images):
        text = "there is only LTO-IR, which the program itself must link (nvJitLink)"
    return unknown(
        error,
        f"{case.where(number, total)} on {case.device}: {text}",
        f"{facts.rule('sass-tegra')['source']}; {facts.ptx_source()}",
        f"build with {_gencode(case.capability)}, or state the missing facts",
    )


def _slow(case: _Case, number: int, total: int) -> Reason:
    return jit(
        f"{case.where(number, total)} compiled from PTX for {case.device} when they load: seconds to minutes at the "
        "first start, and at each that finds no cache (CUDA_CACHE_PATH)",
        f"{facts.rule('ptx')['source']}; {facts.ptx_source()}",
        f"build with {_gencode(case.capability)}",
    )


def _gencode(capability: Capability) -> str:
    name = f"{capability[0]}{capability[1]}"
    row = facts.capabilities().get(capability)
    first = row.get("first_toolkit") if row else None
    return f"-gencode arch=compute_{name},code=sm_{name}" + (f" (CUDA {first} or newer)" if first else "")


def _archs(containers: Iterable[Container] | None) -> str:
    found = {
        f"{'sm' if image.kind == 'sass' else 'compute'}_{image.arch}": image.capability
        for container in containers or ()
        for image in container.images
        if image.kind in {"sass", "ptx"}
    }
    return ", ".join(sorted(found, key=lambda name: (found[name], name))) or "none"


def _isas(containers: Iterable[Container] | None) -> str:
    found = {image.isa for container in containers or () for image in container.images if image.isa}
    return ", ".join(map(show, sorted(found)))
