"""SiLU (Swish) as one operator or in parts

x · sigmoid(alpha · x): ONNX's `Swish`, ONNX Runtime's `QuickGelu`, and `HardSwish` as x times a `HardSigmoid`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "silu"
NUMERIC = "rounded"


def swish(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    from gitops_model.diff.proof.floats import unpack_float

    x = call.arg(0)
    alpha = unpack_float(call.attrs.get("alpha"), 1.702 if call.op == "QuickGelu" else 1.0)
    factor = b.float_like(x, alpha)
    if factor is None:
        return None
    made = b.op("Mul", x, b.op("Sigmoid", x if alpha == 1.0 else b.op("Mul", x, factor)))
    b.note(PATTERN)
    return (made,)


def hard_swish(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    from gitops_model.diff.proof.floats import pack_float

    x = call.arg(0)
    made = b.op("Mul", x, b.op("HardSigmoid", x, alpha=pack_float(1 / 6), beta=pack_float(0.5)))
    b.note(PATTERN)
    return (made,)


RULES: "Rules" = {
    ("ai.onnx", "Swish"): (swish,),
    ("com.microsoft", "QuickGelu"): (swish,),
    ("ai.onnx", "HardSwish"): (hard_swish,),
}
