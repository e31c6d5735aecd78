"""`If` and `Where` with a condition that is known

An If whose condition is a constant always takes the same branch, and is that branch. So is a Where whose condition says
the same everywhere, if that side has the shape of the result.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.infer import broadcast
from gitops_model.diff.proof.table import items_of

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "if-constant"
NUMERIC = "exact"


def if_constant(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    condition = b.ints(call.arg(0))
    if condition is None or len(condition) != 1:
        return None
    branch = items_of(call.attrs.get("then_branch" if condition[0] else "else_branch"))
    if branch is None or branch[:1] != ("graph",) or branch[1][1]:
        return None
    outputs = branch[2:]
    b.note(PATTERN)
    return outputs


def where(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    condition = b.ints(call.arg(0))
    if not condition or len(set(condition)) > 1:
        return None
    chosen = call.arg(1 if condition[0] else 2)
    shape = b.table.shape[chosen]
    if shape is None or shape != broadcast([b.table.shape[arg] for arg in call.args]):
        return None
    b.note(PATTERN)
    return (chosen,)


RULES: "Rules" = {("ai.onnx", "If"): (if_constant,), ("ai.onnx", "Where"): (where,)}
