"""Shared libraries of the machine: are they there (MISSING_LIBRARY), do they define what is needed (UNDEFINED_SYMBOL),
do they have code for the GPU (ARCH_MISMATCH)?
"""

import re
from collections.abc import Iterator

from gitops_model.gpu import facts
from gitops_model.gpu.contract import Gpu, Library, Requirements, Target
from gitops_model.gpu.driver import UserMode
from gitops_model.gpu.facts import Capability
from gitops_model.gpu.kernels import sass_runs
from gitops_model.gpu.reasons import FACT, Reason, missing, reject, unknown
from gitops_model.gpu.versions import Version, show

DRIVER = "libcuda.so.1"
_LOADER = "ld.so(8): the loader looks for the exact soname"
_VERSIONS = "ld.so(8), symbol versions; pytorch/pytorch#134929"
_CUDNN = re.compile(r"libcudnn[a-z_]*\.so\.([0-9]{1,4})", re.ASCII)
_CUBLAS = re.compile(r"libcublas(?:Lt)?\.so\.([0-9]{1,4})", re.ASCII)


def check_libraries(need: Requirements, target: Target, mode: UserMode) -> Iterator[Reason]:
    """Sonames and versioned symbols against what the loader finds."""
    for key in ("sonames", "symbols"):
        if key in need.stated and getattr(need, key) is None:
            error = "MISSING_LIBRARY" if key == "sonames" else "UNDEFINED_SYMBOL"
            yield missing(error, f"{key} of the release")
    for conflict in need.conflicts:
        yield reject(
            "UNDEFINED_SYMBOL",
            f"{conflict.user} expects {conflict.symbol}, which {conflict.library} of the release does not define",
            _VERSIONS,
            f"release versions of the two that fit, or put the {conflict.library} that has it first",
        )
    wanted = dict.fromkeys(need.sonames or ())
    wanted.update(dict.fromkeys(soname for _, soname in need.symbols or ()))
    unlisted = False
    for soname in wanted:
        if soname in facts.system_sonames() or target.library(soname) is not None:
            continue
        if soname == DRIVER:
            continue  # libcuda_present decides
        if target.libraries is None:
            unlisted = True
            continue
        yield reject(
            "MISSING_LIBRARY",
            f"{soname} is not on the loader path{_others(soname, target)}",
            _LOADER,
            f"install {soname} on the machine, or ship it with the release",
        )
    if unlisted:
        yield missing("MISSING_LIBRARY", "libraries")
    for name, soname in need.symbols or ():
        library = target.library(soname)
        if soname == DRIVER and (library is None or library.symbols is None):
            yield from _driver_symbol(name, mode)
        else:
            yield from _symbol(name, soname, library)


def _others(soname: str, target: Target) -> str:
    stem = soname.partition(".so")[0] + ".so"
    found = sorted({library.soname for library in target.libraries or () if library.soname.startswith(stem)})
    return f"; there is {', '.join(found)}" if found else ""


def _symbol(name: str, soname: str, library: Library | None) -> Iterator[Reason]:
    if library is None:
        if soname in facts.system_sonames():
            yield missing("UNDEFINED_SYMBOL", f"symbols of {soname}")
    elif library.symbols is None:
        yield missing("UNDEFINED_SYMBOL", f"symbols of {soname}")
    elif not library.symbols & {name, f"{name}@{soname}", f"{name}@@{soname}"}:
        version = f" {show(library.version)}" if library.version else ""
        yield reject(
            "UNDEFINED_SYMBOL",
            f"the {soname}{version} that is found first does not define {name}",
            _VERSIONS,
            f"update {soname}, or put the newer one first on the loader path",
        )


def _driver_symbol(name: str, mode: UserMode) -> Iterator[Reason]:
    """A function of the driver by the CUDA version of the user-mode driver, where its symbols are not listed."""
    function = facts.driver_function(name)
    if function is None:
        yield missing("UNDEFINED_SYMBOL", f"symbols of {DRIVER} ({name})")
    elif mode.cuda.at_least(function.last):
        return
    elif mode.cuda.at_least(function.first) is False:
        yield reject(
            "UNDEFINED_SYMBOL",
            f"{DRIVER} has {name} from CUDA {show(function.first)} on, this driver has {mode.cuda}",
            function.source,
            "update the driver",
        )
    else:
        yield missing("UNDEFINED_SYMBOL", f"symbols of {DRIVER} ({name})")


