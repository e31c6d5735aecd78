"""Transposes that cancel or do nothing

A Transpose that keeps every axis in its place, and two in a row, which are one. One that moves only
axes of size one is a Reshape.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.table import ints_of

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "transpose"
NUMERIC = "exact"


def transpose(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    x = call.arg(0)
    perm = order(b, call, x)
    if perm is None:
        return None
    b.note(PATTERN)
    if perm == tuple(range(len(perm))):
        return (x,)
    shape = b.table.shape[x]
    if shape is not None and len(shape) == len(perm):
        from gitops_model.diff.rewrites.layout import moves_nothing

        if moves_nothing(shape, perm):
            from gitops_model.diff.rewrites.reshape import to_shape

            return (to_shape(b, x, tuple(shape[axis] for axis in perm)),)
    inner = b.table.items[x]
    if inner.op.startswith("ai.onnx:Transpose:"):
        before = ints_of(dict(inner.attrs).get("perm"))
        if before is not None and len(before) == len(perm):
            made = b.op("Transpose", inner.args[0], perm=tuple(before[axis] for axis in perm))
            return (made,)
    if shape is not None and len(shape) == len(perm):
        from gitops_model.diff.rewrites.reshape import to_shape, unordered

        dims, settled = unordered(tuple(shape[axis] for axis in perm), [axis for axis in perm if shape[axis] != 1])
        if (dims, settled) != (shape, perm):
            return (b.op("Transpose", to_shape(b, x, dims), perm=settled),)
    if call.attrs.get("perm") == perm:
        return None
    return (b.op("Transpose", x, perm=perm),)


def order(b: "Builder", call: "Call", x: int) -> tuple[int, ...] | None:
    """The permutation; without one the axes are reversed, which needs the rank."""
    perm = ints_of(call.attrs.get("perm"))
    if perm is not None:
        return perm if sorted(perm) == list(range(len(perm))) else None
    shape = b.table.shape[x]
    return None if shape is None else tuple(reversed(range(len(shape))))


RULES: "Rules" = {("ai.onnx", "Transpose"): (transpose,)}
