"""The driver: is it new enough (35), are its halves one version (803), is cuda-compat used where it works (804)?

What a program meets is the user-mode driver, libcuda.so.1: that of the kernel driver, or that of cuda-compat when it is
in use. Its CUDA version decides which PTX compiles; the kernel driver decides the rest.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from gitops_model.gpu import facts
from gitops_model.gpu.contract import Compat, Gpu, Requirements, Target
from gitops_model.gpu.reasons import FACT, Reason, missing, reject, unknown
from gitops_model.gpu.versions import ANY, Range, Version, show

_MISMATCH = "803"
JETSON_BRANCHES = 580
"""From JetPack 7 on the driver of a Jetson is that of other Arm machines, and its number a branch again (580.00)."""

_COMPAT_DIRECTORY = re.compile(r"(?:^|[:/])compat(?:/|:|$)")


class UserMode(NamedTuple):
    """The user-mode driver that a program on the target gets.

    `compat` is the package when it is in use; `certain` False when it is not known whether one is.
    """

    cuda: Range
    compat: Compat | None
    certain: bool


def user_mode(target: Target) -> UserMode:
    """Which libcuda.so.1 is in use, and its CUDA version as far as the facts say."""
    host = _host(target)
    package = target.compat
    used = _compat_used(target, host)
    if used is None:
        return UserMode(Range(None, None), None, False)
    if used and package is not None:
        return UserMode(_compat_cuda(package), package, True)
    stated = target.cuda_driver
    if stated is None:
        return UserMode(host, None, True)
    if host.allows(stated):
        return UserMode(Range(stated, stated), None, True)
    low = min(version for version in (host.low, stated) if version is not None)
    high = None if host.high is None else max(host.high, stated)
    return UserMode(Range(low, high), None, True)


def _host(target: Target) -> Range:
    """The CUDA of the kernel driver's own user-mode driver."""
    if target.driver is None:
        return ANY
    own = is_jetson(target) and target.driver[0] < JETSON_BRANCHES
    return facts.cuda_of_jetson(target.driver) if own else facts.cuda_of_driver(target.driver)


def is_jetson(target: Target) -> bool:
    """Whether the driver is that of a JetPack: its number is no branch, and CUDA comes with it."""
    known = [facts.capabilities().get(gpu.capability) for gpu in target.gpus or () if gpu.capability]
    return any(row is not None and row["tegra"] for row in known)


def _compat_used(target: Target, host: Range) -> bool | None:
    """Whether cuda-compat is what the loader finds; None where nothing says."""
    package = target.compat
    if package is None:
        # A user-mode driver that is the kernel driver's own shows that nothing stands before it.
        own = host.known is not None and host.known == target.cuda_driver
        return False if "compat" in target.stated or own or _found(target) == target.driver is not None else None
    if package.in_use is not None:
        return package.in_use
    if _COMPAT_DIRECTORY.search(target.variable("LD_LIBRARY_PATH")):
        return True
    if package.version is not None and _found(target) == package.version != target.driver:
        return True
    cuda = _compat_cuda(package).known
    at_least = None if cuda is None else host.at_least(cuda)
    return None if at_least is None else not at_least


def _compat_cuda(package: Compat) -> Range:
    if package.cuda is not None:
        return Range(package.cuda, package.cuda)
    return ANY if package.version is None else facts.cuda_of_driver(package.version)


def _found(target: Target) -> Version | None:
    """The version of the libcuda.so.1 that the loader finds first."""
    library = target.library("libcuda.so.1")
    return None if library is None else library.version


# --- predicates of the machine -------------------------------------------------------------------------------------
def check_driver(need: Requirements, target: Target, mode: UserMode) -> Iterator[Reason]:
    """35: no libcuda, or a driver below the floor of the CUDA that the release was built with."""
    if target.libcuda_present is False:
        yield reject(
            "35",
            "libcuda.so.1 is not there: the container was started without a GPU, or no driver is installed",
            "cudaErrorInsufficientDriver in the CUDA runtime API; immich-app/immich#349",
            "start the container with the GPU (--gpus all, or a device request), or install the driver",
        )
    elif target.libcuda_present is None:
        yield missing("35", "libcuda_present")
    runtime = needed_runtime(need)
    if isinstance(runtime, Reason):
        yield runtime
    elif runtime is not None:
        yield from _floor(runtime, target, mode)
        newest = max((binary.toolkit for binary in need.binaries or () if binary.toolkit), default=runtime)
        if newest[0] > runtime[0] and any(_floor(newest, target, mode)):
            yield unknown(
                "35",
                f"the release is said to use CUDA {show(runtime)}, but holds code of CUDA {show(newest)}, which may "
                "need a newer driver",
                FACT,
                "state the newest CUDA of the release",
            )


