"""Attention as one operator or in parts

`Attention` of opset 23, and ONNX Runtime's `MultiHeadAttention` and `Attention`, in their plain forms (no cache, no
padding, no causal mask, as many heads for keys as for queries) become what exporters write out: the heads taken apart,
two products of matrices with a scale and a Softmax between them, the heads put together. A mask of floats is a term of
the scores. Other forms are compared as they stand.
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
HEADS = ("q_num_heads", "kv_num_heads")
KNOWN = {"is_causal", "softcap", "scale", "qk_matmul_output_mode", "softmax_precision", *WINDOWS, *HEADS}
MULTI_HEAD_KNOWN = {"num_heads", "scale", "mask_filter_value", "unidirectional"}
"""Attributes that are understood here."""


def scores(b: "Builder", call: "Call", q: int, k: int, mask: int) -> int | None:
    """The weights of each value, of queries and keys of four dimensions."""
    from gitops_model.diff.proof.floats import unpack_float

    wide = b.table.shape[q]
    width = wide[3] if wide is not None and len(wide) == 4 else None
    if "scale" in call.attrs:
        scale = unpack_float(call.attrs["scale"])
    elif isinstance(width, int) and width:
        scale = 1 / sqrt(width)
    else:
        return None
    factor = b.float_like(q, scale)
    if factor is None or not scale:
        return None
    made = b.op("Mul", b.op("MatMul", q, b.op("Transpose", k, perm=(0, 1, 3, 2))), factor)
    if mask != NONE:
        shape, keys = b.table.shape[mask], b.table.shape[k]
        if b.table.dtype[mask] != b.table.dtype[q]:
            return None  # a mask of bools
        if not shape or not keys or shape[-1] != keys[2]:
            return None  # a shorter one is filled up
        made = b.op("Add", made, mask)
    return b.op("Softmax", made, axis=-1)


def apart(b: "Builder", x: int, heads: object) -> int | None:
    """[batch, sequence, heads · width] as [batch, heads, sequence, width]."""
    from gitops_model.diff.rewrites.reshape import to_shape

    shape = b.table.shape[x]
    if shape is None or len(shape) != 3 or not isinstance(shape[2], int):
        return None
    if not isinstance(heads, int) or heads < 1 or shape[2] % heads:
        return None
    return b.op("Transpose", to_shape(b, x, (*shape[:2], heads, shape[2] // heads)), perm=(0, 2, 1, 3))


def together(b: "Builder", x: int, like: int, heads: int) -> int | None:
    """The other way round; `like` is the value that was taken apart."""
    from gitops_model.diff.rewrites.reshape import to_shape

    shape, value = b.table.shape[x], b.table.shape[like]
    if shape is None or len(shape) != 4 or value is None or shape[1] != heads:
        return None
    return to_shape(b, b.op("Transpose", x, perm=(0, 2, 1, 3)), (shape[0], shape[2], value[2]))


def in_heads(b: "Builder", call: "Call", x: tuple[int, int, int], heads: object, mask: int) -> tuple[int, ...] | None:
    """Attention of queries, keys and values of three dimensions."""
    q, k, v = (apart(b, item, heads) for item in x)
    if q is None or k is None or v is None or not isinstance(heads, int):
        return None
    weights = scores(b, call, q, k, mask)
    made = None if weights is None else together(b, b.op("MatMul", weights, v), x[2], heads)
    if made is None:
        return None
    b.note(PATTERN)
    return (made,)


def attention(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    from gitops_model.diff.proof.floats import unpack_float

    q, k, v = (call.arg(index) for index in range(3))
    shapes = [b.table.shape[x] for x in (q, k, v)]
    plain = call.outputs == 1 and not any(call.args[4:]) and not call.attrs.get("is_causal")
    if not plain or not set(call.attrs) <= KNOWN or any(call.attrs.get(name, -1) != -1 for name in WINDOWS):
        return None
    if unpack_float(call.attrs.get("softcap")):
        return None
    if all(shape is not None and len(shape) == 3 for shape in shapes):
        heads = [call.attrs.get(name) for name in HEADS]
        return in_heads(b, call, (q, k, v), heads[0], call.arg(3)) if heads[0] == heads[1] else None
    if any(shape is None or len(shape) != 4 for shape in shapes):
        return None
    if len({shape[1] for shape in shapes if shape is not None}) != 1:
        return None  # keys and values shared between heads
    weights = scores(b, call, q, k, call.arg(3))
    if weights is None:
        return None
    b.note(PATTERN)
    return (b.op("MatMul", weights, v),)


def multi_head(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """MultiHeadAttention(query, key, value, bias, key_padding_mask, attention_bias, …)."""
    if call.outputs != 1 or call.arg(4) != NONE or any(call.args[6:]) or call.attrs.get("unidirectional"):
        return None
    if not set(call.attrs) <= MULTI_HEAD_KNOWN or call.arg(1) == NONE or call.arg(2) == NONE:
        return None
    x = (call.arg(0), call.arg(1), call.arg(2))
    if call.arg(3) != NONE:
        moved = biased(b, x, call.arg(3))
        if moved is None:
            return None
        x = moved
    return in_heads(b, call, x, call.attrs.get("num_heads"), call.arg(5))


def biased(b: "Builder", x: tuple[int, int, int], bias: int) -> tuple[int, int, int] | None:
    """Queries, keys and values, each with its part of one constant bias."""
    shapes = [b.table.shape[item] for item in x]
    widths = [shape[2] for shape in shapes if shape is not None and len(shape) == 3 and isinstance(shape[2], int)]
    if len(widths) != 3 or b.table.static(bias) != (sum(widths),) or not b.table.constant[bias]:
        return None
    ends = [sum(widths[: index + 1]) for index in range(3)]
    q, k, v = (
        b.op("Add", item, b.op("Slice", bias, b.int64s((end - width,)), b.int64s((end,)), b.int64s((0,))))
        for item, width, end in zip(x, widths, ends, strict=True)
    )
    return q, k, v


def packed(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """com.microsoft's Attention(input, weights, bias, …): queries, keys and values by one product."""
    from gitops_model.diff.rewrites.slices import part

    if call.outputs != 1 or any(call.args[3:]) or call.attrs.get("unidirectional"):
        return None
    if not set(call.attrs) <= MULTI_HEAD_KNOWN or call.arg(2) == NONE:
        return None
    shape, wide = b.table.shape[call.arg(0)], b.table.static(call.arg(1))
    if shape is None or len(shape) != 3 or wide is None or len(wide) != 2 or wide[1] % 3:
        return None
    whole = b.op("Add", b.op("MatMul", call.arg(0), call.arg(1)), call.arg(2))
    width = wide[1] // 3
    q, k, v = (part(b, whole, 2, width * index, width * (index + 1)) for index in range(3))
    if q is None or k is None or v is None:
        return None
    return in_heads(b, call, (q, k, v), call.attrs.get("num_heads"), NONE)


RULES: "Rules" = {
    ("ai.onnx", "Attention"): (attention,),
    ("com.microsoft", "MultiHeadAttention"): (multi_head,),
    ("com.microsoft", "Attention"): (packed,),
}
