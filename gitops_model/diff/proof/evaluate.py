"""The values of constant expressions, computed with NumPy in double precision: what a simplifier would have stored.

Bounded: at most LIMIT_ELEMENTS elements per value and LIMIT_STEPS expressions. What is not known here has no value,
which proves nothing.
"""

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any

from gitops_model.diff.proof.infer import ELEMENT
from gitops_model.diff.proof.table import NONE, Expression, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

LIMIT_ELEMENTS = 1 << 26
LIMIT_STEPS = 10_000

LAYOUTS = {
    "float32": "<f4", "float64": "<f8", "float16": "<f2", "int8": "<i1", "int16": "<i2", "int32": "<i4",
    "int64": "<i8", "uint8": "<u1", "uint16": "<u2", "uint32": "<u4", "uint64": "<u8", "bool": "?",
}  # fmt: skip


class Unknown(Exception):
    """A value that is not computed here."""


class Evaluator:
    """Values of the constants of one table, each computed once while they are small."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.known: dict[int, Array] = {}
        self.steps = 0

    def value(self, number: int, depth: int = 0) -> "Array":
        """The value; raises Unknown."""
        found = self.known.get(number)
        if found is not None:
            return found
        self.steps += 1
        if self.steps > LIMIT_STEPS or depth > 200 or not self.table.constant[number]:
            raise Unknown
        item = self.table.items[number]
        made = self.leaf(number) if item.op == "const" else self.computed(item, depth)
        if made.size > LIMIT_ELEMENTS:
            raise Unknown
        if made.size <= 1 << 16:
            self.known[number] = made
        return made

    def leaf(self, number: int) -> "Array":
        import numpy as np

        source = self.table.sources[number]
        dtype, shape = self.table.dtype[number], self.table.static(number) or ()
        if prod(shape) > LIMIT_ELEMENTS or (dtype not in LAYOUTS and dtype != "bfloat16"):
            raise Unknown
        raw = source.value
        if raw is None:
            if source.tensor is None or source.read is None:
                raise Unknown
            raw = source.read(source.tensor)
        if dtype == "bfloat16":
            wide = np.frombuffer(raw, "<u2").astype("<u4") << np.uint32(16)
            return wide.view("<f4").astype(np.float64).reshape(shape)
        return double(np.frombuffer(raw, LAYOUTS[dtype]).reshape(shape))

    def computed(self, item: Expression, depth: int) -> "Array":
        import numpy as np

        name = item.op.split(":")[1] if item.op.startswith("ai.onnx:") else item.op
        function = FUNCTIONS.get(name) or (FUNCTIONS.get("reduce") if name.startswith("reduce:") else None)
        if function is None or (item.op.count(":") == 2 and not item.op.startswith("ai.onnx:")):
            raise Unknown
        args = [None if arg == NONE else self.value(arg, depth + 1) for arg in item.args]
        try:
            with np.errstate(all="ignore"):
                return double(np.asarray(function(item, args)))
        except (ValueError, IndexError, TypeError, KeyError, AttributeError, MemoryError, OverflowError) as error:
            raise Unknown from error


def double(value: "Array") -> "Array":
    """Floats as float64, so that what is computed here rounds less than what it is compared with."""
    import numpy as np

    return value.astype(np.float64) if value.dtype.kind == "f" else value


def attrs(item: Expression) -> dict[str, Any]:
    return dict(item.attrs)


Args = list[Any]
Function = Callable[[Expression, Args], Any]


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
    return args[0].astype(LAYOUTS[name])


def _concat(item: Expression, args: Args) -> Any:
    import numpy as np

    return np.concatenate(args, axis=attrs(item)["axis"])


def _gather(item: Expression, args: Args) -> Any:
    return args[0].take(args[1].astype(int), axis=attrs(item).get("axis", 0))


def _slice(_: Expression, args: Args) -> Any:
    data, starts, ends = args[:3]
    axes = args[3] if len(args) > 3 and args[3] is not None else range(len(starts))
    steps = args[4] if len(args) > 4 and args[4] is not None else [1] * len(starts)
    index: list[Any] = [slice(None)] * data.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        size = data.shape[int(axis)]
        stop = int(end)
        if int(step) < 0 and stop < -size:
            index[int(axis)] = slice(int(start), None, int(step))
        else:
            index[int(axis)] = slice(int(start), stop, int(step))
    return data[tuple(index)]


def _transpose(item: Expression, args: Args) -> Any:
    return args[0].transpose(attrs(item).get("perm"))


def _expand(_: Expression, args: Args) -> Any:
    import numpy as np

    wanted = tuple(int(dim) for dim in args[1])
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
    zero: Any = args[2] if len(args) > 2 and args[2] is not None else 0
    if scale.ndim == 1 and scale.size > 1:
        axis = attrs(item).get("axis", 1)
        shape = [1] * args[0].ndim
        shape[axis] = scale.size
        scale = scale.reshape(shape)
        zero = np.asarray(zero)
        zero = zero.reshape(shape) if zero.size > 1 else zero
    return (args[0].astype(float) - zero) * scale


def unary(name: str) -> Function:
    def apply(_: Expression, args: Args) -> Any:
        import numpy as np

        return getattr(np, name)(args[0])

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
    "And": binary("logical_and"), "Or": binary("logical_or"), "Pow": binary("power"), "Max": binary("maximum"),
    "Min": binary("minimum"), "DequantizeLinear": _dequantize, "Sin": unary("sin"), "Cos": unary("cos"),
}  # fmt: skip
"""How each operation is computed. The unlisted have no value here."""
