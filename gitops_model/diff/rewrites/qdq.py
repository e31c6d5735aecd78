"""QuantizeLinear and DequantizeLinear

A tensor that is quantised and taken back counts as itself, and constants that are stored as integers as the numbers
that they stand for: within a step of their scale the same as before. Quantised models compute something else, so they
are not equivalent; that nothing but the quantisation changed is what is said.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.table import NONE

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder, Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "qdq"
NUMERIC = "lossy"


def quantize(_: "Builder", call: "Call") -> tuple[int, ...] | None:
    return (call.arg(0),)


def dequantize(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    b.note(PATTERN, call.arg(0))
    if not b.table.constant[call.arg(0)]:
        return (call.arg(0),)
    return (stored(b, call.arg(0), call.arg(1), call.arg(2), call.attrs.get("axis", 1)),)


def stored(b: "Builder", x: int, scale: int, zero: int, axis: int) -> int:
    """The numbers that constant integers stand for."""
    args = (x, scale) if zero == NONE else (x, scale, zero)
    made = b.table.make("ai.onnx:DequantizeLinear:10", args, (("axis", axis),))
    return b.table.typed(made, "float32", b.table.shape[x])


RULES: "Rules" = {
    **{(domain, "QuantizeLinear"): (quantize,) for domain in ("ai.onnx", "com.microsoft")},
    **{(domain, "DequantizeLinear"): (dequantize,) for domain in ("ai.onnx", "com.microsoft")},
}
