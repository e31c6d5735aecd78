"""Casts that change nothing

A Cast to the type that its input has already. Only where the input's type is certain.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.infer import ELEMENT

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "cast"
NUMERIC = "exact"


def cast(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    to = call.attrs.get("to")
    dtype = b.table.dtype[call.arg(0)]
    if not isinstance(to, int) or not dtype or ELEMENT.get(to) != dtype:
        return None
    b.note(PATTERN)
    return (call.arg(0),)


def cast_like(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """CastLike is a Cast to the type of its second input, where that is known."""
    dtype = b.table.dtype[call.arg(1)]
    to = next((number for number, name in ELEMENT.items() if name == dtype), None)
    if to is None:
        return None
    return (b.op("Cast", call.arg(0), to=to),)


RULES: "Rules" = {("ai.onnx", "Cast"): (cast,), ("ai.onnx", "CastLike"): (cast_like,)}
