"""Reshape, Flatten, Squeeze and Unsqueeze

Each of them keeps the elements and their order. Where the dimensions of the result are certain (numbers, or sizes that
the model's inputs bring) they are one Reshape to them; one to the shape that is there already is nothing; of two in a
row the first does not count. Sizes that the inputs bring are taken not to be zero: a Reshape reads that otherwise.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.dims import divided, has_some, sizes_of, symbol
from gitops_model.diff.proof.dims import place as axis_of
from gitops_model.diff.proof.table import NONE, Dims, ints_of

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "reshape"
NUMERIC = "exact"
OURS = "reshape"
"""The operation of our own that all of them become: the dims in `attrs`."""


ADDED = "unsqueeze"
"""Axes of size one added to a tensor of unknown rank: where they are in the result, in `attrs`."""

UNSURE = "reshape?"
"""The same, where the sizes of the inputs decide whether it can be done."""


def to_shape(b: "Builder", x: int, dims: Dims) -> int:
    """`x` with these dims."""
    if b.table.shape[x] == dims:
        return x
    inner = b.table.items[x]
    if inner.op == OURS:
        return to_shape(b, inner.args[0], dims)
    turned = behind(b, x, dims) or kept(b, x, dims)
    if turned is not None:
        return turned
    made = b.table.make(OURS, (x,), dims)
    return b.table.typed(made, b.table.dtype[x], dims)


def behind(b: "Builder", x: int, dims: Dims) -> int | None:
    """A Reshape of a Transpose that only adds or drops axes of size one: the Transpose of a Reshape."""
    from gitops_model.diff.rewrites.layout import perm_of

    found, shape = perm_of(b, x), b.table.shape[x]
    if found is None or shape is None:
        return None
    inner, perm = found
    sources = [perm[index] for index, dim in enumerate(shape) if dim != 1]
    if [dim for dim in shape if dim != 1] != [dim for dim in dims if dim != 1]:
        return None
    if sources == sorted(sources):
        return to_shape(b, inner, dims)
    before, order = unordered(dims, sources)
    return b.op("Transpose", to_shape(b, inner, before), perm=order)


def unordered(dims: Dims, sources: list[int]) -> tuple[Dims, tuple[int, ...]]:
    """(dims before, permutation) of the Transpose that leads to `dims`, whose sizes other than one have these sources.

    Where an axis of size one stood does not count: it goes with the one that is before it in the end.
    """
    keys: list[tuple[int, int]] = []
    left = iter(sources)
    for index, dim in enumerate(dims):
        keys.append((next(left) if dim != 1 else keys[-1][0] if keys else -1, index))
    order = sorted(range(len(dims)), key=keys.__getitem__)
    return tuple(dims[index] for index in order), tuple(order.index(index) for index in range(len(dims)))


def kept(b: "Builder", x: int, dims: Dims) -> int | None:
    """A reduction that drops the axes which the Reshape adds, or keeps those that it drops: one that need not."""
    from gitops_model.diff.rewrites import opset

    item = b.table.items[x]
    if not item.op.startswith("reduce:"):
        return None
    shape, (keep, *axes) = b.table.shape[item.args[0]], item.attrs
    if shape is None or min(axes, default=-1) < 0:
        return None
    wanted = tuple(1 if i in axes else dim for i, dim in enumerate(shape) if not keep or i not in axes)
    return opset.reduced(b, item.op.partition(":")[2], item.args[0], not keep, tuple(axes)) if wanted == dims else None


def inside(b: "Builder", x: int) -> tuple[int, Dims, Dims] | None:
    """(what is reshaped, its dims, the dims it gets) of a Reshape that is no constant."""
    item = b.table.items[x]
    if item.op != OURS or b.table.constant[x]:
        return None
    shape = b.table.shape[item.args[0]]
    return None if shape is None else (item.args[0], shape, item.attrs)


def past(b: "Builder", args: tuple[int, ...]) -> tuple[tuple[int, ...], Dims] | None:
    """Arguments without the Reshape that all of them share; the rest must be constants that go along its last axis."""
    varying = [arg for arg in args if not b.table.constant[arg]]
    first = inside(b, varying[0]) if varying else None
    if first is None:
        return None
    found = {arg: inside(b, arg) for arg in varying}
    if any(item is None or item[1:] != first[1:] for item in found.values()):
        return None
    _, shape, dims = first
    last = dims[-1] if dims and shape and shape[-1] == dims[-1] else None
    made: list[int] = []
    for arg in args:
        item = found.get(arg)
        if item is not None:
            made.append(item[0])
        elif b.table.static(arg) in ((), *(((last,),) if isinstance(last, int) else ())):
            made.append(arg)
        else:
            return None
    return tuple(made), dims


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
        if isinstance(dim, str) and not has_some(dim) and shape[index : index + 1] != (dim,):
            return None  # a zero that is met at run time means the size at this place
        if dim == 0 and not call.attrs.get("allowzero"):
            if index >= len(shape):
                return None
            dims.append(shape[index])
        else:
            dims.append(dim)
    certain = False
    if dims.count(-1) == 1:
        known = tuple(dim for dim in dims if dim != -1)
        rest = divided(shape, known)
        place = dims.index(-1)
        certain = rest is not None and -1 not in known
        dims[place] = rest if rest is not None else symbol("rest", *shape, "of", *known)
    if any(isinstance(dim, int) and dim < 0 for dim in dims):
        return None
    if not certain and divided(shape, tuple(dims)) != 1:
        made = b.table.make(UNSURE, (x,), tuple(dims))  # it may fail, so it is not taken away
        return (b.table.typed(made, b.table.dtype[x], tuple(dims)),)
    b.note(PATTERN)
    return (to_shape(b, x, tuple(dims)),)


def flatten(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    shape, axis = b.table.shape[call.arg(0)], call.attrs.get("axis", 1)
    if shape is None or not isinstance(axis, int):
        return None
    place = axis_of(axis, len(shape)) if axis != len(shape) else axis
    parts = [divided(part, ()) for part in (shape[:place], shape[place:])]
    if parts[0] is None or parts[1] is None:
        return None
    b.note(PATTERN)
    return (to_shape(b, call.arg(0), (parts[0], parts[1])),)


def axes_of(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """From the attribute (before opset 13) or the second input; None where they are not known."""
    axes = ints_of(call.attrs.get("axes"))
    if (call.version < 13) != (axes is not None) and (axes is not None or call.arg(1) != NONE):
        raise ValueError("of another version than it says")
    if axes == () or (axes is None and call.arg(1) != NONE and b.ints(call.arg(1)) == ()):
        raise ValueError("no axes: for some runtimes these are all")
    if axes is not None:
        return axes
    return b.ints(call.arg(1)) if call.arg(1) != NONE else None


def reduced(b: "Builder", x: int, axes: tuple[int, ...] | None, *, keep: bool) -> tuple[int, ...] | None:
    """A reduction that dropped just the axes that are added again, or kept those that are dropped; of any rank."""
    from gitops_model.diff.rewrites import opset

    item = b.table.items[x]
    if not axes or min(axes) < 0 or not item.op.startswith("reduce:") or item.attrs != (not keep, *sorted(axes)):
        return None
    made = opset.reduced(b, item.op.partition(":")[2], item.args[0], keep, item.attrs[1:])
    b.note(PATTERN)
    return (made,)


def unsqueezed(b: "Builder", x: int, axes: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Axes added to a tensor of any rank, counted from the front: those added just before are among them."""
    if not axes or min(axes) < 0 or len(set(axes)) != len(axes):
        return None
    item, places = b.table.items[x], set(axes)
    if item.op == ADDED:
        left = (place for place in range(len(axes) + item.attrs[-1] + 1) if place not in axes)
        moved = dict(enumerate(left))
        places.update(moved[axis] for axis in item.attrs)
        b.note(PATTERN)
        x = item.args[0]
    made = b.table.make(ADDED, (x,), tuple(sorted(places)))
    return (b.table.typed(made, b.table.dtype[x], None),)


