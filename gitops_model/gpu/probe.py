"""This machine as a target: NVML, the CUDA libraries on the loader path, cuda-compat, the compiler, the switches.

Nothing of CUDA is loaded but NVML, and nothing is run. What cannot be found out is left out, so that a verdict on it
is `unknown`; `problems` says why.
"""

import json
import os
import re
from collections.abc import Mapping
from typing import Any, cast

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.gpu import loader_path, nvml
from gitops_model.gpu.documents import checked
from gitops_model.gpu.forward_compat import read_forward_compat

SWITCHES = frozenset(
    (
        "CUDA_CACHE_DISABLE",
        "CUDA_CACHE_MAXSIZE",
        "CUDA_CACHE_PATH",
        "CUDA_DEVICE_ORDER",
        "CUDA_DISABLE_JIT",
        "CUDA_DISABLE_PTX_JIT",
        "CUDA_FORCE_JIT",
        "CUDA_FORCE_PTX_JIT",
        "CUDA_MODULE_LOADING",
        "CUDA_VERSION",
        "CUDA_VISIBLE_DEVICES",
        "LD_LIBRARY_PATH",
        "NVIDIA_DISABLE_REQUIRE",
        "NVIDIA_DRIVER_CAPABILITIES",
        "NVIDIA_REQUIRE_CUDA",
        "NVIDIA_TF32_OVERRIDE",
        "NVIDIA_VISIBLE_DEVICES",
    )
)
"""Variables that are recorded. Others are not, however they begin: NVIDIA_API_KEY is a secret."""

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
COMPAT_FOLDERS = ("/usr/local/cuda/compat", "/usr/local/cuda/compat/lib.real")
KERNEL_DRIVER = "/proc/driver/nvidia/version"
FABRIC_DEVICE = "/dev/nvidia-nvswitchctl"
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){1,4}", re.ASCII)


def probe(environment: Mapping[str, str], *, machine: str = "", root: str = "") -> dict[str, Any]:
    """A document that target.schema.json accepts. `machine` is that of uname, `root` a folder to look in instead of /.

    MissingExtra without the `pynvml` module, CouldNotRun for a wrong one; no trouble of the machine is an error.
    """
    readings = nvml.read(nvml.library())
    machine = machine or os.uname().machine
    libraries = loader_path.find(environment, machine, root)
    target: dict[str, Any] = {"nvml_status": readings.status}
    problems = list(readings.problems)
    if machine in ARCHITECTURES:
        target["architecture"] = ARCHITECTURES[machine]
    driver = readings.driver or _kernel_driver(root)
    if driver is not None and _NUMBER.fullmatch(driver):
        target["driver"] = driver
    elif driver is not None:
        problems.append(f"the driver version {driver[:80]!r} is not a number")
    if readings.cuda is not None:
        target["cuda_driver"] = readings.cuda
    target["libcuda_present"] = any(library.soname == "libcuda.so.1" for library in libraries)
    if readings.gpus is not None:
        target["gpus"] = [_with_fabric(gpu, root, problems) for gpu in readings.gpus]
    compat = _compat(libraries, target.get("driver"), root, problems)
    if compat != {}:
        target["compat"] = compat
    target["libraries"] = [loader_path.describe(library, root) for library in libraries]
    target["environment"] = {name: environment[name] for name in sorted(SWITCHES & environment.keys())}
    target["nvcc"] = compiler(environment, root)
    if problems:
        target["problems"] = problems[:100]
    return checked(target, "target")


def _kernel_driver(root: str) -> str | None:
    """The kernel module's version, where NVML cannot tell: `NVRM version: NVIDIA UNIX … Kernel Module  550.54.15 …`."""
    try:
        with open(root + KERNEL_DRIVER, encoding="utf-8", errors="replace") as stream:
            line = stream.readline(4096)
    except OSError:
        return None
    match = re.search(r"\s([0-9]{3,4}\.[0-9]{1,3}(?:\.[0-9]{1,3})?)\s", line, re.ASCII)
    return match[1] if match else None


