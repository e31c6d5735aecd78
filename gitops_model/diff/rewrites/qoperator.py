"""Operators on quantised tensors

`QLinearConv`, `QLinearMatMul` and ONNX Runtime's `QLinearAdd`, `QGemm` and the like count as the operator on floats
that they stand for, with weights as the numbers that their integers stand for (see qdq).
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.table import NONE

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "qoperator"
NUMERIC = "lossy"

UNARY = {
    "QLinearSigmoid": "Sigmoid", "QLinearLeakyRelu": "LeakyRelu", "QLinearAveragePool": "AveragePool",
    "QLinearGlobalAveragePool": "GlobalAveragePool", "QLinearSoftmax": "Softmax",
}  # fmt: skip
BINARY = {"QLinearAdd": "Add", "QLinearMul": "Mul"}
OURS = ("channels_last", "opset")
"""Attributes that the operator on floats has not."""


def done(b: "Builder", call: "Call", made: int, scale: int) -> tuple[int, ...]:
    """The result, which its zero point may cut off at zero; the place of its scale, which that follows, is given."""
    from gitops_model.diff.rewrites.qdq import cut, stored_with

    b.note(PATTERN)
    if call.arg(scale) == NONE:
        return (made,)  # in floats
    made = cut(b, made, call.arg(scale + 1))
    stored_with(b, made, call.arg(scale), call.arg(scale + 1))
    return (made,)


def real(b: "Builder", call: "Call", first: int, axis: int = 0) -> int:
    """The argument at a place, followed by its scale and zero point, as the numbers that it stands for."""
    from gitops_model.diff.rewrites.qdq import is_stored_with, stored

    x = call.arg(first)
    if not is_stored_with(b, x, call.arg(first + 1), call.arg(first + 2)):
        raise ValueError("stored with another scale")
    return stored(b, x, call.arg(first + 1), call.arg(first + 2), axis) if b.table.constant[x] else x


def bias_of(b: "Builder", bias: int, scale: int, weight_scale: int) -> int:
    from gitops_model.diff.rewrites.arithmetic import make
    from gitops_model.diff.rewrites.qdq import stored

    return NONE if bias == NONE else stored(b, bias, make(b, "prod", (scale, weight_scale)), NONE, 0)


def conv(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    bias = bias_of(b, call.arg(8), call.arg(1), call.arg(4))
    return done(b, call, b.op("Conv", real(b, call, 0), real(b, call, 3), bias, **call.attrs), 6)


def matmul(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    return done(b, call, b.op("MatMul", real(b, call, 0), real(b, call, 3, 1)), 6)


def gemm(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    bias = bias_of(b, call.arg(6), call.arg(1), call.arg(4))
    axis = 0 if call.attrs.get("transB") else 1
    return done(b, call, b.op("Gemm", real(b, call, 0), real(b, call, 3, axis), bias, **call.attrs), 7)


def binary(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    return done(b, call, b.op(BINARY[call.op], real(b, call, 0), real(b, call, 3)), 6)


def unary(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    if call.attrs.get("channels_last"):
        return None
    attrs = {name: value for name, value in call.attrs.items() if name not in OURS}
    return done(b, call, b.op(UNARY[call.op], real(b, call, 0), **attrs), 3)


def concat(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """QLinearConcat(scale, zero point, then each part with its scale and zero point)."""
    parts = (real(b, call, index) for index in range(2, len(call.args), 3))
    return done(b, call, b.op("Concat", *parts, **call.attrs), 0)


RULES: "Rules" = {
    ("ai.onnx", "QLinearConv"): (conv,),
    ("ai.onnx", "QLinearMatMul"): (matmul,),
    ("com.microsoft", "QGemm"): (gemm,),
    ("com.microsoft", "QLinearConcat"): (concat,),
    **{("com.microsoft", op): (binary,) for op in BINARY},
    **{("com.microsoft", op): (unary,) for op in UNARY},
}
