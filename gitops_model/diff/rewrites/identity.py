"""`Identity` nodes

An Identity gives back its input. Exporters leave them behind, optimisers take them out; a model computes the same with
and without them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "identity"
NUMERIC = "exact"


def identity(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    b.note(PATTERN)
    return (call.arg(0),)


RULES: "Rules" = {("ai.onnx", "Identity"): (identity,)}
