"""The reasons of a verdict: one GM4 code per error at run time that it predicts, in the order in which users meet them.

`error` is what the program would report: the number of a CUDA error, or a name where there is no number. Codes are
never renumbered. checks/ turns this table into rules, `explain` prints the pages.
"""

from enum import IntEnum
from typing import NamedTuple

from gitops_model.finding import Rule, Severity


class Effect(IntEnum):
    """What one reason does to the verdict; of several the highest decides."""

    NOTE = 0
    JIT = 1
    UNKNOWN = 2
    REJECT = 3

    @property
    def verdict(self) -> str:
        return ("allow", "jit-fallback", "unknown", "reject")[self]


class Code(NamedTuple):
    """A code, its kebab-case name, the error it predicts, a line for tables, and the page that `explain` prints."""

    code: str
    name: str
    error: str
    summary: str
    page: str

    @property
    def rule(self) -> Rule:
        """As checks have it; a verdict of jit-fallback is no error."""
        severity = Severity.WARNING if self.error == "JIT" else Severity.ERROR
        return Rule(self.code, self.name, severity, self.summary)


class Reason(NamedTuple):
    """One reason of one verdict. `source` is where the rule comes from, `fix` what to change.

    `gpu` is the place in the target's list, None for what holds for the whole machine.
    """

    code: str
    error: str
    message: str
    source: str
    fix: str
    effect: Effect
    gpu: int | None = None

    def as_dict(self) -> dict[str, str | int]:
        found: dict[str, str | int] = {
            "code": self.code,
            "error": self.error,
            "message": self.message,
            "source": self.source,
            "fix": self.fix,
            "effect": self.effect.verdict if self.effect else "note",
        }
        if self.gpu is not None:
            found["gpu"] = self.gpu
        return found


