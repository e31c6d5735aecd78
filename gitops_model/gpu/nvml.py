"""What NVML says of the driver and of each GPU or MIG slice, as fields of a target.

Every call may fail on its own. "Not supported" is an answer (null, or false for MIG); any other failure leaves the
field out, because then nobody knows, and says so in `problems`. The library is libnvidia-ml.so.1 of the machine, called
through NVIDIA's `pynvml` module (distribution nvidia-ml-py).
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from ctypes import byref
from importlib import import_module
from typing import Any, NamedTuple, TypeVar

from gitops_model.errors import CouldNotRun, MissingExtra
from gitops_model.gpu import facts
from gitops_model.gpu.contract import COMPUTE_MODES

MIB = 1 << 20
LIBRARY_NOT_FOUND = 12
GPU_IS_LOST, RESET_REQUIRED = 15, 16
MAX_GPUS = 4096
_NOT_SUPPORTED, _NOT_FOUND, _FUNCTION_NOT_FOUND, _VGPU_ECC = 3, 6, 13, 22
_VOLATILE, _UNCORRECTED = 0, 1
_FABRIC = {0: None, 1: "not-ready", 2: "in-progress", 3: "completed"}
_SLICE = re.compile(r"\bMIG ((?:[0-9]+c\.)?[0-9]+g\.[0-9]+gb\S*)", re.ASCII)

T = TypeVar("T")


class Readings(NamedTuple):
    """`status` is the code of nvmlInit, or that of a GPU that is lost or waits for a reset; `gpus` None: not listed."""

    status: int
    driver: str | None
    cuda: str | None
    gpus: list[dict[str, Any]] | None
    problems: list[str]


def library() -> Any:
    """The `pynvml` module; MissingExtra without one, CouldNotRun for one that is not NVIDIA's or too old."""
    try:
        pynvml: Any = import_module("pynvml")
    except ModuleNotFoundError as error:
        raise MissingExtra("gpu", "pynvml") from error
    if not hasattr(pynvml, "nvmlSystemGetCudaDriverVersion_v2"):
        raise CouldNotRun(
            "the installed 'pynvml' module is not that of nvidia-ml-py, or too old: it cannot tell the CUDA version "
            "of the user-mode driver",
            "pip uninstall -y pynvml nvidia-ml-py3 && pip install --force-reinstall nvidia-ml-py",
        )
    return pynvml


def read(nvml: Any) -> Readings:
    """Everything NVML tells; no error of NVML gets out."""
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        code = int(error.value)
        return Readings(code, None, None, None, [f"nvmlInit: {error} ({code})"])
    try:
        return _Reader(nvml).all()
    finally:
        with suppress(nvml.NVMLError):  # the readings are complete
            nvml.nvmlShutdown()


class _Unsupported(Exception):
    """NVML answered that this GPU has no such thing."""


