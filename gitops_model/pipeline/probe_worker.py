"""The other end of `probe.py`: a process that may crash, hang or eat memory. Run by path, never imported.

It reads JSON from stdin (`search`: where modules are looked for; `seconds`, `memory`, `seeds`, `enough`, `attempts`,
`keep`, `compare`, `pairs`, `tolerance`, `smallest`), runs model.onnx of its folder as it stands there, unoptimised, and
writes a line of JSON for everything that is done, so that what was done before a crash is known. Exit code 3: ONNX
Runtime cannot be imported.
"""

import json
import os
import sys
from importlib import import_module
from typing import Any, cast

LONGEST = 600
MOST_KEPT = 1 << 30
"""Bytes of outputs that are kept to be compared."""
BLOCK = 1 << 24
"""Bytes that are compared at a time."""

Task = dict[str, Any]


def main() -> int:
    task: Task = json.load(sys.stdin)
    sys.path[:] = task["search"]
    import_module("gitops_model.pipeline.worker_limits").limit(task["seconds"], task["memory"])
    try:
        runtime: Any = import_module("onnxruntime")
    except Exception as error:  # noqa: BLE001 - a broken installation, or a limit that is too low for it
        tell({"import": said(error)})
        return 3
    tell({"onnxruntime": runtime.__version__})
    try:
        Runs(runtime, task).all()
        tell({"done": True})
    except Exception as error:  # noqa: BLE001 - whatever the runtime says about the model is the answer
        tell({"problem": said(error)})
    os._exit(0)  # the teardown of the runtime is not what was asked about


