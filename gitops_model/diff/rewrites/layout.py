"""Transposes and Reshapes moved through operations

A Transpose or Reshape before an operation on single elements is one behind it; before a reduction or a Concat a
Transpose is one behind it with the axes renamed. Layout optimisers move them to where two cancel. Here they go towards
the outputs as far as they can. A Concat within a Concat along the same axis is one.
"""

from typing import TYPE_CHECKING, Any

from gitops_model.diff.proof.dims import place as axis_of
from gitops_model.diff.proof.infer import VARIADIC
from gitops_model.diff.proof.table import Dims, ints_of, items_of

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "layout"
NUMERIC = "exact"

MOST_PARTS = 256
"""Parts that one Concat may have: Concats of Concats could grow with the square of the graph."""

ELEMENTWISE = (
    *("Relu", "LeakyRelu", "Sigmoid", "Tanh", "Erf", "Exp", "Log", "Abs", "Softplus", "Elu", "Selu", "Celu", "Floor"),
    *("HardSigmoid", "Ceil", "Round", "Sign", "Sin", "Cos", "Not", "Mish", "Softsign", "ThresholdedRelu", "Cast"),
)


BROADCASTING = (
    *("Max", "Min", "Mean", "Pow", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "Equal", "And", "Or", "Xor"),
)


def perm_of(b: "Builder", x: int) -> tuple[int, tuple[int, ...]] | None:
    """(inner expression, permutation) of a Transpose that is no constant."""
    item = b.table.items[x]
    if not item.op.startswith("ai.onnx:Transpose:") or b.table.constant[x]:
        return None
    perm = next((ints_of(value) for value in perms(item.attrs)), None)
    return None if perm is None else (item.args[0], perm)


def perms(attrs: tuple[object, ...]) -> list[object]:
    pairs: list[tuple[Any, ...]] = [items_of(attr) or () for attr in attrs]
    return [pair[1] for pair in pairs if pair[:1] == ("perm",)]


def turned(b: "Builder", x: int, perm: tuple[int, ...]) -> int:
    return b.op("Transpose", x, perm=perm)


def elementwise(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    if len(call.args) != 1:
        return None
    from gitops_model.diff.rewrites.reshape import inside, to_shape

    shaped = inside(b, call.args[0])
    if shaped is not None:
        b.note(PATTERN)
        return (to_shape(b, b.emit(call._replace(args=(shaped[0],)))[0], shaped[2]),)
    found = perm_of(b, call.args[0])
    if found is None:
        return None
    inner, perm = found
    made = turned(b, b.emit(call._replace(args=(inner,)))[0], perm)
    b.note(PATTERN)
    return (made,)


def broadcasting(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """An operation on the elements of several tensors: what is done to the places of all of them is done behind it."""
    from gitops_model.diff.rewrites.reshape import past, to_shape

    if (call.version < 7 and call.op not in VARIADIC) or len(call.args) < 2:
        return None
    found = common_perm(b, call.args)
    if found is not None:
        made = turned(b, b.emit(call._replace(args=found[0]))[0], found[1])
        b.note(PATTERN)
        return (made,)
    shaped = past(b, call.args)
    return None if shaped is None else (to_shape(b, b.emit(call._replace(args=shaped[0]))[0], shaped[1]),)


def common_perm(b: "Builder", args: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """(arguments without their Transpose, permutation) where all share one; constants are turned the other way.

    The other arguments must be constants (a broadcast one gets the missing axes first), scalars, or such that turning
    them the other way is a Reshape.
    """
    perm: tuple[int, ...] | None = None
    for arg in args:
        found = perm_of(b, arg)
        if found is not None:
            if perm is not None and perm != found[1]:
                return None
            perm = found[1]
    if perm is None:
        return None
    inverse = tuple(perm.index(axis) for axis in range(len(perm)))
    made: list[int] = []
    for arg in args:
        found = perm_of(b, arg)
        if found is not None:
            made.append(found[0])
            continue
        shape = b.table.shape[arg]
        if shape is not None and len(shape) == len(perm) and moves_nothing(shape, inverse):
            made.append(turned(b, arg, inverse))
            continue
        if shape is None or len(shape) > len(perm) or not b.table.constant[arg]:
            return None
        if not shape:
            made.append(arg)
            continue
        from gitops_model.diff.rewrites.reshape import to_shape

        full: Dims = (1,) * (len(perm) - len(shape)) + shape
        made.append(turned(b, to_shape(b, arg, full), inverse))
    return tuple(made), perm


def moves_nothing(shape: Dims, perm: tuple[int, ...]) -> bool:
    """Whether a Transpose moves only axes of size one, so that it is a Reshape."""
    moved = [axis for axis in perm if shape[axis] != 1]
    return moved == sorted(moved)


def reduction(b: "Builder", op: str, x: int, keep: bool, axes: tuple[int, ...]) -> int | None:
    """A reduction of a transposed tensor, with the axes that are meant inside."""
    from gitops_model.diff.rewrites.opset import reduced

    found = perm_of(b, x)
    if found is None or any(axis < 0 for axis in axes):
        return None
    b.note(PATTERN)
    inner, perm = found
    within = tuple(sorted(perm[axis] for axis in axes))
    made = reduced(b, op, inner, keep, within)
    if keep:
        return turned(b, made, perm)
    left = [axis for index, axis in enumerate(perm) if index not in axes]
    order = sorted(left)
    return turned(b, made, tuple(order.index(axis) for axis in left))


def nested_concat(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """A Concat within a Concat along the same axis is one of all their parts."""
    axis, rank = call.attrs["axis"], next((len(s) for s in (b.table.shape[arg] for arg in call.args) if s), None)
    if rank is None:
        return None
    parts: list[int] = []
    for arg in call.args:
        item = b.table.items[arg]
        inner = dict(item.attrs).get("axis") if item.op.startswith("ai.onnx:Concat:") else None
        opened = isinstance(inner, int) and axis_of(inner, rank) == axis_of(axis, rank) and not b.table.constant[arg]
        parts += item.args if opened and len(parts) + len(item.args) <= MOST_PARTS else (arg,)
    if tuple(parts) == call.args and axis == axis_of(axis, rank):
        return None
    return b.emit(call._replace(args=tuple(parts), attrs={**call.attrs, "axis": axis_of(axis, rank)}))


def concat(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    axis = call.attrs.get("axis")
    found = common_perm(b, call.args)
    if found is None or not isinstance(axis, int):
        return None
    inner, perm = found
    made = b.emit(call._replace(args=inner, attrs={**call.attrs, "axis": perm[axis_of(axis, len(perm))]}))
    b.note(PATTERN)
    return (turned(b, made[0], perm),)


RULES: "Rules" = {
    **{("ai.onnx", op): (elementwise,) for op in ELEMENTWISE},
    **{("ai.onnx", op): (broadcasting,) for op in BROADCASTING},
    ("ai.onnx", "Concat"): (nested_concat, concat),
}
