"""ONNX Runtime as referee: do two models give the same outputs for the same random inputs?"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

Arrays = dict[str, Any]
HALF = 0.03
"""Within this, results in half precision agree that several operations led to."""

SIZES = (3, 4, 2)
"""What symbolic dimensions are bound to, one after the other."""


def inputs(model: onnx.ModelProto, seed: int, sizes: Mapping[str, int] | None = None) -> Arrays:
    """Random values for the inputs; one symbol is one size, and `sizes` says which."""
    source = np.random.default_rng(seed)
    symbols: dict[str, int] = dict(sizes or {})
    stored = {item.name for item in model.graph.initializer}
    made: Arrays = {}
    for value in model.graph.input:
        if value.name in stored:
            continue
        kind = value.type.tensor_type
        shape = [
            dim.dim_value
            if dim.HasField("dim_value")
            else symbols.setdefault(dim.dim_param or str(len(symbols)), SIZES[(len(symbols) + seed) % len(SIZES)])
            for dim in kind.shape.dim
        ]
        dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
        if kind.elem_type in (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16):
            made[value.name] = source.normal(size=shape).astype(dtype)
        elif kind.elem_type == TensorProto.BOOL:
            made[value.name] = source.integers(0, 2, shape).astype(bool)
        else:
            made[value.name] = source.integers(0, 3, shape).astype(dtype)
    return made


def special(given: Arrays) -> Iterator[Arrays]:
    """The same shapes with values that decide: zeros, negative ones, large ones and tiny ones."""
    zeros = {name: np.zeros_like(value) for name, value in given.items()}
    yield zeros
    for change in (lambda x: -np.abs(x), lambda x: x * 300, lambda x: x / 3000):
        yield {name: change(x).astype(x.dtype) if x.dtype.kind == "f" else x for name, x in given.items()}
    signed = {name: x for name, x in given.items() if x.dtype.kind == "i"}
    if signed:
        yield {**given, **{name: -5 * x + 1 for name, x in signed.items()}}
        yield {**given, **{name: np.where(x > 0, np.iinfo(x.dtype).max, x) for name, x in signed.items()}}


def unreal(given: Arrays) -> Arrays | None:
    """The same shapes with infinities, NaN and minus zero in between; None where no input is of floats."""
    odd = (np.inf, -np.inf, np.nan, -0.0)
    made = {name: value.copy() for name, value in given.items()}
    floats = [value for value in made.values() if value.dtype.kind == "f" and value.size]
    for value in floats:
        flat = value.reshape(-1)
        for place in range(0, flat.size, 2):
            flat[place] = odd[place // 2 % len(odd)]
    return made if floats else None


def run(model: onnx.ModelProto, given: Arrays) -> list[Any] | None:
    """The outputs as the file has them, unoptimised; None where ONNX Runtime refuses."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(None, given)
    except Exception:  # noqa: BLE001 - ONNX Runtime has no base class for what it raises
        return None


def interpreted(model: onnx.ModelProto, given: Arrays) -> list[Any] | None:
    """What onnx's own interpreter makes of it; None where that refuses."""
    from onnx.reference import ReferenceEvaluator

    try:
        with np.errstate(all="ignore"):
            return ReferenceEvaluator(model).run(None, given)
    except Exception:  # noqa: BLE001 - it raises whatever NumPy raises
        return None


def same(one: list[Any], other: list[Any], tolerance: float = 1e-3) -> bool:
    """Whether all outputs agree within rounding, in type and shape too."""
    if len(one) != len(other):
        return False
    for a, b in zip(one, other, strict=True):
        if np.shape(a) != np.shape(b) or np.asarray(a).dtype != np.asarray(b).dtype:
            return False
        if np.asarray(a).dtype.kind not in "fiubc":
            if not np.array_equal(a, b):
                return False
            continue
        near = max(tolerance, HALF) if np.asarray(a).dtype == np.float16 else tolerance
        if not np.allclose(a, b, rtol=near, atol=near, equal_nan=True):
            return False
    return True


def agree(
    before: onnx.ModelProto,
    after: onnx.ModelProto,
    times: int = 3,
    tolerance: float = 1e-3,
    given: Callable[[int], Arrays] | None = None,
) -> bool | None:
    """Whether all outputs agree within rounding; None where neither can be run. `given` makes inputs from a seed."""
    judged = False
    for seed in range(times):
        values = given(seed) if given is not None else inputs(before, seed)
        one, other = run(before, values), run(after, values)
        if one is None and other is None:
            continue
        judged = True
        if one is None or other is None or not same(one, other, tolerance):
            return False
    return True if judged else None
