"""Conversion between opsets

Between versions of an operator, attributes became inputs (axes of Squeeze and the reductions, bounds of Clip, pads of
Pad, starts and ends of Slice, k of TopK). The form with inputs is taken for both.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.dims import flag
from gitops_model.diff.proof.dims import place as axis_of
from gitops_model.diff.proof.table import NONE, ints_of
from gitops_model.diff.proof.tally import surplus

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.proof.tally import Tally
    from gitops_model.diff.rewrites import Rules

PATTERN = "opset-conversion"
NUMERIC = "exact"

REDUCTIONS = ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare")
REDUCTIONS_MORE = ("ReduceSum", "ReduceLogSum", "ReduceLogSumExp")

AXES_AS_INPUT = {"ReduceSum": 13}
"""The version in which the axes became an input; 18 for the others."""

PLAIN = ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSum")
"""Of one element these are that element."""


def reduction(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """To one form of our own: the axes in `attrs`, counted from the front where the rank is known."""
    x = call.arg(0)
    axes = ints_of(call.attrs.get("axes"))
    if (call.version >= AXES_AS_INPUT.get(call.op, 18)) == ("axes" in call.attrs or call.arg(1) == NONE) and (
        "axes" in call.attrs or call.arg(1) != NONE
    ):
        return None  # of another version than it says
    if axes is None and call.arg(1) != NONE:
        axes = b.ints(call.arg(1))
        if axes is None:
            return None
    if "axes" in call.attrs:
        b.note(PATTERN)
    shape = b.table.shape[x]
    if not axes:
        if flag(call.attrs.get("noop_with_empty_axes", 0)):
            return (x,) if call.op in PLAIN else None
        if shape is None:
            return (of_all(b, call.op, x, flag(call.attrs.get("keepdims", 1))),)
        axes = tuple(range(len(shape)))
    if shape is not None:
        axes = tuple(axis_of(axis, len(shape)) for axis in axes)
    elif any(axis >= 0 for axis in axes) and any(axis < 0 for axis in axes):
        return None
    return (reduced(b, call.op, x, flag(call.attrs.get("keepdims", 1)), tuple(sorted(set(axes)))),)


def of_all(b: "Builder", op: str, x: int, keep: bool) -> int:
    """A reduction of everything, however many axes that is."""
    made = b.table.make(f"all:{op}", (x,), (keep,))
    return b.table.typed(made, b.table.dtype[x], None if keep else ())


def reduced(b: "Builder", op: str, x: int, keep: bool, axes: tuple[int, ...]) -> int:
    """A reduction in the form of our own; a Transpose before it goes behind it."""
    from gitops_model.diff.rewrites.layout import reduction as through_transpose
    from gitops_model.diff.rewrites.nested_reduction import merged

    moved = through_transpose(b, op, x, keep, axes) or merged(b, op, x, keep, axes)
    if moved is not None:
        return moved
    shape = b.table.shape[x]
    if op in PLAIN and shape is not None and all(shape[axis] == 1 for axis in axes):
        from gitops_model.diff.rewrites.no_op import PATTERN as NOTHING
        from gitops_model.diff.rewrites.reshape import to_shape

        b.note(NOTHING)
        return to_shape(b, x, tuple(dim for index, dim in enumerate(shape) if keep or index not in axes))
    made = b.table.make(f"reduce:{op}", (x,), (keep, *axes))
    if b.table.is_new(made):
        dims = None
        if shape is not None:
            dims = tuple(1 if i in axes else d for i, d in enumerate(shape) if keep or i not in axes)
        b.table.typed(made, b.table.dtype[x], dims)
    return made


def softmax(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """Before opset 13 everything from the axis on is one dimension: on the last axis that is no difference."""
    shape, axis = b.table.shape[call.arg(0)], call.attrs.get("axis")
    if not isinstance(axis, int):
        return None
    last = axis == -1 or (shape is not None and axis == len(shape) - 1)
    if not last:
        if shape is not None and axis >= 0 and call.version >= 13:
            return plain(b, call.op, call.arg(0), axis=axis - len(shape))
        return None
    return along_last(b, call.op, call.arg(0))


def along_last(b: "Builder", op: str, x: int) -> tuple[int, ...]:
    """Of the last axis; converters flatten the others before it and unfold them behind it, which changes nothing."""
    from gitops_model.diff.rewrites.reshape import inside, to_shape

    shaped = inside(b, x)
    if shaped is not None and shaped[1] and shaped[2] and shaped[1][-1] == shaped[2][-1]:
        return (to_shape(b, along_last(b, op, shaped[0])[0], shaped[2]),)
    return plain(b, op, x, axis=-1)


def plain(b: "Builder", op: str, *args: int, **attrs: int) -> tuple[int, ...]:
    """One form of our own, with type and shape of the first argument."""
    made = b.table.make(f"{op.lower()}", args, tuple(sorted(attrs.items())))
    return (b.table.typed(made, b.table.dtype[args[0]], b.table.shape[args[0]]),)


def clip(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """Bounds as attributes (opset 6) become constants of the input's type; the widest of float32 are none."""
    from gitops_model.diff.proof.floats import unpack_float

    if call.version != 6 or any(call.args[1:]):
        return None
    bounds: list[int] = []
    for name, widest in (("min", -3.4028234663852886e38), ("max", 3.4028234663852886e38)):
        value = unpack_float(call.attrs.get(name), widest)
        open_end = value == widest and b.table.dtype[call.arg(0)] in ("float32", "float16")
        made = NONE if open_end else b.float_like(call.arg(0), value)
        if made is None:
            return None
        bounds.append(made)
    b.note(PATTERN)
    return (b.op("Clip", call.arg(0), *bounds, version=13),)


