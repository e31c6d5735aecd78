"""Factors and terms beside a convolution or a product with weights

A constant factor or term per channel behind a Conv (or a MatMul with constant weights) is part of its weights and bias;
optimisers put it there. The folded weights are computed here and compared with those that are stored.
"""

from typing import TYPE_CHECKING, Any

from gitops_model.diff.proof.dims import multiplied, symbol
from gitops_model.diff.proof.infer import conv as conv_dims
from gitops_model.diff.proof.operations import Unknown
from gitops_model.diff.proof.table import NONE

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "conv-affine"
NUMERIC = "rounded"
FOLDS = True

CONV, TRANSPOSED = "conv", "conv-transpose"


def conv(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """A Conv in one form: defaults written out, no kernel_shape (the weights say it)."""
    x, w = call.arg(0), call.arg(1)
    shape = b.table.shape[w]
    if shape is None or len(shape) < 3:
        return None
    if call.arg(2) != NONE and b.table.shape[call.arg(2)] != (shape[0],):
        return None
    rank = len(shape) - 2
    attrs = dict(call.attrs)
    if attrs.pop("kernel_shape", shape[2:]) != shape[2:]:
        return None
    attrs.setdefault("strides", (1,) * rank)
    attrs.setdefault("dilations", (1,) * rank)
    attrs.setdefault("group", 1)
    attrs.setdefault("auto_pad", b"NOTSET")
    if attrs["auto_pad"] == b"VALID":
        attrs["pads"] = (0,) * (2 * rank)
    if attrs["auto_pad"] in (b"NOTSET", b"VALID"):
        attrs["auto_pad"] = b"NOTSET"
        attrs.setdefault("pads", (0,) * (2 * rank))
    return (made(b, (x, w, call.arg(2)), tuple(sorted(attrs.items())), call),)


def conv_transpose(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """A ConvTranspose in one form, as far as its size is certain: pads are given, an output shape is not."""
    shape, weights = b.table.shape[call.arg(0)], b.table.static(call.arg(1))
    rank = len(weights or ()) - 2
    if shape is None or weights is None or rank < 1 or len(shape) != rank + 2 or "output_shape" in call.attrs:
        return None
    attrs = dict(call.attrs)
    if attrs.pop("kernel_shape", weights[2:]) != weights[2:] or attrs.get("auto_pad", b"NOTSET") != b"NOTSET":
        return None
    for name, default in (("strides", 1), ("dilations", 1), ("output_padding", 0)):
        attrs.setdefault(name, (default,) * rank)
    attrs.setdefault("pads", (0,) * (2 * rank))
    channels = weights[1] * attrs["group"]
    if call.arg(2) != NONE and b.table.shape[call.arg(2)] != (channels,):
        return None
    number = b.table.make(TRANSPOSED, (call.arg(0), call.arg(1), call.arg(2)), tuple(sorted(attrs.items())))
    if b.table.is_new(number):
        dims = tuple(grown(shape[2 + i], weights[2 + i], i, rank, attrs) for i in range(rank))
        b.table.typed(number, b.table.dtype[call.arg(0)], (shape[0], channels, *dims))
    return (number,)


def grown(size: int | str, kernel: int, place: int, rank: int, attrs: dict[str, Any]) -> int | str:
    """The size behind a ConvTranspose along one dimension."""
    step, wide, more = (attrs[name][place] for name in ("strides", "dilations", "output_padding"))
    rest = more + (kernel - 1) * wide + 1 - attrs["pads"][place] - attrs["pads"][rank + place] - step
    whole = multiplied(size, step)
    return whole + rest if isinstance(whole, int) else whole if not rest else symbol("grown", whole, rest)


def made(b: "Builder", args: tuple[int, int, int], attrs: tuple[Any, ...], call: "Call") -> int:
    number = b.table.make(CONV, args, attrs)
    if b.table.is_new(number):
        known = call._replace(args=args, attrs=dict(attrs))
        b.table.typed(number, b.table.dtype[args[0]], conv_dims(b, known))
    return number


def per_channel(b: "Builder", constant: int, rank: int, channels: int) -> int | None:
    """A constant that has one value per channel (axis 1 of `rank`), as [channels]; a scalar is spread; else None."""
    shape = b.table.static(constant)
    if shape is None or len(shape) > rank:
        return None
    full = (1,) * (rank - len(shape)) + shape
    if full[0] != 1 or any(dim != 1 for dim in full[2:]) or full[1] not in (1, channels):
        return None
    from gitops_model.diff.rewrites.reshape import to_shape

    flat = to_shape(b, constant, (full[1],))
    if full[1] == channels:
        return flat
    number = b.table.make("spread", (flat,), (channels,))
    return b.table.typed(number, b.table.dtype[constant], (channels,))


def parts(b: "Builder", x: int) -> tuple[int, int, int] | None:
    """(rank, channels, weights) of a convolution, or a transposed one, with constant weights and bias."""
    item = b.table.items[x]
    if item.op not in (CONV, TRANSPOSED) or not b.table.constant[item.args[1]] or not b.table.constant[item.args[2]]:
        return None
    shape = b.table.static(item.args[1])
    if shape is None:
        return None
    channels = shape[0] if item.op == CONV else shape[1] * dict(item.attrs)["group"]
    return len(shape), channels, item.args[1]


def is_finite(b: "Builder", constant: int) -> bool:
    """Whether a constant, as far as it can be read, is without infinities and NaN."""
    import numpy as np

    try:
        return b.evaluator is None or bool(np.isfinite(b.evaluator.value(constant)).all())
    except Unknown:
        return True


def scaled(b: "Builder", x: int, constant: int) -> int | None:
    """`x · constant` with the constant inside the weights of `x`; None where that cannot be."""
    from gitops_model.diff.rewrites.arithmetic import is_scalar, make
    from gitops_model.diff.rewrites.reshape import to_shape

    item = b.table.items[x]
    found = parts(b, x)
    if (found is not None or item.op == "matmul") and not is_finite(b, constant):
        return None  # a sum of infinities is no infinite sum
    if found is not None:
        rank, channels, weights = found
        flat = per_channel(b, constant, rank, channels)
        if flat is None:
            return None
        before = () if item.op == CONV else (1,)
        if before and dict(item.attrs)["group"] != 1:
            return None
        wide = to_shape(b, flat, (*before, channels, *(1 for _ in range(rank - 1 - len(before)))))
        bias = item.args[2] if item.args[2] == NONE else make(b, "prod", (item.args[2], flat))
        result = b.table.make(item.op, (item.args[0], make(b, "prod", (weights, wide)), bias), item.attrs)
        b.table.typed(result, b.table.dtype[x], b.table.shape[x])
        b.note(PATTERN)
        return result
    if item.op == "matmul" and b.table.constant[item.args[1]] and not is_scalar(b, constant):
        width = b.table.static(item.args[1])
        shape = b.table.static(constant)
        rank = len(b.table.shape[x] or (0,))
        if width is None or len(width) != 2 or shape is None or shape[-1:] != width[-1:] or set(shape[:-1]) - {1}:
            return None
        if len(shape) > rank:
            return None  # the result would have more dimensions
        weights = make(b, "prod", (item.args[1], to_shape(b, constant, (width[1],))))
        result = b.table.make("matmul", (item.args[0], weights))
        b.table.typed(result, b.table.dtype[x], b.table.shape[x])
        b.note(PATTERN)
        return result
    if item.op == "sum" and b.table.constant[item.args[1]]:
        inner = scaled(b, item.args[0], constant)
        if inner is not None:
            from gitops_model.diff.rewrites.arithmetic import total

            return total(b, inner, make(b, "prod", (item.args[1], constant)))
    return None


def shifted(b: "Builder", x: int, constant: int) -> int | None:
    """`x + constant` with the constant inside the bias of a convolution; None where that cannot be."""
    from gitops_model.diff.rewrites.arithmetic import make

    found = parts(b, x)
    if found is None:
        return None
    rank, channels, weights = found
    flat = per_channel(b, constant, rank, channels)
    if flat is None:
        return None
    item = b.table.items[x]
    bias = flat if item.args[2] == NONE else make(b, "sum", (item.args[2], flat))
    result = b.table.make(item.op, (item.args[0], weights, bias), item.attrs)
    b.table.typed(result, b.table.dtype[x], b.table.shape[x])
    b.note(PATTERN)
    return result


RULES: "Rules" = {("ai.onnx", "Conv"): (conv,), ("ai.onnx", "ConvTranspose"): (conv_transpose,)}
