"""Parts of a tensor: Slice, Split and Gather

A Slice with steps of one, a part of a Split and a Gather at one fixed place (or at places in a row) are the same: a
range along one axis, of which a Gather at a single place drops the axis. Parts of parts are ranges of the whole. As
with a Reshape, sizes that the inputs bring are taken not to be zero; what is left of a range may be.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.dims import has_some, symbol
from gitops_model.diff.proof.dims import place as axis_of
from gitops_model.diff.proof.table import NONE, ints_of

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "slice"
NUMERIC = "exact"

PART = "part"
"""The operation of our own: (axis, start, stop) in `attrs`. Negative ones count from an end that is no number."""

FAR = 2**31 - 1
"""An end of a Slice from here on means "to the end" in every exporter."""
END = FAR


def part(b: "Builder", x: int, axis: int, start: int, stop: int) -> int | None:
    """`x[start:stop]` along an axis, counted from the front; None where that is not certain."""
    shape = b.table.shape[x]
    from gitops_model.diff.rewrites.layout import perm_of, turned

    if shape is None or not -len(shape) <= axis < len(shape):
        return None
    axis %= len(shape)
    turned_from = perm_of(b, x)
    if turned_from is not None:
        inner, perm = turned_from
        made = part(b, inner, perm[axis], start, stop)
        return None if made is None else turned(b, made, perm)
    size = shape[axis]
    dim: int | str
    if isinstance(size, int):
        start, stop, _ = slice(start, stop).indices(size)
        stop = max(start, stop)
        if (start, stop) == (0, size):
            return x
        dim = stop - start
    else:
        stop = min(stop, END)
        if start == 0 and stop == END:
            return x
        one = (start, stop) in ((-1, END), (0, 1)) and has_some(size)
        dim = 1 if one else symbol("part", size, start, stop)
    inner = b.table.items[x]
    if inner.op == PART and inner.attrs[0] == axis and isinstance(size, int) and inner.attrs[1] >= 0:
        return part(b, inner.args[0], axis, inner.attrs[1] + start, inner.attrs[1] + stop)
    if b.table.constant[x]:
        return None
    made = b.table.make(PART, (x,), (axis, start, stop))
    return b.table.typed(made, b.table.dtype[x], (*shape[:axis], dim, *shape[axis + 1 :]))


def slices(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """Axes and steps are written by opset.py."""
    if call.version < 10 or call.arg(3) == NONE or call.arg(4) == NONE or b.table.constant[call.arg(0)]:
        return None
    found = [b.ints(arg) for arg in call.args[1:5]]
    starts, ends, axes, steps = found
    shape = b.table.shape[call.arg(0)]
    if starts is None or ends is None or axes is None or steps is None or set(steps) - {1} or shape is None:
        return None
    if not len(starts) == len(ends) == len(axes) == len(steps) or any(not -len(shape) <= a < len(shape) for a in axes):
        return None
    places = sorted(
        (axis_of(axis, len(shape)), start, end) for axis, start, end in zip(axes, starts, ends, strict=True)
    )
    if len({axis for axis, _, _ in places}) != len(places):
        return None
    made: int | None = call.arg(0)
    for place in places:
        made = None if made is None else part(b, made, *place)
    if made is not None:
        b.note(PATTERN)
    return None if made is None else (made,)


def gather(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """At one place, or at places in a row."""
    from gitops_model.diff.rewrites.reshape import to_shape

    x, axis = call.arg(0), call.attrs.get("axis", 0)
    shape, rank, places = b.table.shape[x], b.table.static(call.arg(1)), b.ints(call.arg(1))
    if not shape or rank is None or len(rank) > 1 or not places or not isinstance(axis, int) or b.table.constant[x]:
        return None
    size = shape[axis]
    first, last = places[0], places[-1]
    if isinstance(size, int):
        first, last = first + (size if first < 0 else 0), last + (size if last < 0 else 0)
        places = tuple(place + (size if place < 0 else 0) for place in places)
        if not 0 <= first <= last < size:
            return None
    if places != tuple(range(first, last + 1)) or (first < 0 and places != (-1,)):
        return None
    made = part(b, x, axis, first, END if last == -1 else last + 1)
    if made is None:
        return None
    if not rank:
        dims = b.table.shape[made] or ()
        axis %= len(shape)
        made = to_shape(b, made, (*dims[:axis], *dims[axis + 1 :]))
    b.note(PATTERN)
    return (made,)


def split(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """Equal parts, or parts of given sizes, of a size that is known."""
    axis, shape = call.attrs.get("axis", 0), b.table.shape[call.arg(0)]
    if shape is None or not isinstance(axis, int) or not -len(shape) <= axis < len(shape):
        return None
    size = shape[axis]
    parts = ints_of(call.attrs.get("split"))
    if parts is not None and call.version >= 13:
        return None
    if call.attrs.get("num_outputs", call.outputs) != call.outputs:
        return None
    if parts is None and call.arg(1) != NONE:
        parts = b.ints(call.arg(1))
        if parts is None:
            return None
    if b.table.constant[call.arg(0)]:
        return None
    if call.attrs.get("num_outputs", call.outputs) != call.outputs:
        return None
    if parts is None:
        if not isinstance(size, int) or size % call.outputs:
            return None
        parts = (size // call.outputs,) * call.outputs
    if (
        any(number < 0 for number in parts)
        or (isinstance(size, int) and sum(parts) != size)
        or len(parts) != call.outputs
    ):
        return None
    made: list[int] = []
    start = 0
    for number in parts:
        piece = part(b, call.arg(0), axis, start, start + number)
        if piece is None:
            return None
        made.append(piece)
        start += number
    b.note(PATTERN)
    return tuple(made)


RULES: "Rules" = {
    ("ai.onnx", "Slice"): (slices,),
    ("ai.onnx", "Gather"): (gather,),
    ("ai.onnx", "Split"): (split,),
}