def squeeze(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    x = call.arg(0)
    shape, axes = b.table.shape[x], axes_of(b, call)
    if shape is None:
        return reduced(b, x, axes, keep=False)
    if axes is None:
        static = b.table.static(x)
        if call.arg(1) != NONE:
            return None
        if static is None:
            return b.plain_call(call._replace(version=13, args=(x,)))
        b.note(PATTERN)
        return (to_shape(b, x, tuple(dim for dim in static if dim != 1)),)
    places = {axis_of(axis, len(shape)) for axis in axes}
    if any(isinstance(shape[index], int) and shape[index] != 1 for index in places):
        return None
    b.note(PATTERN)
    return (to_shape(b, x, tuple(dim for index, dim in enumerate(shape) if index not in places)),)


def unsqueeze(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    x = call.arg(0)
    shape, axes = b.table.shape[x], axes_of(b, call)
    if shape is None or axes is None:
        return reduced(b, x, axes, keep=True) or unsqueezed(b, x, axes)
    rank = len(shape) + len(axes)
    places = {axis_of(axis, rank) for axis in axes}
    if len(places) != len(axes):
        return None
    rest = iter(shape)
    b.note(PATTERN)
    return (to_shape(b, x, tuple(1 if index in places else next(rest) for index in range(rank))),)


RULES: "Rules" = {
    ("ai.onnx", "Reshape"): (reshape,),
    ("ai.onnx", "Flatten"): (flatten,),
    ("ai.onnx", "Squeeze"): (squeeze,),
    ("ai.onnx", "Unsqueeze"): (unsqueeze,),
}