CODES = {
    row.code: row
    for row in (
        Code(
            "GM401",
            "gpu-driver-too-old",
            "35",
            "the driver is older than the CUDA of the release needs (cudaErrorInsufficientDriver)",
            "Every CUDA major has an oldest driver (minor-version compatibility, from CUDA 11 on). With an older one "
            "each call fails with error 35, and so it does when the container has no libcuda.so.1 because no GPU was "
            "passed to it. A cuda-compat package lifts the floor on data-center GPUs (see GM407). Update the driver, "
            "build with an older CUDA, or start the container with the GPU.",
        ),
        Code(
            "GM402",
            "gpu-no-kernel-image",
            "209",
            "no machine code and no PTX in the release runs on this GPU (cudaErrorNoKernelImageForDevice)",
            "A cubin for X.y runs on X.z with z >= y, one with suffix `a` on exactly its capability, one with `f` on "
            "its family. PTX for X.y is compiled for every GPU from X.y on. A fatbin container that offers neither "
            "fails when its kernels load. Build with the missing -gencode. Libraries that pick among their kernels "
            "by GPU (cuBLAS, cuDNN, ONNX Runtime) need one container that runs, other files need all.",
        ),
        Code(
            "GM403",
            "gpu-ptx-too-new",
            "222",
            "the PTX that must be compiled is newer than the driver knows (cudaErrorUnsupportedPtxVersion)",
            "PTX carries the version of its instruction set, and the user-mode driver (libcuda.so.1, that of cuda- "
            "compat when it is in use) compiles up to its own. Minor-version compatibility does not help. Add "
            "machine code for the GPU, build the PTX with an older toolkit, or update the driver.",
        ),
        Code(
            "GM404",
            "gpu-jit-impossible",
            "223",
            "PTX must be compiled, but that is switched off (223) or the compiler library is absent (221)",
            "CUDA_DISABLE_PTX_JIT=1 or CUDA_DISABLE_JIT=1 forbids compilation at load time; without libnvidia- "
            "ptxjitcompiler.so.1 it cannot happen. Add machine code for the GPU, or unset the variable.",
        ),
        Code(
            "GM405",
            "gpu-jit-fallback",
            "JIT",
            "the release runs only after its PTX was compiled on the machine",
            "No cubin fits the GPU, but PTX does and the driver can compile it. The first load of each kernel waits "
            "for that: seconds to minutes for a large library, again after every change of the driver and wherever "
            "the cache (CUDA_CACHE_PATH, by default in the home directory) does not outlive the container; it may "
            "also be slower than code for the GPU. Add the named -gencode.",
        ),
        Code(
            "GM406",
            "gpu-driver-mismatch",
            "803",
            "the user-mode driver is not that of the kernel driver (cudaErrorSystemDriverMismatch)",
            "libcuda.so.1 and the kernel module must be of one version, unless cuda-compat replaces the former on "
            "purpose. After an update without reboot, or with a libcuda baked into an image, they are not; NVML then "
            "says 18 (driver/library version mismatch). Reboot or reload the module; remove libcuda from the image.",
        ),
        Code(
            "GM407",
            "gpu-compat-not-supported",
            "804",
            "cuda-compat is in use on a GPU or a driver that it does not support (cudaErrorCompatNotSupportedOnDevice)",
            "A cuda-compat package works on data-center GPUs, some RTX boards and Jetson, never on GeForce or Titan, "
            "and only on the driver branches that the note in its libcuda.so lists. Being first on the loader path "
            "is enough to fail, even where the driver alone would do. Remove the package from the loader path, or "
            "update the driver.",
        ),
        Code(
            "GM408",
            "gpu-fabric-not-ready",
            "802",
            "the NVSwitch fabric is not up (cudaErrorSystemNotReady)",
            "On HGX, DGX and NVL systems CUDA does not start before the fabric manager has set up NVSwitch. Start "
            "nvidia-fabricmanager of the driver's version and wait until the fabric state is `completed`.",
        ),
        Code(
            "GM409",
            "gpu-library-lacks-gpu",
            "ARCH_MISMATCH",
            "cuDNN, cuBLAS or another library has no code for this GPU (*_STATUS_ARCH_MISMATCH)",
            "Libraries drop old GPUs and learn new ones: cuDNN 9.11 starts at 7.5. The release loads and fails at "
            "the first convolution or product. Use a version of the library that has the GPU.",
        ),
        Code(
            "GM410",
            "gpu-library-missing",
            "MISSING_LIBRARY",
            "a shared library that the release needs is not on the loader path of the machine",
            "The loader looks for the exact soname: libcudnn.so.9 is not libcudnn.so.8. The program stops with "
            "`cannot open shared object file`. Install the library on the machine, or ship it with the release.",
        ),
        Code(
            "GM411",
            "gpu-undefined-symbol",
            "UNDEFINED_SYMBOL",
            "the library that is found first does not define a versioned symbol that the release needs",
            "Two CUDA libraries of different minors share a soname, and the loader takes the first on the path: "
            "`undefined symbol: __nvJitLinkComplete_12_4, version libnvJitLink.so.12`. Put the newer library first, "
            "or update it.",
        ),
        Code(
            "GM412",
            "gpu-cpu-fallback",
            "CPU_FALLBACK",
            "ONNX Runtime would run the model, or a part of it, on the CPU without saying so",
            "The CUDA provider is dropped with one log line when a library of it cannot be loaded, and an operator "
            "without a CUDA kernel is placed on the CPU with copies around it. Provide the library, replace the "
            "operator, or accept it: `cpu_fallback: allow` in the requirements.",
        ),
        Code(
            "GM413",
            "gpu-onnx-ir-too-new",
            "UNSUPPORTED_IR",
            "the IR version of the model is newer than ONNX Runtime loads",
            "`Unsupported model IR version`. Export with an older onnx, or use a newer ONNX Runtime.",
        ),
        Code(
            "GM414",
            "gpu-onnx-opset-too-new",
            "UNSUPPORTED_OPSET",
            "the model imports an opset that this ONNX Runtime does not know as released",
            "`ONNX Runtime only guarantees support for models stamped with official released onnx opset versions`. "
            "Export with an older opset, convert with onnx.version_converter, or use a newer ONNX Runtime.",
        ),
        Code(
            "GM415",
            "gpu-onnx-operator-missing",
            "NOT_IMPLEMENTED",
            "neither the CUDA nor the CPU provider has a kernel for an operator of the model",
            "`NOT_IMPLEMENTED: Could not find an implementation for …`. Replace the operator, register the library "
            "that implements it, or use another ONNX Runtime.",
        ),
        Code(
            "GM416",
            "gpu-engine-mismatch",
            "ENGINE_MISMATCH",
            "a TensorRT engine was built for another GPU or another TensorRT",
            "A plan is bound to the compute capability it was built on and to the version of TensorRT, unless it was "
            "built hardware- or version-compatible. Build it on the target, or with those flags.",
        ),
        Code(
            "GM417",
            "gpu-image-require",
            "REQUIRE_UNSATISFIED",
            "NVIDIA_REQUIRE_* of the image is false on this machine",
            "`requirement error: unsatisfied condition`: the container does not start where the legacy hook checks "
            "it, and starts to fail later where nothing does (the CDI mode of nvidia-container-toolkit 1.18). Update "
            "the driver, or use an image for an older CUDA. NVIDIA_DISABLE_REQUIRE=true only hides it.",
        ),
        Code(
            "GM418",
            "gpu-out-of-memory",
            "OUT_OF_MEMORY",
            "the release needs more memory than the GPU or MIG slice has (cudaErrorMemoryAllocation)",
            "Weights, activations, workspace and 0.3 to 0.6 GB of CUDA context must fit beside what other processes "
            "hold. A MIG slice has its own memory, never that of the GPU. Use a larger GPU or slice, a smaller "
            "batch, or fewer bits.",
        ),
        Code(
            "GM419",
            "gpu-ecc-error",
            "214",
            "the GPU has uncorrected memory errors, or a row remap failed or waits for a reset "
            "(cudaErrorECCUncorrectable)",
            "Kernels that touch the memory fail until the GPU is reset; a failed remap needs a replacement. Drain "
            "the node and reset the GPU.",
        ),
        Code(
            "GM420",
            "gpu-no-device",
            "NO_DEVICE",
            "CUDA would see no GPU, or may not use it (errors 46 and 100)",
            "No GPU, all hidden by CUDA_VISIBLE_DEVICES, MIG on without an instance, compute mode `prohibited` or "
            "exclusive and taken, a lost GPU, a driver that is not loaded or that no longer supports the generation.",
        ),
        Code(
            "GM421",
            "gpu-dtype-unsupported",
            "DTYPE_UNSUPPORTED",
            "the GPU cannot compute with an element type of the model",
            "bfloat16 needs compute capability 8.0, float8 8.9, float4 10.0. Convert the model, or use a newer GPU.",
        ),
        Code(
            "GM422",
            "gpu-nothing-to-judge",
            "UNKNOWN",
            "nothing says what code runs on the GPU, or the facts contradict each other",
            "A verdict is never given for lack of facts: state binaries (`gitops-model gpu scan`), onnxruntime or "
            "engines in the requirements, and probe the machine (`gitops-model gpu probe`) instead of copying facts "
            "from two of them.",
        ),
        Code(
            "GM423",
            "gpu-smoke-run",
            "SMOKE",
            "the model does not run in ONNX Runtime, or was not run on a GPU",
            "`gpu check --smoke` loads the model in a process of its own and runs it on inputs made from its "
            "signature, on the GPU and on the CPU as reference. On a machine without GPU only the CPU "
            "part is done, which is no pass. Sizes come from runtime.dimensions and runtime.batch of the manifest.",
        ),
        Code(
            "GM424",
            "gpu-acceptance",
            "ACCEPTANCE",
            "a run on the GPU misses a limit of the manifest, or its outputs differ from the CPU's",
            "Limits stand under `acceptance` in the manifest: latency_p50_ms, latency_p95_ms, load_time_ms, "
            "memory_mib, max_abs_diff, max_rel_diff. Where it states no difference, an output may "
            "differ by 1e-3 or by 1e-2 of the reference. TF32 is off and deterministic kernels are asked for.",
        ),
    )
}
"""The reasons that there are, by code."""

