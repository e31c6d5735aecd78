"""Defaults and axes that are written out

An attribute that says its operator's default says nothing; converters write them all, and optimisers drop them. An axis
may be counted from the front or from behind. Counted are the operations that say the same with other attributes.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.dims import place

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "explicit-defaults"
NUMERIC = "exact"

FIRST = (
    *("Concat", "Gather", "GatherElements", "ScatterElements", "Split", "Softmax", "LogSoftmax", "Hardmax", "ArgMax"),
    *("ArgMin", "TopK", "LpNormalization", "LayerNormalization", "RMSNormalization", "Compress"),
    *("QuantizeLinear", "DequantizeLinear"),
)
"""Operators whose `axis` counts the axes of their first input."""


def from_the_front(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """A negative axis, where the rank is known."""
    axis, shape = call.attrs.get("axis"), b.table.shape[call.arg(0)]
    if not isinstance(axis, int) or axis >= 0 or not shape:
        return None
    return b.emit(call._replace(attrs={**call.attrs, "axis": place(axis, len(shape))}))


RULES: "Rules" = {("ai.onnx", op): (from_the_front,) for op in FIRST}
"""What attributes a call has not is filled in by the builder. Where nodes are matched, they are counted."""