class _Unknown(Exception):
    """NVML could not answer; `code` says why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Reader:
    def __init__(self, nvml: Any) -> None:
        self.nvml = nvml
        self.status = 0
        self.problems: list[str] = []

    def call(self, what: str, function: Callable[..., T], *arguments: Any) -> T:
        """The answer; _Unsupported, or _Unknown with its trace in `problems`."""
        try:
            return function(*arguments)
        except self.nvml.NVMLError as error:
            code = int(error.value)
            if code in {_NOT_SUPPORTED, _VGPU_ECC}:
                raise _Unsupported from None
            if code in {GPU_IS_LOST, RESET_REQUIRED}:
                self.status = self.status or code
            self.problems.append(f"{what}: {error} ({code})")
            raise _Unknown(code) from None

    def text(self, what: str, function: Callable[..., Any], *arguments: Any) -> str | None:
        try:
            answer = self.call(what, function, *arguments)
        except (_Unsupported, _Unknown):
            return None
        return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)

    def all(self) -> Readings:
        nvml = self.nvml
        driver = self.text("driver version", nvml.nvmlSystemGetDriverVersion)
        gpus: list[dict[str, Any]] | None = None
        try:
            count = int(self.call("number of GPUs", nvml.nvmlDeviceGetCount))
            gpus = [gpu for number in range(min(count, MAX_GPUS)) for gpu in self.gpu(number)]
        except (_Unsupported, _Unknown):
            pass
        return Readings(self.status, driver, self.cuda(), gpus, self.problems)

    def cuda(self) -> str | None:
        """nvmlSystemGetCudaDriverVersion_v2 opens libcuda.so.1 itself, so this is the user-mode driver in use."""
        try:
            number = self.call("CUDA version", self.nvml.nvmlSystemGetCudaDriverVersion_v2)
        except (_Unsupported, _Unknown):
            return None
        return f"{number // 1000}.{number % 1000 // 10}" if number > 0 else None

    # --- one GPU ---------------------------------------------------------------------------------------------------
    def gpu(self, number: int) -> Iterator[dict[str, Any]]:
        """The entries of one GPU: itself, or its MIG slices."""
        try:
            handle = self.call(f"GPU {number}", self.nvml.nvmlDeviceGetHandleByIndex, number)
        except (_Unsupported, _Unknown):
            yield {"index": number}  # it is there, and nothing else is known
            return
        entry = {"index": number, **self.facts(f"GPU {number}", handle)}
        if entry.get("mig") is not True:
            yield {**entry, **self.memory(f"GPU {number}", handle)}
            return
        slices = list(self.slices(number, handle))
        # with MIG on the memory of the whole GPU is nobody's
        yield from ({**entry, **one} for one in slices) if slices else [entry]

    def facts(self, where: str, handle: Any) -> dict[str, Any]:
        nvml = self.nvml
        found: dict[str, Any] = {}
        for key, function in (("name", nvml.nvmlDeviceGetName), ("uuid", nvml.nvmlDeviceGetUUID)):
            text = self.text(f"{where} {key}", function, handle)
            if text is not None:
                found[key] = text
        readers: tuple[tuple[str, Callable[[str, Any], Any]], ...] = (
            ("compute_capability", self.capability),
            ("brand", self.brand),
            ("mig", self.mig),
            ("ecc_mode", self.ecc_mode),
            ("ecc_uncorrected", self.ecc_uncorrected),
            ("remap_failed", self.remap_failed),
            ("compute_mode", self.compute_mode),
            ("processes", self.processes),
        )
        for key, read_one in readers:
            try:
                found[key] = read_one(f"{where} {key}", handle)
            except _Unsupported:
                found[key] = None
            except _Unknown:
                continue
        with suppress(_Unknown):
            found["fabric"] = self.fabric(f"{where} fabric", handle, found.get("compute_capability"))
        return found

    def capability(self, what: str, handle: Any) -> str:
        major, minor = self.call(what, self.nvml.nvmlDeviceGetCudaComputeCapability, handle)
        return f"{major}.{minor}"

    def brand(self, what: str, handle: Any) -> int:
        return int(self.call(what, self.nvml.nvmlDeviceGetBrand, handle))

    def mig(self, what: str, handle: Any) -> bool:
        try:
            return self.call(what, self.nvml.nvmlDeviceGetMigMode, handle)[0] == 1
        except _Unsupported:
            return False

    def ecc_mode(self, what: str, handle: Any) -> str:
        try:
            return "enabled" if self.call(what, self.nvml.nvmlDeviceGetEccMode, handle)[0] else "disabled"
        except _Unsupported:
            return "unsupported"

    def ecc_uncorrected(self, what: str, handle: Any) -> int:
        return int(self.call(what, self.nvml.nvmlDeviceGetTotalEccErrors, handle, _UNCORRECTED, _VOLATILE))

    def remap_failed(self, what: str, handle: Any) -> bool:
        """GPUs before Ampere have no rows to remap: they retire pages, and one that waits needs a reset as well."""
        try:
            _, _, pending, failed = self.call(what, self.nvml.nvmlDeviceGetRemappedRows, handle)
        except _Unsupported:
            return bool(self.call(what, self.nvml.nvmlDeviceGetRetiredPagesPendingStatus, handle))
        return bool(pending or failed)

    def compute_mode(self, what: str, handle: Any) -> str | None:
        mode = int(self.call(what, self.nvml.nvmlDeviceGetComputeMode, handle))
        return COMPUTE_MODES[mode] if 0 <= mode < len(COMPUTE_MODES) else None

    def processes(self, what: str, handle: Any) -> int:
        return len(self.call(what, self.nvml.nvmlDeviceGetComputeRunningProcesses, handle))

    def fabric(self, what: str, handle: Any, capability: str | None) -> str | None:
        """Old drivers have no such call; then only a GPU that is never on NVSwitch is known to have no fabric."""
        info = self.nvml.c_nvmlGpuFabricInfo_t()
        try:
            self.call(what, self.nvml.nvmlDeviceGetGpuFabricInfo, handle, byref(info))
        except _Unsupported:
            return None
        except _Unknown as error:
            row = facts.capabilities().get(facts.capability(capability)) if capability else None
            if error.code == _FUNCTION_NOT_FOUND and row is not None and not row.get("nvswitch"):
                self.problems.pop()
                return None
            raise
        if info.state == 3 and info.status:
            self.problems.append(f"{what}: the fabric is set up with error {info.status}")
            return "not-ready"
        if info.state not in _FABRIC:
            raise _Unknown(0)
        return _FABRIC[int(info.state)]

    def memory(self, what: str, handle: Any) -> dict[str, float]:
        try:
            memory = self.call(f"{what} memory", self.nvml.nvmlDeviceGetMemoryInfo, handle)
        except (_Unsupported, _Unknown):
            return {}  # shared with the CPU (Jetson, GB10), or not told
        return {"memory_mib": int(memory.total) // MIB, "memory_free_mib": int(memory.free) // MIB}

    # --- MIG -------------------------------------------------------------------------------------------------------
    def slices(self, number: int, parent: Any) -> Iterator[dict[str, Any]]:
        """What differs from the parent. ECC, mode and fabric are the parent's: NVML does not tell them of a slice."""
        nvml = self.nvml
        try:
            count = int(self.call(f"GPU {number} slices", nvml.nvmlDeviceGetMaxMigDeviceCount, parent))
        except (_Unsupported, _Unknown):
            return
        for place in range(min(count, MAX_GPUS)):
            where = f"GPU {number} slice {place}"
            before = len(self.problems)
            try:
                handle = self.call(where, nvml.nvmlDeviceGetMigDeviceHandleByIndex, parent, place)
            except _Unsupported:
                continue
            except _Unknown as error:
                if error.code == _NOT_FOUND:
                    del self.problems[before:]  # the place is free
                continue
            entry: dict[str, Any] = {"uuid": self.text(f"{where} uuid", nvml.nvmlDeviceGetUUID, handle)}
            name = self.text(f"{where} name", nvml.nvmlDeviceGetName, handle)
            match = _SLICE.search(name or "")
            if name is not None:
                entry["name"] = name
            entry["mig"] = match[1] if match else self.profile(where, handle)
            yield entry | self.memory(where, handle)

    def profile(self, where: str, handle: Any) -> str | bool:
        """`1g.10gb` from the slice's attributes, for drivers whose names do not hold it."""
        try:
            found = self.call(f"{where} attributes", self.nvml.nvmlDeviceGetAttributes_v2, handle)
        except (_Unsupported, _Unknown):
            return True
        return f"{found.gpuInstanceSliceCount}g.{round(found.memorySizeMB / 1024)}gb"