def needed_runtime(need: Requirements) -> Version | Reason | None:
    """The CUDA version whose floor holds: stated, or that of the sonames, or that of the ONNX Runtime wheel.

    None where the release says nothing that runs on a GPU.
    """
    if need.cuda_runtime is not None:
        return need.cuda_runtime
    if "cuda_runtime" in need.stated:
        return missing("35", "cuda_runtime")
    for soname in need.sonames or ():
        found = re.fullmatch(r"libcudart\.so\.([0-9]{1,4})(?:\.([0-9]{1,4}))?", soname, re.ASCII)
        if found:
            # libcudart.so.11.0 serves all of 11.x: the floor that holds from 11.1 on
            return int(found[1]), max(int(found[2] or 0), 1)
    if need.binaries or need.engines:
        return missing("35", "cuda_runtime")
    if need.onnxruntime is not None:
        release = facts.onnxruntime_releases().get(need.onnxruntime[:2])
        if release is None or release["cuda"] is None:
            return unknown(
                "35",
                f"which CUDA ONNX Runtime {show(need.onnxruntime)} was built with is not known",
                "table of ONNX Runtime releases",
                "state cuda_runtime",
            )
        return facts.parse(release["cuda"])
    return None


def _floor(runtime: Version, target: Target, mode: UserMode) -> Iterator[Reason]:
    floor = facts.driver_floor(runtime)
    wanted = f"CUDA {show(runtime)}"
    if floor is None:
        oldest = facts.driver_floor(facts.oldest_toolkit())
        old = runtime < facts.oldest_toolkit()
        if not (old and oldest and target.driver is not None and target.driver >= oldest.driver):
            what = "older" if old else "newer"
            yield unknown(
                "35",
                f"the oldest driver for {wanted} is not known: it is {what} than every toolkit in the table",
                "table of toolkits",
                "update gitops-model, or check the release notes of that CUDA",
            )
        return
    version, whose = target.driver, "the driver"
    if mode.compat is not None:
        version, whose = mode.compat.version, "cuda-compat"
    if version is None and mode.cuda.high is not None and mode.cuda.high < runtime[:1]:
        low = True
    elif (mode.compat is not None or is_jetson(target)) and mode.cuda.at_least(runtime[:1]) is not None:
        # the number of a JetPack driver is no branch, and a compat package of a major is never below its floor
        low = not mode.cuda.at_least(runtime[:1])
    elif is_jetson(target):
        yield missing("35", "cuda_driver")
        return
    elif version is None:
        yield missing("35", "driver" if mode.compat is None else "compat.version")
        return
    else:
        low = version < floor.driver
    if low and mode.certain:
        have = f"CUDA {mode.cuda}" if version is None else show(version)
        yield reject(
            "35",
            f"{whose} is {have}, but {wanted} needs {show(floor.driver)} or newer",
            floor.source,
            f"update the driver to {show(floor.driver)} or newer, use cuda-compat on a data-center GPU, "
            "or build with an older CUDA",
        )
    elif low:
        yield unknown(
            "35",
            f"the driver is {show(version or ())}, {wanted} needs {show(floor.driver)}, and compat is not known",
            floor.source,
            "state compat, or null for none",
        )
    elif not floor.exact:
        yield unknown(
            "35",
            f"{wanted} is newer than every toolkit in the table; its floor may be above {show(floor.driver)}",
            floor.source,
            "update gitops-model, or check the release notes of that CUDA",
        )


def check_halves(target: Target, mode: UserMode) -> Iterator[Reason]:
    """803: NVML says so, libcuda.so.1 is another version than the kernel driver, or an old cuda-compat is first."""
    source = "CUDA runtime API, cudaErrorSystemDriverMismatch; NVML_ERROR_LIB_RM_VERSION_MISMATCH"
    fix = "reboot or reload the kernel module after a driver update; remove libcuda.so.1 from the image"
    if target.nvml_status == 18:
        yield reject(_MISMATCH, "NVML reports a driver/library version mismatch (18)", source, fix)
    found, package = _found(target), target.compat
    foreign = found is not None and (package is None or found != package.version)
    if foreign and found and target.driver is not None and found != target.driver:
        message = f"libcuda.so.1 is {show(found)}, the kernel driver {show(target.driver)}"
        yield reject(_MISMATCH, message, source, fix)
    if target.driver is None:
        yield missing("35", "driver")
        return
    host = _host(target)
    if mode.compat is not None:
        yield from _compat_facts(target, mode.compat, host)
    elif mode.certain and target.cuda_driver is not None and not host.allows(target.cuda_driver):
        yield unknown(
            _MISMATCH,
            f"driver {show(target.driver)} comes with CUDA {host}, but the user-mode driver is said to be "
            f"{show(target.cuda_driver)}, and no cuda-compat is in use",
            facts.branches_source(target.driver),
            "probe the machine; a libcuda.so.1 of another driver is not usable",
        )