def pad(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    from gitops_model.diff.proof.floats import unpack_float

    pads = ints_of(call.attrs.get("pads"))
    if (call.version < 11) != (pads is not None) or (call.version < 11 and any(call.args[1:])):
        return None
    if pads is None:
        if call.version >= 11 and call.arg(2) == NONE and call.arg(3) == NONE and call.attrs.get("mode") == b"constant":
            zero = b.float_like(call.arg(0), 0.0)
            if zero is not None:
                return b.emit(call._replace(args=(call.arg(0), call.arg(1), zero)))
        return None
    value = b.float_like(call.arg(0), unpack_float(call.attrs.get("value")))
    if value is None:
        return None
    mode = call.attrs.get("mode", b"constant")
    b.note(PATTERN)
    return (b.op("Pad", call.arg(0), b.int64s(pads), value, version=13, mode=mode),)


def slices(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """Slice with attributes (opset 1); axes and steps that are left out are written."""
    if call.version < 10:
        if any(call.args[1:]):
            return None
        starts, ends = ints_of(call.attrs.get("starts")), ints_of(call.attrs.get("ends"))
        if starts is None or ends is None:
            return None
        axes = ints_of(call.attrs.get("axes")) or tuple(range(len(starts)))
        b.note(PATTERN)
        return (b.op("Slice", call.arg(0), b.int64s(starts), b.int64s(ends), b.int64s(axes), version=13),)
    starts = b.ints(call.arg(1))
    if starts is None or (call.arg(3) != NONE and call.arg(4) != NONE):
        return None
    axes = call.arg(3) if call.arg(3) != NONE else b.int64s(tuple(range(len(starts))))
    steps = call.arg(4) if call.arg(4) != NONE else b.int64s((1,) * len(starts))
    return b.emit(call._replace(args=(call.arg(0), call.arg(1), call.arg(2), axes, steps)))


def top_k(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """The largest first: before opset 11 there was nothing else."""
    k = call.attrs.get("k")
    if call.version >= 11 or (call.version == 10) != (k is None):
        return None
    if not isinstance(k, int):
        b.note(PATTERN)
        return b.emit(call._replace(version=11, attrs={"largest": 1, "sorted": 1, **call.attrs}))
    attrs = {"axis": call.attrs.get("axis", -1), "largest": 1, "sorted": 1}
    b.note(PATTERN)
    return b.emit(call._replace(version=11, args=(call.arg(0), b.int64s((k,))), attrs=attrs))


def pool(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """Rounded down and without gaps, the versions that brought or mended these are the same as those before."""
    attrs = dict(call.attrs)
    wide = ints_of(attrs.pop("dilations", (1,)))
    padded = attrs.get("auto_pad", b"NOTSET") != b"NOTSET"
    if call.outputs > 1 or attrs.get("ceil_mode") or wide is None or set(wide) - {1} or (padded and call.version < 11):
        return None
    attrs.pop("storage_order", None)  # of the second output
    return b.plain_call(call._replace(version=POOLED, attrs=attrs))


POOLED = 22
"""The version that stands for all that mean the same."""


def split(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """`num_outputs` (opset 18) says again how many outputs there are."""
    if call.attrs.get("num_outputs") != call.outputs or call.arg(1) != NONE:
        return None
    attrs = {name: value for name, value in call.attrs.items() if name != "num_outputs"}
    shape = b.table.shape[call.arg(0)]
    size = shape[axis_of(call.attrs["axis"], len(shape))] if shape else None
    if not isinstance(size, int) or not size % call.outputs:
        return b.emit(call._replace(attrs=attrs))
    step = -(-size // call.outputs)
    last = size - step * (call.outputs - 1)
    if last < 1:
        return None
    return b.emit(call._replace(args=(call.arg(0), b.int64s((*(step,) * (call.outputs - 1), last))), attrs=attrs))


RESIZE = {"antialias": 0, "keep_aspect_ratio_policy": b"stretch"}
"""What version 18 added, and what it is where nobody asked for it."""
RESIZED = 19
NEAREST, CUBIC, CROPPED = ("nearest_mode",), ("cubic_coeff_a",), ("extrapolation_value",)


def resize(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """Versions 11 to 19: without what does not count in its mode, and without inputs that are empty."""
    if not 11 <= call.version <= RESIZED or call.attrs.get("axes") is not None:
        return None
    attrs = dict(call.attrs)
    if any(attrs.pop(name, value) != value for name, value in RESIZE.items()):
        return None
    mode, where = attrs.get("mode"), attrs.get("coordinate_transformation_mode")
    if where == b"tf_half_pixel_for_nn":
        return None
    cropped = where == b"tf_crop_and_resize"
    for names, counts in ((NEAREST, mode == b"nearest"), (CUBIC, mode == b"cubic"), (CROPPED, cropped)):
        for name in names:
            if not counts:
                attrs.pop(name, None)
    args = tuple(NONE if b.table.static(arg) == (0,) else arg for arg in (*call.args[1:], NONE, NONE, NONE)[:3])
    args = (call.arg(0), args[0] if cropped else NONE, *args[1:])
    return b.plain_call(call._replace(version=RESIZED, args=args, attrs=attrs))


def count(one: "Tally", other: "Tally") -> int:
    """Where the models name other opsets: the nodes that took another form, at least one."""
    domains = one.opset.keys() & other.opset.keys()
    if all(one.opset[domain] == other.opset[domain] for domain in domains):
        return 0
    return max(1, surplus(one, other, PATTERN))


RULES: "Rules" = {
    **{("ai.onnx", op): (reduction,) for op in (*REDUCTIONS, *REDUCTIONS_MORE)},
    **{("ai.onnx", op): (softmax,) for op in ("Softmax", "LogSoftmax", "Hardmax")},
    ("ai.onnx", "Clip"): (clip,),
    ("ai.onnx", "Pad"): (pad,),
    ("ai.onnx", "Slice"): (slices,),
    ("ai.onnx", "TopK"): (top_k,),
    ("ai.onnx", "AveragePool"): (pool,),
    ("ai.onnx", "MaxPool"): (pool,),
    ("ai.onnx", "Split"): (split,),
    ("ai.onnx", "Resize"): (resize,),
}
