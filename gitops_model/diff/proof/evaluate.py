"""The values of constant expressions, computed with NumPy in double precision: what a simplifier would have stored.

Bounded: at most LIMIT_ELEMENTS elements per value, LIMIT_STEPS expressions and LIMIT_WORK elements in all. What is not
known here has no value, which proves nothing.
"""

from math import prod
from typing import TYPE_CHECKING, Any

from gitops_model.diff.proof.operations import (
    BROADCASTING,
    FUNCTIONS,
    LAYOUTS,
    LINEAR,
    NUMBERS,
    SINCE_7,
    SUMS,
    Args,
    Unknown,
    double,
)
from gitops_model.diff.proof.table import NONE, STUMBLES, Expression, Table, onnx_name, version_of
from gitops_model.ir import Sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

LIMIT_ELEMENTS = 1 << 25
LIMIT_STEPS = 10_000
LIMIT_WORK = 1 << 28
LIMIT_DEPTH = 100


JUMPS = frozenset(("Floor", "Ceil", "Cast", "Equal", "Less", "Greater", "Range"))
"""Operations where a small difference of a float makes a large one, or another shape."""

BOUNDS = {"float32": (2.0**-126, 3.4028234663852886e38), "float16": (2.0**-24, 65504.0)}
"""The smallest normal number (float16: the smallest), and the largest."""


class Evaluator:
    """Values of the constants of one table, each computed once while they are small."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.known: dict[int, tuple[Array, Array]] = {}
        self.steps = LIMIT_STEPS
        self.work = LIMIT_WORK

    def value(self, number: int) -> "Array":
        """The value; raises Unknown."""
        return self.both(number)[0]

    def both(self, number: int, depth: int = 0) -> "tuple[Array, Array]":
        """The value, and the size of what was added and multiplied on the way to it; raises Unknown.

        Rounding is relative to that size: where large terms cancel, a small result is off by their rounding.
        """
        found = self.known.get(number)
        if found is not None:
            return found
        self.steps -= 1
        if self.steps < 0 or depth > LIMIT_DEPTH or not self.table.constant[number]:
            raise Unknown
        item = self.table.items[number]
        made = self.leaf(number) if item.op == "const" else self.computed(number, item, depth)
        self.work -= made[0].size
        if self.work < 0:
            raise Unknown
        if made[0].size <= 1 << 16:
            self.known[number] = made
        return made

    def leaf(self, number: int) -> "tuple[Array, Array]":
        import numpy as np

        self.table.looked_at.add(number)
        source = self.table.sources[number]
        dtype, shape = self.table.dtype[number], self.table.static(number) or ()
        if prod(shape) > LIMIT_ELEMENTS or (dtype not in LAYOUTS and dtype != "bfloat16"):
            raise Unknown
        raw = source.value
        if raw is None:
            if source.tensor is None or source.read is None or isinstance(source.tensor.data, Sparse):
                raise Unknown
            raw = source.read(source.tensor)
        try:
            if dtype == "bfloat16":
                wide = np.frombuffer(raw, "<u2").astype("<u4") << np.uint32(16)
                value = wide.view("<f4").astype(np.float64).reshape(shape)
            else:
                value = double(np.frombuffer(raw, LAYOUTS[dtype]).reshape(shape))
        except ValueError as error:
            raise Unknown from error
        return value, np.abs(value) if value.dtype.kind == "f" else value

    def computed(self, number: int, item: Expression, depth: int) -> "tuple[Array, Array]":
        import numpy as np

        name = "reduce" if item.op.startswith("reduce:") else onnx_name(item.op)
        function = FUNCTIONS.get(name)
        if function is None or (name in SINCE_7 and 0 < version_of(item.op) < 7):
            raise Unknown
        args = [(None, None) if arg == NONE else self.both(arg, depth + 1) for arg in item.args]
        values: Args = [value for value, _ in args]
        sizes: Args = [size for _, size in args]
        if name in NUMBERS and any(value is not None and value.dtype.kind == "b" for value in values):
            raise Unknown  # NumPy would add them
        self.afford(name, values)
        dtype = self.table.dtype[number]
        try:
            with np.errstate(all="ignore"):
                raw = np.asarray(function(item, values))
                if name in JUMPS and not np.array_equal(raw, function(item, rounded(values))):
                    raise Unknown  # which side of the jump it falls on is a matter of rounding
                if raw.size > LIMIT_ELEMENTS:
                    raise Unknown
                value = double(raw)
                if dtype in LAYOUTS and np.dtype(LAYOUTS[dtype]).kind in "iu":
                    value = value.astype(LAYOUTS[dtype])
                if value.dtype.kind != "f":
                    return value, value
                within(value, dtype)
                size = sized(name, item, (values, sizes), value)
        except (*STUMBLES, MemoryError) as error:
            raise Unknown from error
        return value, np.maximum(np.abs(value), size)

    def afford(self, name: str, values: "Args") -> None:
        """Raise Unknown before a result is made that is too large, or too much work."""
        import numpy as np

        shapes: list[tuple[int, ...]] = [value.shape for value in values if value is not None]
        try:
            if name == "matmul":
                one, other = shapes
                rows, columns = one[-2] if len(one) > 1 else 1, other[-1] if len(other) > 1 else 1
                size = prod(np.broadcast_shapes(one[:-2], other[:-2])) * rows * columns
                self.work -= size * (one[-1] if one else 0) // 16
            elif name == "DequantizeLinear":
                size = prod(shapes[0])  # the scale goes along an axis of its own
            elif name in BROADCASTING:
                size = prod(np.broadcast_shapes(*shapes))
            elif name == "Gather":
                size = prod(shapes[0]) * prod(shapes[1])
                size = size // max(1, min(shapes[0], default=1)) if size > LIMIT_ELEMENTS else size
            else:
                size = sum(prod(shape) for shape in shapes)
        except (ValueError, IndexError) as error:
            raise Unknown from error
        if size > LIMIT_ELEMENTS or self.work < 0:
            raise Unknown


def rounded(values: "Args") -> "Args":
    """Floats as float32 has them."""
    import numpy as np

    return [
        value.astype(np.float32).astype(np.float64) if value is not None and value.dtype.kind == "f" else value
        for value in values
    ]


def within(value: "Array", dtype: str) -> None:
    """Raise Unknown where the type would have met infinity, or nothing but zeros, where real arithmetic does not."""
    import numpy as np

    bounds = BOUNDS.get(dtype)
    if bounds is None or not value.size:
        return
    finite = np.abs(value[np.isfinite(value)])
    largest = float(finite.max()) if finite.size else 0.0
    if largest > bounds[1] or 0 < largest < bounds[0]:
        raise Unknown


def sized(name: str, item: Expression, args: "tuple[Args, Args]", value: "Array") -> "Array":
    """The size of what was added and multiplied, from the values and sizes of the arguments."""
    import numpy as np

    values, sizes = args
    if name in LINEAR and (name != "reduce" or item.op in SUMS):
        return np.abs(np.asarray(FUNCTIONS[name](item, sizes), np.float64))
    if name in ("recip", "sqrt"):
        grown: Any = sizes[0] / np.abs(values[0]) * np.abs(value)
        return np.where(np.isfinite(grown), grown, np.abs(value))
    if name in ("Sin", "Cos", "Exp", "Log"):  # the argument's rounding, times the slope
        slope: Any = {"Exp": np.abs(value), "Log": 1 / np.abs(values[0])}.get(name, 1.0)
        return np.abs(value) + slope * sizes[0]
    return np.abs(value)
