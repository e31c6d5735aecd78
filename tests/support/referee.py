"""ONNX Runtime as referee: do two models give the same outputs for the same random inputs?"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

Arrays = dict[str, Any]
SIZES = (3, 4, 2)
"""What symbolic dimensions are bound to, one after the other."""


def inputs(model: onnx.ModelProto, seed: int) -> Arrays:
    """Random values for the inputs; one symbol is one size."""
    source = np.random.default_rng(seed)
    symbols: dict[str, int] = {}
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


def runs(
    before: onnx.ModelProto, after: onnx.ModelProto, times: int
) -> Iterator[tuple[list[Any] | None, list[Any] | None]]:
    for seed in range(times):
        given = inputs(before, seed)
        yield run(before, given), run(after, given)


def agree(before: onnx.ModelProto, after: onnx.ModelProto, times: int = 3, tolerance: float = 1e-3) -> bool | None:
    """Whether all outputs agree within rounding; None where neither can be run."""
    judged = False
    for one, other in runs(before, after, times):
        if one is None and other is None:
            continue
        judged = True
        if one is None or other is None or len(one) != len(other):
            return False
        for a, b in zip(one, other, strict=True):
            if np.shape(a) != np.shape(b) or np.asarray(a).dtype != np.asarray(b).dtype:
                return False
            if not np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True):
                return False
    return True if judged else None
