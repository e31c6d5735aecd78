"""Gemm and MatMul + Add

`Gemm` is a product of matrices, a sum and two factors in one node; `FusedMatMul` and `FusedGemm` are ONNX Runtime's.
All become MatMul, Transpose, Mul and Add; a scalar factor inside a product of matrices is taken out of it.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.dims import flag
from gitops_model.diff.proof.infer import common
from gitops_model.diff.proof.table import NONE

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder, Call
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
    b.note(PATTERN, made)
    return (made,)


def turned_pair(b: "Builder", call: "Call") -> tuple[int | None, int | None]:
    return turned(b, call.arg(0), call.attrs.get("transA")), turned(b, call.arg(1), call.attrs.get("transB"))


def fused_matmul(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    if call.attrs.get("transBatchA") or call.attrs.get("transBatchB"):
        return None
    return gemm(b, call._replace(args=call.args[:2]))


def matmul(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """Scalar factors of either side stand outside."""
    from gitops_model.diff.rewrites.arithmetic import is_scalar, product

    outside: list[int] = []
    sides: list[int] = []
    for arg in call.args[:2]:
        item = b.table.items[arg]
        scalars = [x for x in item.args if is_scalar(b, x)] if item.op == "prod" and not b.table.constant[arg] else []
        if scalars:
            outside += scalars
            sides.append(product(b, *(x for x in item.args if x not in scalars)))
        else:
            sides.append(arg)
    made = b.table.make("matmul", tuple(sides))
    if b.table.is_new(made):
        from gitops_model.diff.proof.infer import matmul as shape

        b.table.typed(made, common(b.table, tuple(sides)), shape(b, call._replace(args=tuple(sides))))
    return (product(b, made, *outside) if outside else made,)


def transposed_product(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """A scalar factor under a Transpose stands outside of it."""
    from gitops_model.diff.rewrites.arithmetic import is_scalar, product

    item = b.table.items[call.arg(0)]
    if item.op != "prod" or b.table.constant[call.arg(0)]:
        return None
    scalars = [x for x in item.args if is_scalar(b, x)]
    if not scalars:
        return None
    inner = product(b, *(x for x in item.args if x not in scalars))
    return (product(b, b.emit(call._replace(args=(inner,)))[0], *scalars),)


RULES: "Rules" = {
    ("ai.onnx", "Gemm"): (gemm,),
    ("ai.onnx", "MatMul"): (matmul,),
    ("ai.onnx", "Transpose"): (transposed_product,),
    ("com.microsoft", "FusedMatMul"): (fused_matmul,),
}