CODE_OF = {"221": "GM404", **{row.error: row.code for row in CODES.values()}}
"""Predicted error → code."""


def _reason(effect: Effect, error: str, message: str, source: str, fix: str) -> Reason:
    return Reason(CODE_OF[error], error, message, source, fix, effect)


def reject(error: str, message: str, source: str, fix: str) -> Reason:
    return _reason(Effect.REJECT, error, message, source, fix)


def unknown(error: str, message: str, source: str, fix: str) -> Reason:
    """`error` cannot be ruled out, because a fact is missing or newer than every table."""
    return _reason(Effect.UNKNOWN, error, message, source, fix)


def jit(message: str, source: str, fix: str) -> Reason:
    return _reason(Effect.JIT, "JIT", message, source, fix)


def note(error: str, message: str, source: str, fix: str = "") -> Reason:
    """Something to know that changes no verdict."""
    return _reason(Effect.NOTE, error, message, source, fix)


FACT = "the facts that were given"
"""Source of a reason that needs no table."""


def missing(error: str, fact: str) -> Reason:
    """`fact` (`driver`, `gpus[0].memory_mib`) is not stated, so that `error` cannot be ruled out."""
    return unknown(error, f"{fact} is not known", FACT, f"state {fact}, or probe the machine: gitops-model gpu probe")