def _compat_facts(target: Target, package: Compat, host: Range) -> Iterator[Reason]:
    cuda = _compat_cuda(package)
    if cuda.high is not None and host.low is not None and cuda.high < host.low:
        yield reject(
            _MISMATCH,
            f"cuda-compat (CUDA {cuda}) is first on the loader path and older than the driver's CUDA {host}",
            facts.compat_rule("older"),
            "remove the compat directory from LD_LIBRARY_PATH and ld.so.conf: the driver alone is newer",
        )
    if package.version is not None and package.cuda is not None:
        told = facts.cuda_of_driver(package.version)
        if not told.allows(package.cuda):
            yield unknown(
                "UNKNOWN",
                f"cuda-compat {show(package.version)} has CUDA {told}, not {show(package.cuda)}",
                facts.branches_source(package.version),
                "read the package again: gitops-model gpu probe",
            )
    stated = target.cuda_driver
    if stated is not None and not cuda.allows(stated) and not host.allows(stated):
        yield unknown(
            _MISMATCH,
            f"the user-mode driver is said to be CUDA {show(stated)}, which is neither cuda-compat's nor the driver's",
            FACT,
            "probe the machine",
        )


def check_compat(target: Target, gpu: Gpu, mode: UserMode) -> Iterator[Reason]:
    """804: a newer cuda-compat in use on a brand or a driver branch that its note does not list."""
    if not mode.certain:
        package = target.compat
        if package is None:
            yield missing("804", "compat")
        elif _never(gpu):
            yield unknown("804", "whether cuda-compat is in use is not known", FACT, "state driver and compat.cuda")
        else:
            yield missing("804", "driver" if target.driver is None else "compat.cuda")
        return
    package = mode.compat
    if package is None:
        if target.compat is None and _COMPAT_DIRECTORY.search(target.variable("LD_LIBRARY_PATH")):
            text = "LD_LIBRARY_PATH names a compat folder, but no cuda-compat is said to be there"
            yield unknown("804", text, FACT, "state compat, or take the folder off LD_LIBRARY_PATH")
        return
    fix = "remove cuda-compat from the loader path and update the driver, or use a GPU that it supports"
    row = None if gpu.brand is None else facts.brand(gpu.brand)
    if gpu.brand is None:
        yield missing("804", f"gpus[{gpu.place}].brand")
    elif _never(gpu):
        name = row["name"] if row else gpu.brand
        yield reject("804", f"cuda-compat does not work on brand {name}", facts.compat_rule("brands"), fix)
    elif not package.devices:
        yield missing("804", "compat.devices")
    elif gpu.brand not in package.devices:
        message = f"the note of cuda-compat does not list brand {row['name'] if row else gpu.brand}"
        if row is None or gpu.brand == 0:
            yield unknown("804", message, facts.compat_rule("branches"), fix)
        else:
            yield reject("804", message, facts.compat_rule("branches"), fix)
    if not package.driver_branches:
        yield missing("804", "compat.driver_branches")
    elif target.driver is not None and target.driver[0] not in package.driver_branches:
        branches = ", ".join(map(str, package.driver_branches))
        yield reject(
            "804",
            f"cuda-compat works on driver branches {branches}, not on {target.driver[0]}",
            facts.compat_rule("branches"),
            fix,
        )


def _never(gpu: Gpu) -> bool:
    row = None if gpu.brand is None else facts.brand(gpu.brand)
    return row is not None and row["never"]


def check_generation(target: Target, gpu: Gpu, mode: UserMode) -> Iterator[Reason]:
    """NO_DEVICE: a driver that no longer supports the GPU, or one older than the GPU."""
    if gpu.capability is None:
        return
    drop = facts.dropped(gpu.capability)
    branches = [target.driver[0]] if target.driver else []
    if mode.compat is not None and mode.compat.version:
        branches.append(mode.compat.version[0])
    if drop is not None and branches and max(branches) > drop.last_branch:
        yield reject(
            "NO_DEVICE",
            f"driver branch {max(branches)} does not support {drop.generation}; the last one is {drop.last_branch}",
            drop.source,
            f"stay on driver branch {drop.last_branch} and CUDA 12, or use a newer GPU",
        )
    row = facts.capabilities().get(gpu.capability)
    first = row.get("first_toolkit") if row else None
    if first is not None and mode.cuda.high is not None and mode.cuda.high < facts.parse(first):
        yield unknown(
            "NO_DEVICE",
            f"a user-mode driver of CUDA {mode.cuda} is older than the first CUDA for {gpu.name} ({first}): "
            "such a machine is not known to exist",
            "SASS targets of the toolkits",
            "check driver and compute_capability",
        )