# --- code for the GPU ----------------------------------------------------------------------------------------------
def check_architectures(need: Requirements, target: Target, gpu: Gpu) -> Iterator[Reason]:
    """Every CUDA library that the release uses, of the machine or its own, against one GPU."""
    capability = gpu.capability
    if "cudnn" in need.stated and need.cudnn is None:
        yield missing("ARCH_MISMATCH", "cudnn of the release")
    if capability is None:
        return  # said once, by the kernels
    if need.cudnn is not None:
        yield from _verdict(f"cuDNN {show(need.cudnn)}", gpu, cudnn_runs(need.cudnn, capability))
    seen: set[str] = set()
    for library in target.libraries or ():
        if library.soname in seen or not _used(library.soname, need):
            continue
        seen.add(library.soname)
        if library.architectures is not None:
            yield from _verdict(_title(library), gpu, _scanned(library.architectures, capability))
        else:
            yield from _verdict(_title(library), gpu, _by_table(library, capability))


def _title(library: Library) -> str:
    return library.soname + (f" {show(library.version)}" if library.version else "")


def _used(soname: str, need: Requirements) -> bool:
    """Whether the release loads it: named, or a part of cuDNN or cuBLAS that a named one opens."""
    names = need.sonames
    if names is None:
        build = facts.onnxruntime_builds().get(need.onnxruntime or ())
        names = (*build["needed"], *build["opened_later"]) if build else ()
    if soname in names:
        return True
    family = "libcudnn" if soname.startswith("libcudnn") else "libcublas" if soname.startswith("libcublas") else None
    return family is not None and any(name.startswith(family) for name in names)


def _scanned(architectures: tuple[str, ...], gpu: Capability) -> tuple[bool | None, str, str]:
    found = [sass_runs(arch, gpu) for arch in architectures]
    fits = True if not found or True in found else None if None in found else False
    return fits, f"has code for {', '.join(architectures)}", facts.rule("sass")["source"]


def _by_table(library: Library, gpu: Capability) -> tuple[bool | None, str, str]:
    match = _CUDNN.fullmatch(library.soname)
    if match:
        return cudnn_runs(library.version or (int(match[1]),), gpu)
    match = _CUBLAS.fullmatch(library.soname)
    if match:
        return _cublas_runs(library.version or (int(match[1]),), gpu)
    return True, "", FACT  # a library without kernels of its own, or without a status for them


def cudnn_runs(version: Version, gpu: Capability) -> tuple[bool | None, str, str]:
    """Whether a cuDNN has code for a GPU; a version of one number stands for every release of that major.

    Known between two releases of the table that both have it, never beyond the last one.
    """
    floor = facts.floor_since("cudnn_floors", version)
    if floor is not None and len(version) > 1 and floor.capability is not None and gpu < floor.capability:
        return False, f"starts at compute capability {show(floor.capability)}", floor.source
    rows = [(facts.parse(row["version"]), row) for row in facts.rows("libraries", "cudnn")]
    if len(version) == 1:
        near = [row for known, row in rows if known[0] == version[0]]
    else:
        below = [row for known, row in rows if known <= version]
        above = [row for known, row in rows if known >= version]
        near = [below[-1], above[0]] if below and above else []
    fits = bool(near) and all(any(sass_runs(arch, gpu) for arch in row["sass"]) for row in near)
    source = near[-1]["source"] if near else "table of cuDNN releases"
    return (True if fits else None), "is not in the table with this GPU", source


def _cublas_runs(version: Version, gpu: Capability) -> tuple[bool | None, str, str]:
    """cuBLAS comes with a toolkit and has code for what that toolkit compiles for."""
    rows = [
        row
        for row in facts.rows("toolkits", "toolkits")
        if facts.parse(row["toolkit"])[:1] == version[:1]
        and (len(version) == 1 or facts.parse(row["toolkit"]) == facts.parse(".".join(map(str, version[:2]))))
    ]
    fits = bool(rows) and all(any(sass_runs(arch, gpu) for arch in row["sass"]) for row in rows)
    source = rows[-1]["source"] if rows else "table of toolkits"
    return (True if fits else None), "is not in the table with this GPU", source


def _verdict(title: str, gpu: Gpu, found: tuple[bool | None, str, str]) -> Iterator[Reason]:
    fits, text, source = found
    if fits:
        return
    message = f"{title} {text}, {gpu.name} is {show(gpu.capability or ())}"
    fix = "use a version of the library that has the GPU"
    if fits is False:
        yield reject("ARCH_MISMATCH", message, source, fix)
    else:
        yield unknown("ARCH_MISMATCH", message, source, "scan the library (gitops-model gpu probe), or " + fix)