def _with_fabric(gpu: dict[str, Any], root: str, problems: list[str]) -> dict[str, Any]:
    """On HGX A100 NVML tells no fabric state, though CUDA waits for the fabric manager: then only its process tells."""
    if gpu.get("fabric", "") is not None or not os.path.exists(root + FABRIC_DEVICE):
        return gpu
    if _runs("nv-fabricmanager", root):
        return {**gpu, "fabric": "completed"}
    problems.append("there is an NVSwitch, NVML tells no fabric state, and no nv-fabricmanager is seen from here")
    return {key: value for key, value in gpu.items() if key != "fabric"}


def _runs(program: str, root: str) -> bool:
    try:
        numbers = [name for name in os.listdir(f"{root}/proc") if name.isdigit()]
    except OSError:
        return False
    for number in numbers:
        try:
            with open(f"{root}/proc/{number}/comm", encoding="utf-8", errors="replace") as stream:
                # the kernel keeps 15 characters of a name
                if stream.read(64).strip() == program[:15]:
                    return True
        except OSError:
            continue
    return False


# --- cuda-compat ---------------------------------------------------------------------------------------------------
def _compat(
    libraries: list[loader_path.Library], driver: str | None, root: str, problems: list[str]
) -> dict[str, Any] | None:
    """The compat package, None where there is none, {} where that cannot be told.

    The libcuda.so.1 that is found first is one if it has the note, or lies in a folder of that name and is not of the
    kernel driver's version. One that lies where the images of NVIDIA have it and is not found first is not in use.
    """
    first = next((library.path for library in libraries if library.soname == "libcuda.so.1"), None)
    if first is not None:
        found = _package(first, root, problems)
        version = found.get("version")
        inside = "/compat" in os.path.dirname(os.path.realpath(root + first)) or "/compat" in os.path.dirname(first)
        if "cuda" in found or (inside and version != driver):
            return {**found, "in_use": version is None or version != driver}
    for folder in COMPAT_FOLDERS:
        path = f"{folder}/libcuda.so.1"
        if os.path.isfile(root + path):
            return {**_package(path, root, problems), "in_use": False}
    return None


def _package(path: str, root: str, problems: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    version = loader_path.version_of(root + path)
    if version is not None:
        found["version"] = version
    try:
        with Blob.of_file(root + path) as blob:
            note = read_forward_compat(blob)
    except (BadFile, CouldNotRun) as error:
        problems.append(f"{path}: {error}")
        return found
    if note is not None and _NUMBER.fullmatch(note.cuda):
        found["cuda"] = note.cuda
        found["driver_branches"] = list(note.driver_branches)
        found["devices"] = list(note.devices)
    return found


# --- the compiler --------------------------------------------------------------------------------------------------
def compiler(environment: Mapping[str, str], root: str) -> dict[str, str | None] | None:
    """The compiler that PATH finds, else that of /usr/local/cuda, with the versions that its toolkit states."""
    folders = [folder for folder in environment.get("PATH", "").split(":") if folder.startswith("/")]
    for folder in (*folders, "/usr/local/cuda/bin"):
        path = os.path.join(folder, "nvcc")
        if os.path.isfile(root + path):
            home = os.path.dirname(os.path.dirname(os.path.realpath(root + path)))
            if not os.path.isdir(os.path.join(home, "nvvm")):
                home = os.path.realpath(f"{root}/usr/local/cuda")  # a script that starts that one
            return {"path": path, "version": _toolkit(home, "cuda_nvcc"), "cuda": _toolkit(home, "cuda")}
    return None


def _toolkit(home: str, part: str) -> str | None:
    try:
        with open(os.path.join(home, "version.json"), "rb") as stream:
            parts = cast("dict[str, Any]", json.loads(stream.read(1 << 20)))
        return str(parts[part]["version"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return _header(home) if part == "cuda" else None


def _header(home: str) -> str | None:
    """The CUDA version in the headers, for toolkits without version.json (packages of distributions, wheels)."""
    try:
        with open(os.path.join(home, "include/cuda.h"), "rb") as stream:
            match = re.search(rb"^#define CUDA_VERSION ([0-9]{4,6})\b", stream.read(1 << 20), re.MULTILINE)
    except OSError:
        return None
    return f"{int(match[1]) // 1000}.{int(match[1]) % 1000 // 10}" if match else None
