"""Pad, Slice, Concat, Expand, Tile, Clip and the like that do nothing

A Pad by zero, a Concat of one, a Clip without bounds, a Tile by one, an Expand to the shape that is there, a Slice of
everything: each gives back its input. So does a mean, sum or maximum over axes of one element, but for the axes.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.table import NONE, ints_of

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "no-op"
NUMERIC = "exact"

FAR = 2**31 - 1
"""An end of a Slice from here on means "to the end" in every exporter."""


def same(b: "Builder", x: int) -> tuple[int, ...]:
    b.note(PATTERN)
    return (x,)


def pad(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    pads = ints_of(call.attrs.get("pads")) if call.version < 11 else b.ints(call.arg(1))
    if pads and not any(pads):
        return same(b, call.arg(0))
    return None


def concat(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    return same(b, call.arg(0)) if len(call.args) == 1 else None


def clip(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    return same(b, call.arg(0)) if call.version >= 11 and call.arg(1) == call.arg(2) == NONE else None


def tile(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    repeats, shape = b.ints(call.arg(1)), b.table.shape[call.arg(0)]
    if not repeats or set(repeats) != {1} or (shape is not None and len(shape) != len(repeats) and call.version >= 6):
        return None
    return same(b, call.arg(0))


def expand(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    wanted, shape = b.ints(call.arg(1)), b.table.static(call.arg(0))
    if wanted is None or shape is None or len(wanted) > len(shape):
        return None
    tail = shape[len(shape) - len(wanted) :]
    fits = all(want in (1, dim) for want, dim in zip(wanted, tail, strict=True))
    return same(b, call.arg(0)) if fits else None


def slices(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    if call.version < 10:
        return None
    starts, ends = b.ints(call.arg(1)), b.ints(call.arg(2))
    steps = b.ints(call.arg(4)) if call.arg(4) != NONE else None
    if starts is None or ends is None or (call.arg(4) != NONE and steps is None):
        return None
    if not any(starts) and all(end >= FAR for end in ends) and set(steps or (1,)) == {1}:
        return same(b, call.arg(0))
    return None


def sum_or_mean(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """Sum, Mean, Max and Min of one are that one."""
    return same(b, call.arg(0)) if len(call.args) == 1 else None


RULES: "Rules" = {
    ("ai.onnx", "Pad"): (pad,),
    ("ai.onnx", "Concat"): (concat,),
    ("ai.onnx", "Clip"): (clip,),
    ("ai.onnx", "Tile"): (tile,),
    ("ai.onnx", "Expand"): (expand,),
    ("ai.onnx", "Slice"): (slices,),
    **{("ai.onnx", op): (sum_or_mean,) for op in ("Sum", "Mean", "Max", "Min")},
}
