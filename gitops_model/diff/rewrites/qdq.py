"""QuantizeLinear and DequantizeLinear

A tensor that is quantised and taken back counts as itself, and constants that are stored as integers as the numbers
that they stand for: within a step of their scale the same as before. Quantised models compute something else, so they
are not equivalent; that nothing but the quantisation changed is what is said.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.lossy import CUT, FLOATS
from gitops_model.diff.proof.table import NONE, onnx_name

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "qdq"
NUMERIC = "lossy"


UINT8 = 2
"""In TensorProto.DataType."""


def quantize(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    x, scale, zero = (call.arg(index) for index in range(3))
    unsigned = zero == NONE and call.domain == "ai.onnx" and call.attrs.get("output_dtype", 0) in (0, UINT8)
    made = cut(b, x, zero, unsigned=unsigned)
    stored_with(b, made, scale, zero)
    return (made,)


def stored_with(b: "Builder", x: int, scale: int, zero: int) -> None:
    """Note that a tensor is stored as integers with this scale and zero point."""
    b.scales.setdefault(x, set()).add(grid(b, scale, zero))


def grid(b: "Builder", scale: int, zero: int) -> tuple[int, object]:
    """A scale and zero point; one of zero is none."""
    values = () if zero == NONE else b.ints(zero)
    return scale, zero if values is None else values if any(values) else ()


MOVES = ("reshape", "unsqueeze", "Transpose", "part", "MaxPool", "Concat", "Gather", "Slice", "Relu")
"""Operations that integers go through as they are."""


def is_stored_with(b: "Builder", x: int, scale: int, zero: int) -> bool:
    """Whether a tensor may have been stored with this scale and zero point: one stored with others is another one."""
    for _ in range(50):
        found = b.scales.get(x)
        if found is not None:
            return grid(b, scale, zero) in found
        item = b.table.items[x]
        if onnx_name(item.op) not in MOVES:
            return True
        x = item.args[0]
    return True


def cut(b: "Builder", x: int, zero: int, *, unsigned: bool = False) -> int:
    """Unsigned integers from zero on cut off what is negative.

    Quantisers leave a Relu in front of them out; and they choose such integers where they never saw a negative number.
    """
    from gitops_model.diff.rewrites.arithmetic import single

    unsigned = unsigned or (b.table.dtype[zero] == "uint8" and not any(b.ints(zero) or (1,)))
    return single(b, CUT, x) if unsigned and not b.table.constant[x] and not positive(b, x) else x


NEVER_NEGATIVE = (CUT, "recip", "Relu", "Sigmoid", "Abs", "Exp", "softmax", "sqrt", "HardSigmoid")
KEEPS_SIGN = (
    *("reshape", "Transpose", "MaxPool", "AveragePool", "part", "prod", "sum"),
    *("reduce:ReduceMean", "reduce:ReduceMax"),
)


def positive(b: "Builder", x: int) -> bool:
    """Whether nothing negative comes out of an expression, as far as a few steps back tell."""
    waiting = [x]
    for _ in range(50):
        if not waiting:
            return True
        number = waiting.pop()
        item = b.table.items[number]
        name = onnx_name(item.op)
        square = name == "prod" and all(item.args.count(arg) % 2 == 0 for arg in item.args)
        if square or b.table.constant[number]:
            continue
        if name in KEEPS_SIGN:
            waiting += item.args
        elif name not in NEVER_NEGATIVE:
            return False
    return False


def dequantize(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    if not is_stored_with(b, *(call.arg(index) for index in range(3))):
        return None
    b.note(PATTERN)
    if not b.table.constant[call.arg(0)]:
        return (call.arg(0),)
    return (stored(b, call.arg(0), call.arg(1), call.arg(2), call.attrs.get("axis", 1)),)


def stored(b: "Builder", x: int, scale: int, zero: int, axis: int) -> int:
    """The numbers that constant integers stand for; floats went through a QuantizeLinear, and stand for themselves."""
    if b.table.dtype[x] in FLOATS:
        return x
    args = (x, scale) if zero == NONE else (x, scale, zero)
    made = b.table.make("ai.onnx:DequantizeLinear:10", args, (("axis", axis),))
    return b.table.typed(made, "float32", b.table.shape[x])


RULES: "Rules" = {
    **{(domain, "QuantizeLinear"): (quantize,) for domain in ("ai.onnx", "com.microsoft")},
    **{(domain, "DequantizeLinear"): (dequantize,) for domain in ("ai.onnx", "com.microsoft")},
}
