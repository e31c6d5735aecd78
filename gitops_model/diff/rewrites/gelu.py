"""Gelu as one operator or in parts

The exact form x/2 · (1 + erf(x/√2)) and the one with tanh, of ONNX and of ONNX Runtime (`BiasGelu`, `FastGelu`).
"""

from math import pi, sqrt
from typing import TYPE_CHECKING

from gitops_model.diff.proof.table import NONE

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "gelu"
NUMERIC = "rounded"


def constants(b: "Builder", x: int, *values: float) -> list[int] | None:
    made = [b.float_like(x, value) for value in values]
    return None if None in made else [number or NONE for number in made]


def exact(b: "Builder", x: int) -> int | None:
    made = constants(b, x, 0.5, 1.0, sqrt(0.5))
    if made is None:
        return None
    half, one, root = made
    inner = b.op("Add", b.op("Erf", b.op("Mul", x, root)), one)
    return b.op("Mul", b.op("Mul", x, half), inner)


def with_tanh(b: "Builder", x: int) -> int | None:
    made = constants(b, x, 0.5, 1.0, sqrt(2 / pi), 0.044715)
    if made is None:
        return None
    half, one, root, cubic = made
    cube = b.op("Mul", b.op("Mul", x, x), x)
    inner = b.op("Mul", b.op("Add", x, b.op("Mul", cube, cubic)), root)
    return b.op("Mul", b.op("Mul", x, half), b.op("Add", b.op("Tanh", inner), one))


def gelu(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    x = call.arg(0)
    if call.op in ("BiasGelu", "FastGelu") and call.arg(1) != NONE:
        shape, bias = b.table.shape[x], b.table.shape[call.arg(1)]
        if not shape or bias != shape[-1:]:
            return None  # a sum may be larger than its input
        x = b.op("Add", x, call.arg(1))
    tanh = call.op == "FastGelu" or call.attrs.get("approximate") == b"tanh"
    made = with_tanh(b, x) if tanh else exact(b, x)
    if made is None:
        return None
    b.note(PATTERN)
    return (made,)


RULES: "Rules" = {
    ("ai.onnx", "Gelu"): (gelu,),
    ("com.microsoft", "Gelu"): (gelu,),
    ("com.microsoft", "BiasGelu"): (gelu,),
    ("com.microsoft", "FastGelu"): (gelu,),
}
