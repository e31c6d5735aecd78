"""Operators with their activation inside

ONNX Runtime's optimiser puts the activation that follows a Conv or Gemm into it (`FusedConv`, `FusedGemm`). They become
the two nodes again.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.table import NONE, items_of

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "activation-fusion"
NUMERIC = "exact"

PARAMETERS = {"LeakyRelu": ("alpha",), "HardSigmoid": ("alpha", "beta"), "Relu": (), "Tanh": (), "Sigmoid": ()}
"""Activations and the attributes that `activation_params` stand for, in order (onnxruntime's FusedConv)."""


def activated(b: "Builder", x: int, call: "Call") -> int | None:
    activation = call.attrs.get("activation", b"")
    name = activation.decode("utf-8", "replace") if isinstance(activation, bytes) else "?"
    if not name:
        return x
    given = items_of(call.attrs.get("activation_params")) or ()
    if name == "Clip" and len(given) == 2:
        from gitops_model.diff.proof.floats import unpack_float

        bounds = [b.float_like(x, unpack_float(value)) for value in given]
        return None if None in bounds else b.op("Clip", x, *(bound or NONE for bound in bounds))
    if name not in PARAMETERS:
        return None
    values = given
    names = PARAMETERS[name]
    if name == "LeakyRelu" and "activation_alpha" in call.attrs:
        values = (call.attrs["activation_alpha"],)
    if len(values) < len(names):
        return None
    return b.op(name, x, **dict(zip(names, values, strict=False)))


def fused_conv(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """FusedConv(X, W, B, Z): the activation of Conv(X, W, B) + Z."""
    attrs = {name: value for name, value in call.attrs.items() if not name.startswith("activation")}
    made = b.op("Conv", *call.args[:3], **attrs)
    if call.arg(3) != NONE:
        made = b.op("Add", made, call.arg(3))
    result = activated(b, made, call)
    if result is None:
        return None
    b.note(PATTERN)
    return (result,)


def fused_gemm(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    attrs = {name: value for name, value in call.attrs.items() if not name.startswith("activation")}
    result = activated(b, b.op("Gemm", *call.args, **attrs), call)
    if result is None:
        return None
    b.note(PATTERN)
    return (result,)


RULES: "Rules" = {
    ("com.microsoft", "FusedConv"): (fused_conv,),
    ("com.microsoft", "FusedGemm"): (fused_gemm,),
}