def tell(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def said(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "it needs more memory than it may have"
    text = " ".join(str(error).replace(os.getcwd() + "/", "").split())
    return text[:LONGEST] or type(error).__name__


class Runs:
    """All runs of one model."""

    def __init__(self, runtime: Any, task: Task) -> None:
        options = runtime.SessionOptions()
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.use_deterministic_compute = True
        options.log_severity_level = 4
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.runtime = runtime
        self.task = task
        self.session = runtime.InferenceSession("model.onnx", options, providers=["CPUExecutionProvider"])
        self.names: list[str] = [output.name for output in self.session.get_outputs()]
        self.takes = {value.name for value in self.session.get_inputs()}
        self.left = MOST_KEPT

    def all(self) -> None:
        """Every attempt until enough of them ran; each with all seeds, and once more with the first one that runs.

        An attempt ran when it did with one seed: which sizes fit may hang on a number that the seed chooses.
        """
        ran = 0
        for number, attempt in self.task["attempts"]:
            if ran == self.task["enough"]:
                return
            done, problem = 0, ""
            for seed in self.task["seeds"]:
                try:
                    self.one(number, attempt, seed, twice=not done)
                    done += 1
                except Exception as error:  # noqa: BLE001 - another seed or size may do
                    problem = problem or said(error)
            ran += bool(done)
            tell({"attempt": number, "ran": done, "problem": problem})

    def one(self, number: int, attempt: dict[str, Any], seed: int, *, twice: bool) -> None:
        feed = {name: self.made(spec, seed, number) for name, spec in attempt.items() if name in self.takes}
        outputs = self.run(feed)
        line: dict[str, Any] = {"attempt": number, "seed": seed, "outputs": self.described(outputs)}
        if twice:
            line["varies"] = [not same(a, b) for a, b in zip(outputs, self.run(feed), strict=True)]
        place = f"{number}-{seed}"
        if self.task["keep"]:
            self.save(f"{self.task['keep']}/{place}", outputs)
        if self.task["compare"]:
            line["compared"] = [
                self.compared(f"{self.task['compare']}/{place}-{old}.npy", outputs[new])
                for old, new in self.task["pairs"]
            ]
        tell(line)

    # --- inputs -----------------------------------------------------------------------------------------------------
    def made(self, spec: dict[str, Any], seed: int, turn: int) -> tuple[str, Any]:
        """(type, array): made in the type that both models take, and brought into this one's."""
        np: Any = import_module("numpy")
        among = tuple(spec["among"])
        fixed = spec["fixed"]
        count = 1
        for dim in spec["shape"]:
            count *= dim
        if fixed is None and len(among) > 2 and count == 1:
            fixed = among[(seed + turn) % len(among)]  # every one of them gets its turn
        array = import_module("gitops_model.pipeline.seeded_inputs").values(
            spec["key"], spec["via"], tuple(spec["shape"]), seed, fixed, below=spec["below"], among=among
        )
        dtype = spec["dtype"]
        if dtype != spec["via"]:
            array = widened(array) if spec["via"] == "bfloat16" else array
            if dtype == "bfloat16":
                array = (np.ascontiguousarray(array.astype(np.float32)).view(np.uint32) >> np.uint32(16)).astype("u2")
            else:
                array = array.astype(object if dtype == "string" else dtype)
        return dtype, array

    def value(self, dtype: str, array: Any) -> Any:
        if dtype == "bfloat16":
            return self.runtime.OrtValue.ortvalue_from_numpy_with_onnx_type(array, 16)  # onnx.TensorProto.BFLOAT16
        return self.runtime.OrtValue.ortvalue_from_numpy(array)

    # --- outputs ----------------------------------------------------------------------------------------------------
    def run(self, feed: dict[str, tuple[str, Any]]) -> list[Any]:
        """The outputs as arrays; None for one that is none and cannot be written as one."""
        tensors = all(output.type.startswith("tensor(") for output in self.session.get_outputs())
        if not tensors or any(dtype == "string" for dtype, _ in feed.values()):
            return [
                plain(value) for value in self.session.run(None, {name: array for name, (_, array) in feed.items()})
            ]
        given = {name: self.value(dtype, array) for name, (dtype, array) in feed.items()}
        return [array_of(value) for value in self.session.run_with_ort_values(self.names, given)]

    def described(self, arrays: list[Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for output, array in zip(self.session.get_outputs(), arrays, strict=True):
            if array is None:
                found.append({"dtype": output.type, "shape": None})
                continue
            dtype = "string" if array.dtype.kind in "OUS" else str(array.dtype)
            dtype = "bfloat16" if output.type == "tensor(bfloat16)" else dtype
            found.append({"dtype": dtype, "shape": list(array.shape)})
        return found

    def save(self, place: str, arrays: list[Any]) -> None:
        np: Any = import_module("numpy")
        for number, array in enumerate(arrays):
            if array is None:
                continue
            stored = array.astype(str) if array.dtype == object else array
            self.left -= stored.nbytes
            if self.left >= 0:
                np.save(f"{place}-{number}.npy", stored, allow_pickle=False)

    def compared(self, path: str, array: Any) -> dict[str, Any]:
        np: Any = import_module("numpy")
        if array is None or not os.path.exists(path):
            return {"note": "its values cannot be had" if array is None else "there is no value of before to compare"}
        before = np.load(path, mmap_mode="r", allow_pickle=False)
        array = array.astype(str) if array.dtype == object else array
        return import_module("gitops_model.pipeline.apart").apart(
            before, array, self.task["tolerance"], self.task["smallest"]
        )


def array_of(value: Any) -> Any:
    """An OrtValue as an array; ONNX Runtime gives no bfloat16, so its bytes are taken. None for other types."""
    import ctypes

    np: Any = import_module("numpy")
    if value.data_type() == "tensor(bfloat16)":
        shape = value.shape()
        count = 1
        for dim in shape:
            count *= dim
        raw = ctypes.string_at(value.data_ptr(), 2 * count) if count else b""
        return widened(np.frombuffer(raw, dtype=np.uint16)).reshape(shape)
    return value.numpy() if "float8" not in value.data_type() and "int4" not in value.data_type() else None


def widened(halves: Any) -> Any:
    """bfloat16, which NumPy does not have, as float32."""
    np: Any = import_module("numpy")
    return (halves.astype(np.uint32) << np.uint32(16)).view(np.float32)


def plain(value: Any) -> Any:
    """What `run` gives for any kind of output as one array: a sequence of maps has a row for each, a sequence of
    tensors is joined. None for what is nothing of that."""
    np: Any = import_module("numpy")
    if isinstance(value, np.ndarray):
        return value
    items = cast("list[Any]", value) if isinstance(value, list) else []
    if items and all(isinstance(item, dict) and item.keys() == items[0].keys() for item in items):
        keys: list[Any] = sorted(items[0], key=str)
        return np.array([[item[key] for key in keys] for item in items])
    if items and all(isinstance(item, np.ndarray) for item in items):
        return np.concatenate([np.ravel(item) for item in items])
    return None


def same(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return a is b
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind in "OUS":
        return bool((a == b).all())
    np: Any = import_module("numpy")
    one, other = (np.ascontiguousarray(array).reshape(-1).view(np.uint8) for array in (a, b))
    return all(bool((one[at : at + BLOCK] == other[at : at + BLOCK]).all()) for at in range(0, one.size, BLOCK))


if __name__ == "__main__":
    sys.exit(main())
