"""Pooling over everything

`GlobalAveragePool` and `GlobalMaxPool` are a mean and a maximum over all axes behind the second.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "global-pool"
NUMERIC = "exact"

REDUCTIONS = {"GlobalAveragePool": "ReduceMean", "GlobalMaxPool": "ReduceMax"}


def pool(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    from gitops_model.diff.rewrites.opset import reduced

    shape = b.table.shape[call.arg(0)]
    if shape is None or len(shape) < 3:
        return None
    made = reduced(b, REDUCTIONS[call.op], call.arg(0), True, tuple(range(2, len(shape))))
    b.note(PATTERN)
    return (made,)


RULES: "Rules" = {("ai.onnx", op): (pool,) for op in REDUCTIONS}
