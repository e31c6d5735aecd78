"""Reshape, Flatten, Squeeze and Unsqueeze

Each of them keeps the elements and their order. Where the shape of the result is certain they are one Reshape to that
shape; one to the shape that is there already is nothing; of two in a row the first does not count.
"""

from math import prod
from typing import TYPE_CHECKING

from gitops_model.diff.proof.table import NONE, Shape

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder, Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "reshape"
NUMERIC = "exact"
OURS = "reshape"
"""The operation of our own that all of them become: the dims in `attrs`."""


def to_shape(b: "Builder", x: int, dims: tuple[int, ...]) -> int:
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
    wanted = call.attrs.get("shape") if call.version < 5 else b.ints(call.arg(1))
    if not isinstance(wanted, tuple):
        return None
    dims = [dim for dim in wanted if isinstance(dim, int)]  # pyright: ignore[reportUnknownVariableType]
    shape = b.table.shape[x]
    if not call.attrs.get("allowzero"):
        for index, dim in enumerate(dims):
            if dim == 0:
                if shape is None or index >= len(shape) or shape[index] is None:
                    return keep(b, call, x, tuple(dims))
                dims[index] = shape[index] or 0
    if dims.count(-1) == 1:
        static = b.table.static(x)
        rest = prod(dim for dim in dims if dim != -1)
        if static is None or rest <= 0 or prod(static) % rest:
            return keep(b, call, x, tuple(dims))
        dims[dims.index(-1)] = prod(static) // rest
    if any(dim < 0 for dim in dims):
        return None
    return (to_shape(b, x, tuple(dims)),)


def keep(b: "Builder", call: "Call", x: int, dims: tuple[int, ...]) -> tuple[int, ...]:
    """A Reshape whose result is not certain: by the shape that it asks for; the known dims are noted."""
    made = b.table.make("reshape?", (x,), (bool(call.attrs.get("allowzero")), *dims))
    known: Shape = tuple(dim if dim > 0 else None for dim in dims)
    return (b.table.typed(made, b.table.dtype[x], known),)


def flatten(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    static, axis = b.table.static(call.arg(0)), call.attrs.get("axis", 1)
    if static is None or not isinstance(axis, int):
        return None
    place = axis % len(static) if axis < 0 else axis
    return (to_shape(b, call.arg(0), (prod(static[:place]), prod(static[place:]))),)


def axes_of(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """From the attribute (before opset 13) or the second input; None where they are not known."""
    axes = call.attrs.get("axes")
    if isinstance(axes, tuple):
        return tuple(axis for axis in axes if isinstance(axis, int))  # pyright: ignore[reportUnknownVariableType]
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
    places = {axis % len(shape) for axis in axes} if shape else set[int]()
    left = tuple(dim for index, dim in enumerate(shape) if index not in places)
    if None not in left:
        return (to_shape(b, x, tuple(dim for dim in left if dim is not None)),)
    made = b.table.make("squeeze", (x,), tuple(sorted(places)))
    return (b.table.typed(made, b.table.dtype[x], left),)


def unsqueeze(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    x = call.arg(0)
    shape, axes = b.table.shape[x], axes_of(b, call)
    if shape is None or axes is None:
        return None
    rank = len(shape) + len(axes)
    places = {axis % rank for axis in axes}
    if len(places) != len(axes):
        return None
    rest = iter(shape)
    dims = tuple(1 if index in places else next(rest) for index in range(rank))
    if None not in dims:
        return (to_shape(b, x, tuple(dim for dim in dims if dim is not None)),)
    made = b.table.make("unsqueeze", (x,), tuple(sorted(places)))
    return (b.table.typed(made, b.table.dtype[x], dims),)


RULES: "Rules" = {
    ("ai.onnx", "Reshape"): (reshape,),
    ("ai.onnx", "Flatten"): (flatten,),
    ("ai.onnx", "Squeeze"): (squeeze,),
    ("ai.onnx", "Unsqueeze"): (unsqueeze,),
}
