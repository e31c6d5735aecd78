"""Computing with shapes

Exporters compute the sizes that a Reshape or an Expand needs from the shapes of tensors, node by node; simplifiers
write the numbers. A `Shape` whose dimensions are fixed is the constant that it gives, and one dimension of a shape is
known where that one is fixed. Sizes that only the model's inputs bring are followed by where they come from: two ways
to compute one size are one. Counted are the nodes that do nothing but compute sizes.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "shape-computation"
NUMERIC = "exact"
FOLDS = True


def shape(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    dims = b.table.static(call.arg(0))
    if dims is None:
        return None
    start, end = call.attrs.get("start", 0), call.attrs.get("end", len(dims))
    if not isinstance(start, int) or not isinstance(end, int):
        return None
    made = b.int64s(dims[start:end])
    b.note(PATTERN)
    return (made,)


def size(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    from math import prod
    from struct import pack

    dims = b.table.static(call.arg(0))
    if dims is None or prod(dims) >= 1 << 62:
        return None
    made = b.value("int64", (), pack("<q", prod(dims)))
    b.note(PATTERN)
    return (made,)


def gather(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """One dimension of a shape, where that dimension is known although others are not."""
    from struct import pack

    table = b.table
    inner = table.items[call.arg(0)]
    index = b.ints(call.arg(1))
    if not inner.op.startswith("ai.onnx:Shape:") or not index or call.attrs.get("axis") not in (0, -1):
        return None
    attrs, dims = dict(inner.attrs), table.shape[inner.args[0]]
    dims = None if dims is None else dims[attrs.get("start", 0) : attrs.get("end")]
    if dims is None or any(not -len(dims) <= place < len(dims) for place in index):
        return None
    values = [dims[place] for place in index]
    numbers = [value for value in values if isinstance(value, int)]
    if len(numbers) != len(values):
        return None
    raw = pack(f"<{len(values)}q", *numbers)
    made = b.value("int64", table.static(call.arg(1)) or (), raw)
    b.note(PATTERN)
    return (made,)


RULES: "Rules" = {
    ("ai.onnx", "Shape"): (shape,),
    ("ai.onnx", "Size"): (size,),
    ("ai.onnx", "Gather"): (gather,),
}
