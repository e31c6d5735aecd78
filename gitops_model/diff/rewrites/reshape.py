"""Reshape, Flatten, Squeeze and Unsqueeze

Each of them keeps the elements and their order. Where the dimensions of the result are certain (numbers, or sizes that
the model's inputs bring) they are one Reshape to them; one to the shape that is there already is nothing; of two in a
row the first does not count. Sizes that the inputs bring are taken not to be zero: a Reshape reads that otherwise.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.dims import divided, sizes_of, symbol
from gitops_model.diff.proof.dims import place as axis_of
from gitops_model.diff.proof.infer import ints_of
from gitops_model.diff.proof.table import NONE, Dims

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder, Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "reshape"
NUMERIC = "exact"
OURS = "reshape"
"""The operation of our own that all of them become: the dims in `attrs`."""


def to_shape(b: "Builder", x: int, dims: Dims) -> int:
    """`x` with these dims."""
    if b.table.shape[x] == dims:
        b.note(PATTERN, x)
        return x
    inner = b.table.items[x]
    if inner.op == OURS:
        b.note(PATTERN, inner.args[0])
        return to_shape(b, inner.args[0], dims)
    made = b.table.make(OURS, (x,), dims)
    return b.table.typed(made, b.table.dtype[x], dims)


def reshape(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    x = call.arg(0)
    wanted = ints_of(call.attrs.get("shape")) if call.version < 5 else sizes_of(b, call.arg(1))
    shape = b.table.shape[x]
    if wanted is None or shape is None:
        return None
    if call.attrs.get("allowzero") and 0 in wanted:
        return None
    dims: list[int | str] = []
    for index, dim in enumerate(wanted):
        if dim == 0 and not call.attrs.get("allowzero"):
            if index >= len(shape):
                return None
            dims.append(shape[index])
        else:
            dims.append(dim)
    if dims.count(-1) == 1:
        known = tuple(dim for dim in dims if dim != -1)
        rest = divided(shape, known)
        place = dims.index(-1)
        dims[place] = rest if rest is not None else symbol("rest", *shape, "of", *known)
    if any(isinstance(dim, int) and dim < 0 for dim in dims):
        return None
    return (to_shape(b, x, tuple(dims)),)


def flatten(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    shape, axis = b.table.shape[call.arg(0)], call.attrs.get("axis", 1)
    if shape is None or not isinstance(axis, int):
        return None
    place = axis_of(axis, len(shape)) if axis != len(shape) else axis
    parts = [divided(part, ()) for part in (shape[:place], shape[place:])]
    if parts[0] is None or parts[1] is None:
        return None
    return (to_shape(b, call.arg(0), (parts[0], parts[1])),)


def axes_of(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """From the attribute (before opset 13) or the second input; None where they are not known."""
    axes = ints_of(call.attrs.get("axes"))
    if axes is not None:
        return axes
    return b.ints(call.arg(1)) if call.arg(1) != NONE else None


def squeeze(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    x = call.arg(0)
    shape, axes = b.table.shape[x], axes_of(b, call)
    if shape is None:
        return None
    if axes is None:
        static = b.table.static(x)
        if call.arg(1) != NONE or static is None:
            return None
        return (to_shape(b, x, tuple(dim for dim in static if dim != 1)),)
    places = {axis_of(axis, len(shape)) for axis in axes}
    if any(isinstance(shape[index], int) and shape[index] != 1 for index in places):
        return None
    return (to_shape(b, x, tuple(dim for index, dim in enumerate(shape) if index not in places)),)


def unsqueeze(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    x = call.arg(0)
    shape, axes = b.table.shape[x], axes_of(b, call)
    if shape is None or axes is None:
        return None
    rank = len(shape) + len(axes)
    places = {axis_of(axis, rank) for axis in axes}
    if len(places) != len(axes):
        return None
    rest = iter(shape)
    return (to_shape(b, x, tuple(1 if index in places else next(rest) for index in range(rank))),)


RULES: "Rules" = {
    ("ai.onnx", "Reshape"): (reshape,),
    ("ai.onnx", "Flatten"): (flatten,),
    ("ai.onnx", "Squeeze"): (squeeze,),
    ("ai.onnx", "Unsqueeze"): (unsqueeze,),
}
