"""Attention as one operator or in parts

`Attention` of opset 23 in its plain form (queries, keys and values of four dimensions, no mask, no cache) becomes two
products of matrices, a scale and a Softmax. Other forms are compared as they stand.
"""

from math import sqrt
from typing import TYPE_CHECKING

from gitops_model.diff.proof.table import NONE

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "attention"
NUMERIC = "rounded"

WINDOWS = ("left_window_size", "right_window_size")
KNOWN = {"is_causal", "softcap", "scale", "qk_matmul_output_mode", "softmax_precision", *WINDOWS}
"""Attributes that are understood here; the numbers of heads matter to inputs of three dimensions only."""


def attention(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    from gitops_model.diff.proof.floats import unpack_float

    q, k, v = (call.arg(index) for index in range(3))
    shapes = [b.table.shape[x] for x in (q, k, v)]
    plain = call.outputs == 1 and not any(call.args[4:]) and not call.attrs.get("is_causal")
    if not set(call.attrs) <= KNOWN or any(call.attrs.get(name, -1) != -1 for name in WINDOWS):
        return None
    if (
        not plain
        or any(shape is None or len(shape) != 4 for shape in shapes)
        or unpack_float(call.attrs.get("softcap"))
    ):
        return None
    heads = [shape[1] for shape in shapes if shape is not None]
    if len(set(heads)) != 1:
        return None  # keys and values shared between heads
    width = shapes[0][3] if shapes[0] else None
    if "scale" in call.attrs:
        scale = unpack_float(call.attrs["scale"])
    elif isinstance(width, int) and width:
        scale = 1 / sqrt(width)
    else:
        return None
    factor = b.float_like(q, scale)
    if factor is None:
        return None
    scores = b.op("Mul", b.op("MatMul", q, b.op("Transpose", k, perm=(0, 1, 3, 2))), factor)
    if call.arg(3) != NONE:
        mask, keys = b.table.shape[call.arg(3)], b.table.shape[k]
        if b.table.dtype[call.arg(3)] != b.table.dtype[q]:
            return None  # a mask of bools
        if not mask or not keys or mask[-1] != keys[2]:
            return None  # a shorter one is filled up
        scores = b.op("Add", scores, call.arg(3))
    made = b.op("MatMul", b.op("Softmax", scores, axis=-1), v)
    b.note(PATTERN, made)
    return (made,)


RULES: "Rules" = {("ai.onnx", "Attention"): (attention,)}
