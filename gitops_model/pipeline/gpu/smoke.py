"""`gpu check --smoke`: the model really run, on the GPU where there is one, against the CPU as reference."""

from collections.abc import Mapping
from typing import Any

from gitops_model.errors import BadFile
from gitops_model.gpu.onnx_values import planned
from gitops_model.gpu.reasons import Reason, note, reject, unknown
from gitops_model.ir import Dim
from gitops_model.manifest import Manifest
from gitops_model.pipeline.load import open_named, read
from gitops_model.pipeline.run_model import CPU, CUDA, Task, laid, run, shapes_of
from gitops_model.render.gpu import Smoke

SOURCE = "a run on this machine"
TOLERANCE = {"max_abs_diff": 1e-3, "max_rel_diff": 1e-2}
"""What an output may differ from the reference where the manifest states neither: an element fails only where both are
exceeded. TF32 is off; sums in another order over some thousand float32 products stay below it."""


def smoke(
    word: str,
    cwd: str,
    environ: Mapping[str, str],
    *,
    manifest: Manifest | None = None,
    sizes: Mapping[str, int] | None = None,
    batch: int | None = None,
    fixed: Mapping[str, float] | None = None,
    limits: Task | None = None,
) -> Smoke:
    """Run one model. `fixed` are values of inputs, `limits` a task whose runs, seconds, memory and seed count."""
    with open_named(word, cwd, environ) as opened:
        model = read(opened)
        if model.format != "onnx":
            missing = unknown("SMOKE", f"{word} was not run: ONNX Runtime does not load {model.format}", SOURCE, "")
            return Smoke(word, (missing,), {}, None, None, ("everything",))
        runtime: Mapping[str, Any] = manifest.runtime if manifest is not None else {}
        told: Any = runtime.get("dimensions") or {}
        declared = {value.name: value.shape for value in (manifest.inputs or ())} if manifest is not None else _NOTHING
        chosen: Any = batch if batch is not None else runtime.get("batch")
        plan = planned(model, {**told, **(sizes or {})}, chosen, declared)
        inputs, left_open = shapes_of(model, plan.inputs)
        base = limits or Task()
        common: dict[str, Any] = {
            "inputs": inputs,
            "fixed": dict(fixed or {}),
            "seed": base.seed,
            "runs": base.runs,
            "seconds": base.seconds,
            "memory": base.memory,
        }
        with laid(opened, model) as folder:
            cpu = run(folder, Task(**common, keep="reference"), environ)
            gpu = None
            if "problem" not in cpu and CUDA in cpu.get("available", ()):
                gpu = run(folder, Task(**common, providers=(CUDA, CPU), compare="reference"), environ)
    acceptance: Mapping[str, Any] = manifest.acceptance if manifest is not None else {}
    allows = runtime.get("cpu_fallback") == "allow"
    reasons = [*judged(word, cpu, gpu, acceptance, allows_cpu=allows)]
    if left_open:
        reasons.append(note("SMOKE", f"sizes that nobody states were taken as 1: {', '.join(left_open[:8])}", SOURCE))
    return Smoke(
        word,
        tuple(reasons),
        {name: list(shape) for name, (_, shape) in inputs.items()},
        cpu,
        gpu,
        left(gpu, acceptance),
    )


_NOTHING: dict[str, tuple[Dim, ...] | None] = {}


def left(gpu: dict[str, Any] | None, acceptance: Mapping[str, Any]) -> tuple[str, ...]:
    """What was not checked."""
    if gpu is None:
        return ("the GPU", "outputs of the GPU against the CPU", *sorted(acceptance))
    return ("memory_mib",) if "memory_mib" in acceptance and gpu.get("device_memory_mib") is None else ()


