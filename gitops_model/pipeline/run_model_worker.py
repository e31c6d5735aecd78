"""The other end of `run_model.py`: a process that may crash, hang or eat memory. Run by path, never imported.

It reads JSON from stdin (the fields of `run_model.Task`, and `search`: where modules are looked for), runs model.onnx
of its folder, and writes JSON. Exit code 3: there is no ONNX Runtime.
"""

import json
import os
import resource
import sys
import threading
import time
from importlib import import_module
from typing import Any, Self

LONGEST = 600
CUDA = "CUDAExecutionProvider"
MIB = 1 << 20


def main() -> int:
    task = json.load(sys.stdin)
    sys.path[:] = task["search"]
    limits = import_module("gitops_model.pipeline.worker_limits")
    limits.limit(int(task["seconds"]), int(task["memory"]), device=CUDA in task["providers"])
    try:
        onnxruntime: Any = import_module("onnxruntime")
    except ImportError:
        return 3
    answer: dict[str, Any] = {
        "onnxruntime": onnxruntime.__version__,
        "available": onnxruntime.get_available_providers(),
    }
    try:
        answer |= measured(onnxruntime, task)
    except MemoryError:
        answer["problem"] = f"it needs more than {task['memory'] >> 20} MiB"
    except Exception as error:  # noqa: BLE001 - whatever the runtime says about the model is the answer
        answer["problem"] = " ".join(str(error).split())[:LONGEST] or type(error).__name__
    json.dump(answer, sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # the teardown of a provider is not what was asked about


def measured(runtime: Any, task: dict[str, Any]) -> dict[str, Any]:
    values = import_module("gitops_model.pipeline.seeded_inputs").values

    made = {
        name: (dtype, values(name, dtype, tuple(shape), task["seed"], task["fixed"].get(name)))
        for name, (dtype, shape) in task["inputs"].items()
    }
    before = resident()
    with DeviceMemory(CUDA in task["providers"]) as device:
        started = time.perf_counter()
        session = session_of(runtime, task["providers"])
        load = time.perf_counter() - started
        feed = {name: ort_value(runtime, dtype, array) for name, (dtype, array) in made.items()}
        names = [output.name for output in session.get_outputs()]
        started = time.perf_counter()
        outputs = session.run_with_ort_values(names, feed)
        first = time.perf_counter() - started
        profile = session.end_profiling()
        kept = [output.numpy() for output in outputs]
        repeatable = True
        times: list[float] = []
        for _ in range(task["runs"]):
            started = time.perf_counter()
            again = session.run_with_ort_values(names, feed)
            times.append(time.perf_counter() - started)
            repeatable = repeatable and all(same(a, b.numpy()) for a, b in zip(kept, again, strict=True))
    times.sort()
    nodes = placed(profile)
    answer: dict[str, Any] = {
        "providers": session.get_providers(),
        "nodes": nodes,
        "without_kernel": without_kernel(runtime, nodes),
        "load_ms": 1000 * load,
        "first_ms": 1000 * first,
        "runs": len(times),
        "latency_p50_ms": 1000 * quantile(times, 0.5),
        "latency_p95_ms": 1000 * quantile(times, 0.95),
        "host_memory_mib": max(0, resident() - before) // MIB,
        "device_memory_mib": device.peak,
        "repeatable": repeatable,
        "outputs": [
            {"name": name, "dtype": str(array.dtype), "shape": list(array.shape)}
            for name, array in zip(names, kept, strict=True)
        ],
    }
    if task["keep"]:
        save(task["keep"], kept)
    if task["compare"]:
        answer["compared"] = compare(task["compare"], names, kept)
    return answer


def session_of(runtime: Any, providers: list[str]) -> Any:
    """Deterministic as far as the runtime can be, without TF32, and with a profile of where each node runs."""
    options = runtime.SessionOptions()
    options.use_deterministic_compute = True
    options.enable_profiling = True
    options.profile_file_prefix = "profile"
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    exact = {"use_tf32": "0", "cudnn_conv_algo_search": "DEFAULT"}
    chosen = [(name, exact) if name == CUDA else name for name in providers]
    return runtime.InferenceSession("model.onnx", options, providers=chosen)


def ort_value(runtime: Any, dtype: str, array: Any) -> Any:
    if dtype == "bfloat16":
        return runtime.OrtValue.ortvalue_from_numpy_with_onnx_type(array, 16)  # onnx.TensorProto.BFLOAT16
    return runtime.OrtValue.ortvalue_from_numpy(array)


def placed(profile: str) -> dict[str, dict[str, int]]:
    """Provider → operator → number of nodes that ran there."""
    with open(profile, encoding="utf-8") as stream:
        events = json.load(stream)
    os.unlink(profile)
    found: dict[tuple[str, str], set[str]] = {}
    for event in events:
        args = event.get("args", {})
        if event.get("cat") == "Node" and event.get("name", "").endswith("_kernel_time") and args.get("provider"):
            found.setdefault((args["provider"], args.get("op_name", "?")), set()).add(event["name"])
    nodes: dict[str, dict[str, int]] = {}
    for (provider, op), names in sorted(found.items()):
        nodes.setdefault(provider, {})[op] = len(names)
    return nodes


def without_kernel(runtime: Any, nodes: dict[str, dict[str, int]]) -> list[str]:
    """Operators that ran on the CPU and that CUDA has no kernel for; others ONNX Runtime chose to keep there."""
    rows = runtime.capi.onnxruntime_pybind11_state.get_all_opkernel_def()
    on_gpu = {row.op_name for row in rows if row.provider == CUDA}
    return sorted(op for op in nodes.get("CPUExecutionProvider", {}) if op not in on_gpu) if on_gpu else []


def same(a: Any, b: Any) -> bool:
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return bool((a == b).all()) if a.dtype == object else a.tobytes() == b.tobytes()


def save(folder: str, arrays: list[Any]) -> None:
    np: Any = import_module("numpy")

    os.mkdir(folder)
    for number, array in enumerate(arrays):
        np.save(f"{folder}/{number}.npy", array.astype(str) if array.dtype == object else array, allow_pickle=False)


def compare(folder: str, names: list[str], arrays: list[Any]) -> list[dict[str, Any]]:
    """The largest differences to what the reference gave; NaN against NaN and an infinity against its like is none."""
    np: Any = import_module("numpy")

    found: list[dict[str, Any]] = []
    for number, (name, array) in enumerate(zip(names, arrays, strict=True)):
        wanted = np.load(f"{folder}/{number}.npy", allow_pickle=False)
        row: dict[str, Any] = {
            "name": name,
            "same_shape": array.shape == wanted.shape,
            "max_abs_diff": None,
            "max_rel_diff": None,
        }
        if row["same_shape"] and array.dtype != object:
            ours, theirs = array.astype(np.float64), wanted.astype(np.float64)
            alike = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
            distance = np.where(alike, 0.0, np.abs(ours - theirs))
            distance = np.where(np.isnan(distance), np.inf, distance)
            largest = float(np.max(distance, initial=0.0))
            scale = np.where(alike, 1.0, np.maximum(np.abs(theirs), 1e-6))
            relative = float(np.max(distance / scale, initial=0.0))
            row |= {"max_abs_diff": min(largest, 1e308), "max_rel_diff": min(relative, 1e308)}
        elif row["same_shape"]:
            equal = bool((array.astype(str) == wanted).all())
            row |= {"max_abs_diff": 0.0 if equal else 1e308, "max_rel_diff": 0.0 if equal else 1e308}
        found.append(row)
    return found


def quantile(times: list[float], part: float) -> float:
    """Nearest rank."""
    return times[max(0, -(-int(len(times) * part * 1000) // 1000) - 1)] if times else 0.0


def resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class DeviceMemory:
    """The most memory of the first GPU that came into use, sampled: other processes on it count too."""

    def __init__(self, wanted: bool) -> None:
        self.peak: int | None = None
        self._nvml: Any = None
        self._gpu: Any = None
        self._start = 0
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._wanted = wanted
        self._done = threading.Event()

    def __enter__(self) -> Self:
        if self._wanted:
            try:
                self._nvml = import_module("pynvml")
                self._nvml.nvmlInit()
                self._gpu = self._nvml.nvmlDeviceGetHandleByIndex(0)
                self._start = self._used()
            except Exception:  # noqa: BLE001 - without NVML the number is not known, which is said
                return self
            self.peak = 0
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.peak is not None:
            self._done.set()
            self._thread.join()

    def _used(self) -> int:
        return int(self._nvml.nvmlDeviceGetMemoryInfo(self._gpu).used)

    def _sample(self) -> None:
        while True:
            last = self._done.wait(0.005)
            self.peak = max(self.peak or 0, (self._used() - self._start) // MIB)
            if last:
                return


if __name__ == "__main__":
    sys.exit(main())
