"""A reduction of a reduction

The largest of the largest, the sum of sums, and the mean of means of equally many are those of all: two reductions of
one kind in a row, along different axes, are one along all of them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.rewrites import Rules

PATTERN = "nested-reduction"
NUMERIC = "rounded"

MERGED = ("ReduceMax", "ReduceMin", "ReduceSum", "ReduceMean", "ReduceProd")


def merged(b: "Builder", op: str, x: int, keep: bool, axes: tuple[int, ...]) -> int | None:
    """The one reduction; None where the inner one is of another kind, or where which axes are meant is not certain."""
    from gitops_model.diff.rewrites.arithmetic import is_float
    from gitops_model.diff.rewrites.opset import reduced

    item = b.table.items[x]
    if op not in MERGED or item.op != f"reduce:{op}" or item.attrs[0] != keep:
        return None
    if op == "ReduceMean" and not is_float(b, x):
        return None  # each mean of integers is rounded
    inner, shape = item.attrs[1:], b.table.shape[item.args[0]]
    if shape is None or min((*inner, *axes)) < 0:
        return None
    left = list(range(len(shape))) if keep else [axis for axis in range(len(shape)) if axis not in inner]
    made = reduced(b, op, item.args[0], keep, tuple(sorted({*inner, *(left[axis] for axis in axes)})))
    b.note(PATTERN)
    return made


RULES: "Rules" = {}
"""Reductions come here from opset.py, once their axes are known."""
