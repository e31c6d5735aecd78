"""One value, many times

`ConstantOfShape`, and an Expand of a single constant, whose dimensions are fixed numbers: the constant that they make.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.table import items_of

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "constant-fill"
NUMERIC = "exact"
FOLDS = True


def filled(b: "Builder", value: int, dims: tuple[int, ...]) -> int:
    from gitops_model.diff.rewrites.reshape import to_shape

    made = b.table.make("spread", (to_shape(b, value, ()),), dims)
    b.note(PATTERN)
    return b.table.typed(made, b.table.dtype[value], dims)


def constant_of_shape(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    from struct import pack

    dims = b.ints(call.arg(0))
    if dims is None or b.table.static(call.arg(0)) != (len(dims),) or any(dim < 0 for dim in dims):
        return None
    given = items_of(call.attrs.get("value"))
    if given is None:
        return (filled(b, b.value("float32", (), pack("<f", 0.0)), dims),)
    if given[0] != "tensor" or b.table.static(given[1]) not in ((), (1,)):
        return None
    return (filled(b, given[1], dims),)


def expand(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    dims = b.ints(call.arg(1))
    if not b.table.constant[call.arg(0)] or dims is None or any(dim < 1 for dim in dims):
        return None
    shape = b.table.static(call.arg(0))
    if shape is None or set(shape) - {1} or len(shape) > len(dims):
        return None
    return (filled(b, call.arg(0), dims),)


RULES: "Rules" = {("ai.onnx", "ConstantOfShape"): (constant_of_shape,), ("ai.onnx", "Expand"): (expand,)}
