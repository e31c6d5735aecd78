"""How each operation is computed with NumPy, for gitops_model.diff.proof.evaluate."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gitops_model.diff.proof.infer import ELEMENT
from gitops_model.diff.proof.table import Expression

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

LAYOUTS = {
    "float32": "<f4", "float64": "<f8", "float16": "<f2", "int8": "<i1", "int16": "<i2", "int32": "<i4",
    "int64": "<i8", "uint8": "<u1", "uint16": "<u2", "uint32": "<u4", "uint64": "<u8", "bool": "?",
}  # fmt: skip


Args = list[Any]
Function = Callable[[Expression, Args], Any]


class Unknown(Exception):
    """A value that is not computed here."""


def double(value: "Array") -> "Array":
    """Floats as float64, so that what is computed here rounds less than what it is compared with."""
    import numpy as np

    return value.astype(np.float64) if value.dtype.kind == "f" else value


def attrs(item: Expression) -> dict[str, Any]:
    return dict(item.attrs)


def _prod(_: Expression, args: Args) -> Any:
    made = args[0]
    for arg in args[1:]:
        made = made * arg
    return made


def _sum(_: Expression, args: Args) -> Any:
    made = args[0]
    for arg in args[1:]:
        made = made + arg
    return made


def _reshape(item: Expression, args: Args) -> Any:
    return args[0].reshape(item.attrs)


def _squeeze(item: Expression, args: Args) -> Any:
    return args[0].squeeze(axis=item.attrs)


def _unsqueeze(item: Expression, args: Args) -> Any:
    import numpy as np

    return np.expand_dims(args[0], item.attrs)


def _spread(item: Expression, args: Args) -> Any:
    import numpy as np

    return np.broadcast_to(args[0], item.attrs)


def _reduce(item: Expression, args: Args) -> Any:
    import numpy as np

    names = {
        "ReduceMean": np.mean,
        "ReduceSum": np.sum,
        "ReduceMax": np.max,
        "ReduceMin": np.min,
        "ReduceProd": np.prod,
    }
    keep, *axes = item.attrs
    if item.op == "reduce:ReduceMean" and not args[0].size:
        raise ValueError("the mean of nothing")
    return names[item.op.partition(":")[2]](args[0], axis=tuple(axes), keepdims=bool(keep))


def _cast(item: Expression, args: Args) -> Any:
    import numpy as np

    name = ELEMENT[attrs(item)["to"]]
    if name == "bool":
        return args[0] != 0
    if name == "float16":
        return np.asarray(args[0], np.float16)
    if name == "float32":
        return args[0].astype(np.float32)
    layout = np.dtype(LAYOUTS[name])
    if layout.kind in "iu":
        limits = np.iinfo(layout)
        if args[0].size and not (np.min(args[0]) >= limits.min and np.max(args[0]) <= limits.max):
            raise ValueError("out of range, where each runtime does its own thing")
    return args[0].astype(layout)


def _concat(item: Expression, args: Args) -> Any:
    import numpy as np

    return np.concatenate(args, axis=attrs(item)["axis"])


def _gather(item: Expression, args: Args) -> Any:
    return args[0].take(args[1].astype(int), axis=attrs(item).get("axis", 0))


FAR = 2**31 - 1


def _slice(_: Expression, args: Args) -> Any:
    data, starts, ends = args[:3]
    axes = args[3] if len(args) > 3 and args[3] is not None else range(len(starts))
    steps = args[4] if len(args) > 4 and args[4] is not None else [1] * len(starts)
    index: list[Any] = [slice(None)] * data.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        size = data.shape[int(axis)]
        stop = int(end)
        if int(step) < 0 and stop >= FAR:
            raise ValueError("backwards to the far end, which some runtimes take for the beginning")
        if int(step) < 0 and stop < -size:
            index[int(axis)] = slice(int(start), None, int(step))
        else:
            index[int(axis)] = slice(int(start), stop, int(step))
    return data[tuple(index)]


def _transpose(item: Expression, args: Args) -> Any:
    return args[0].transpose(attrs(item).get("perm"))


def _expand(_: Expression, args: Args) -> Any:
    import numpy as np

    wanted = tuple(int(dim) for dim in np.atleast_1d(args[1]))
    return np.broadcast_to(args[0], np.broadcast_shapes(args[0].shape, wanted))


def _where(_: Expression, args: Args) -> Any:
    import numpy as np

    condition, one, other = (np.asarray(arg) for arg in args)
    return np.where(condition, one, other)


def _range(_: Expression, args: Args) -> Any:
    import numpy as np

    start, limit, delta = (arg.item() for arg in args)
    if (limit - start) / delta > 1 << 20:
        raise ValueError("too long")
    return np.arange(start, limit, delta, dtype=args[0].dtype)


def _dequantize(item: Expression, args: Args) -> Any:
    """(x - zero_point) * scale, per tensor or along `axis`."""
    import numpy as np

    scale = args[1]
    if scale.ndim > 1:
        raise ValueError("blocked")
    zero: Any = args[2] if len(args) > 2 and args[2] is not None else 0
    if scale.ndim == 1 and scale.size > 1:
        axis = attrs(item).get("axis", 1)
        shape = [1] * args[0].ndim
        shape[axis] = scale.size
        scale = scale.reshape(shape)
        zero = np.asarray(zero)
        zero = zero.reshape(shape) if zero.size > 1 else zero
    return (args[0].astype(float) - zero) * scale


def _scatter_elements(item: Expression, args: Args) -> Any:
    import numpy as np

    if attrs(item).get("reduction", b"none") != b"none":
        raise ValueError("adds up")
    data, indices, updates = args
    made = data.copy()
    size = data.shape[attrs(item).get("axis", 0)]
    if indices.size and not (indices.min() >= -size and indices.max() < size):
        raise ValueError("out of range")
    np.put_along_axis(made, indices.astype(np.int64) % max(size, 1), updates, attrs(item).get("axis", 0))
    if not np.array_equal(np.take_along_axis(made, indices.astype(np.int64), attrs(item).get("axis", 0)), updates):
        raise ValueError("two updates of one place")
    return made


def _gather_elements(item: Expression, args: Args) -> Any:
    import numpy as np

    return np.take_along_axis(args[0], args[1].astype(np.int64), attrs(item).get("axis", 0))


def _trilu(item: Expression, args: Args) -> Any:
    import numpy as np

    k = int(args[1]) if len(args) > 1 and args[1] is not None else 0
    return np.triu(args[0], k) if attrs(item).get("upper", 1) else np.tril(args[0], k)


def unary(name: str) -> Function:
    def apply(_: Expression, args: Args) -> Any:
        import numpy as np

        return getattr(np, name)(args[0])

    return apply


def several(name: str) -> Function:
    def apply(_: Expression, args: Args) -> Any:
        import numpy as np

        made = args[0]
        for arg in args[1:]:
            made = getattr(np, name)(made, arg)
        return made

    return apply


def binary(name: str) -> Function:
    def apply(_: Expression, args: Args) -> Any:
        import numpy as np

        return getattr(np, name)(args[0], args[1])

    return apply


def _int_div(_: Expression, args: Args) -> Any:
    import numpy as np

    if args[0].dtype.kind == "f":
        return args[0] / args[1]
    return (np.abs(args[0]) // np.abs(args[1])) * np.sign(args[0]) * np.sign(args[1])


FUNCTIONS: dict[str, Function] = {
    "prod": _prod, "sum": _sum, "neg": unary("negative"), "recip": unary("reciprocal"), "sqrt": unary("sqrt"),
    "reshape": _reshape, "squeeze": _squeeze, "unsqueeze": _unsqueeze, "spread": _spread, "reduce": _reduce,
    "matmul": binary("matmul"), "Transpose": _transpose, "Cast": _cast, "Concat": _concat, "Gather": _gather,
    "Slice": _slice, "Expand": _expand, "Where": _where, "Range": _range, "Exp": unary("exp"), "Log": unary("log"),
    "Abs": unary("abs"), "Floor": unary("floor"), "Ceil": unary("ceil"), "Not": unary("logical_not"),
    "Equal": binary("equal"), "Less": binary("less"), "Greater": binary("greater"), "Div": _int_div,
    "And": binary("logical_and"), "Or": binary("logical_or"), "Pow": binary("power"), "Max": several("maximum"),
    "Min": several("minimum"), "DequantizeLinear": _dequantize, "Sin": unary("sin"),
    "ScatterElements": _scatter_elements,
    "GatherElements": _gather_elements, "Trilu": _trilu, "Tanh": unary("tanh"), "Cos": unary("cos"),
}  # fmt: skip
"""How each operation is computed. The unlisted have no value here."""

SINCE_7 = frozenset(("Equal", "Less", "Greater", "Div", "And", "Or", "Pow"))
"""Operators that broadcast in another way before opset 7."""

BROADCASTING = frozenset(("prod", "sum", "Where", "Expand", "Max", "Min", *SINCE_7))

NUMBERS = frozenset(
    ("prod", "sum", "neg", "recip", "sqrt", "reduce", "matmul", "Exp", "Log", "Abs", "Floor", "Ceil", "Less", "Greater")
) | frozenset(("Div", "Pow", "Max", "Min", "Sin", "Cos", "Tanh", "Range"))
"""Operations on numbers; bools are none."""

LAYOUT = ("reshape", "squeeze", "unsqueeze", "spread", "Transpose", "Concat", "Gather", "Slice", "Expand")
LINEAR = frozenset(("prod", "sum", "matmul", "reduce", *LAYOUT))
"""Operations whose size is made from the sizes of their arguments as their value is from the values."""

SUMS = ("reduce:ReduceSum", "reduce:ReduceMean")
