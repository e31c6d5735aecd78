"""Gemm and MatMul + Add

`Gemm` is a product of matrices, a sum and two factors in one node; `FusedMatMul` and `FusedGemm` are ONNX Runtime's.
All become MatMul, Transpose, Mul and Add; a scalar factor inside a product of matrices is taken out of it.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.dims import divided, flag
from gitops_model.diff.proof.infer import common
from gitops_model.diff.proof.table import NONE

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "gemm"
NUMERIC = "rounded"


def turned(b: "Builder", x: int, wanted: object) -> int | None:
    """The last two axes of a matrix exchanged, if wanted; None where the rank is not known."""
    if not wanted:
        return x
    shape = b.table.shape[x]
    if shape is None or len(shape) < 2:
        return None
    axes = list(range(len(shape)))
    axes[-1], axes[-2] = axes[-2], axes[-1]
    return b.op("Transpose", x, perm=tuple(axes))


def factor(b: "Builder", like: int, value: object) -> int | None:
    """A scalar constant for an attribute; None for 1, which is no factor."""
    from gitops_model.diff.proof.floats import unpack_float

    number = unpack_float(value, 1.0)
    return None if number == 1.0 else b.float_like(like, number)


def gemm(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    from gitops_model.diff.proof.floats import unpack_float

    for name in ("transA", "transB"):
        flag(call.attrs.get(name, 0))
    a, w = turned_pair(b, call)
    if a is None or w is None or (call.domain == "ai.onnx" and call.version < 7):
        return None
    made = b.op("MatMul", a, w)
    for name, target in (("alpha", "product"), ("beta", "term")):
        value = unpack_float(call.attrs.get(name), 1.0)
        if value != 1.0 and factor(b, call.arg(0), call.attrs.get(name)) is None:
            return None  # a factor whose type is not known
        if value != 1.0 and target == "product":
            made = b.op("Mul", made, factor(b, call.arg(0), call.attrs.get(name)) or NONE)
    if call.arg(2) != NONE:
        beta = factor(b, call.arg(0), call.attrs.get("beta"))
        made = b.op("Add", made, call.arg(2) if beta is None else b.op("Mul", call.arg(2), beta))
    b.note(PATTERN)
    return (made,)


def turned_pair(b: "Builder", call: "Call") -> tuple[int | None, int | None]:
    return turned(b, call.arg(0), call.attrs.get("transA")), turned(b, call.arg(1), call.attrs.get("transB"))


def fused_matmul(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    if call.attrs.get("transBatchA") or call.attrs.get("transBatchB"):
        return None
    return gemm(b, call._replace(args=call.args[:2]))


def multiplied(b: "Builder", call: "Call", sides: tuple[int, int]) -> int:
    """The product; a stack of matrices times one matrix is one tall matrix times it."""
    from gitops_model.diff.proof.infer import matmul as shape_of
    from gitops_model.diff.rewrites.reshape import to_shape

    left, right = b.table.shape[sides[0]], b.table.shape[sides[1]]
    if left is not None and right is not None and len(left) > 2 and len(right) == 2 and left[-1] == right[0]:
        rows = divided(left[:-1], ())
        if rows is not None and not b.table.constant[sides[0]]:
            flat = multiplied(b, call, (to_shape(b, sides[0], (rows, left[-1])), sides[1]))
            return to_shape(b, flat, (*left[:-1], right[1]))
    made = b.table.make("matmul", sides)
    if b.table.is_new(made):
        b.table.typed(made, common(b.table, sides), shape_of(b, call._replace(args=sides)))
    return made


def stripped(b: "Builder", x: int) -> tuple[int, list[int]]:
    """An expression without the scalar factors in it, seen through Transposes and Reshapes; and those factors."""
    from gitops_model.diff.rewrites.arithmetic import is_scalar, product
    from gitops_model.diff.rewrites.conv_affine import is_finite
    from gitops_model.diff.rewrites.layout import perm_of
    from gitops_model.diff.rewrites.layout import turned as turned_by
    from gitops_model.diff.rewrites.reshape import inside, to_shape

    if b.table.constant[x]:
        return x, []
    item = b.table.items[x]
    if item.op == "prod":
        scalars = [arg for arg in item.args if is_scalar(b, arg) and is_finite(b, arg)]
        return (product(b, *(arg for arg in item.args if arg not in scalars)), scalars) if scalars else (x, [])
    moved, shaped = perm_of(b, x), inside(b, x)
    if moved is not None:
        inner, scalars = stripped(b, moved[0])
        return (turned_by(b, inner, moved[1]), scalars) if scalars else (x, [])
    if shaped is not None:
        inner, scalars = stripped(b, shaped[0])
        return (to_shape(b, inner, shaped[2]), scalars) if scalars else (x, [])
    return x, []


def matmul(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """Scalar factors of either side stand outside."""
    from gitops_model.diff.rewrites.arithmetic import product

    left, outside = stripped(b, call.args[0])
    right, more = stripped(b, call.args[1])
    made = multiplied(b, call, (left, right))
    outside += more
    return (product(b, made, *outside) if outside else made,)


RULES: "Rules" = {
    ("ai.onnx", "Gemm"): (gemm,),
    ("ai.onnx", "MatMul"): (matmul,),
    ("com.microsoft", "FusedMatMul"): (fused_matmul,),
}