def judged(
    word: str,
    cpu: dict[str, Any],
    gpu: dict[str, Any] | None,
    acceptance: Mapping[str, Any],
    *,
    allows_cpu: bool = False,
) -> "list[Reason]":
    """The reasons. No GPU is never a pass."""
    if "problem" in cpu:
        return [
            reject("SMOKE", f"{word} does not run on the CPU: {cpu['problem']}", SOURCE, "state runtime.dimensions")
        ]
    found: list[Reason] = []
    if not cpu.get("repeatable"):
        found.append(note("SMOKE", f"{word} gives other outputs for the same inputs on the CPU", SOURCE))
    if gpu is None:
        message = f"{word} ran on the CPU only: this ONNX Runtime has no CUDA provider"
        return [*found, unknown("SMOKE", message, SOURCE, "run it on the GPU machine, with onnxruntime-gpu")]
    if "problem" in gpu:
        return [*found, reject("SMOKE", f"{word} does not run on the GPU: {gpu['problem']}", SOURCE, "")]
    nodes: dict[str, dict[str, int]] = gpu["nodes"]
    on_cpu = nodes.get(CPU, {})
    if CUDA not in gpu["providers"] or not nodes.get(CUDA):
        message = f"{word}: no node ran on the GPU; ONNX Runtime fell back to the CPU without saying so"
        return [*found, reject("CPU_FALLBACK", message, SOURCE, "install the libraries of the CUDA provider")]
    if on_cpu:
        listed = ", ".join(f"{op} ({count})" for op, count in sorted(on_cpu.items()))
        message = f"{word}: {sum(on_cpu.values())} of {total(nodes)} nodes ran on the CPU: {listed}"
        lacking = ", ".join(gpu.get("without_kernel", ()))
        if lacking and not allows_cpu:
            fix = "replace them, or accept it: runtime.cpu_fallback: allow"
            found.append(reject("CPU_FALLBACK", f"{message}; CUDA has no kernel for {lacking}", SOURCE, fix))
        else:
            found.append(note("CPU_FALLBACK", message, SOURCE))
    if not gpu.get("repeatable"):
        found.append(note("SMOKE", f"{word} gives other outputs for the same inputs on the GPU", SOURCE))
    found += within(word, gpu, acceptance)
    return found


def total(nodes: Mapping[str, Mapping[str, int]]) -> int:
    return sum(sum(ops.values()) for ops in nodes.values())


def within(word: str, gpu: dict[str, Any], acceptance: Mapping[str, Any]) -> "list[Reason]":
    """The limits of the manifest, or the tolerance where it states none for the outputs."""
    found: list[Reason] = []
    for row in gpu["compared"]:
        stated = [key for key in TOLERANCE if key in acceptance]
        over = [key for key in (stated or TOLERANCE) if _over(row[key], acceptance.get(key, TOLERANCE[key]))]
        if not row["same_shape"]:
            found.append(
                reject("ACCEPTANCE", f"{word}: the output {row['name']} has another shape on the GPU", SOURCE, "")
            )
        elif over and (stated or len(over) == len(TOLERANCE)):
            texts = [f"{key} {row[key]:.3g} > {acceptance.get(key, TOLERANCE[key]):g}" for key in over]
            message = f"{word}: the output {row['name']} differs from the CPU's: {', '.join(texts)}"
            found.append(
                reject("ACCEPTANCE", message, SOURCE, "look for the operator that differs, or state the limit")
            )
    measured = {"load_time_ms": gpu["load_ms"], "memory_mib": gpu["device_memory_mib"]}
    measured |= {key: gpu[key] for key in ("latency_p50_ms", "latency_p95_ms")}
    for key, value in measured.items():
        if key not in acceptance:
            continue
        if value is None:
            found.append(unknown("ACCEPTANCE", f"{word}: {key} could not be measured", SOURCE, "install nvidia-ml-py"))
        elif value > acceptance[key]:
            found.append(reject("ACCEPTANCE", f"{word}: {key} is {value:.4g}, over {acceptance[key]:g}", SOURCE, ""))
    return found


def _over(value: float | None, limit: float) -> bool:
    return value is None or not value <= limit


def refused(word: str, error: BadFile) -> Smoke:
    """A model that cannot be run for what it is."""
    reason = reject("SMOKE", f"{word} was not run: {error.problem.message}", SOURCE, error.problem.hint or "")
    return Smoke(word, (reason,), {}, None, None, ("everything",))
