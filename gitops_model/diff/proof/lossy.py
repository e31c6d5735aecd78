"""Constants that are the same numbers with fewer bits: half precision, and integers with a scale."""

from typing import Any

from gitops_model.diff.proof.dims import place
from gitops_model.diff.proof.evaluate import Evaluator
from gitops_model.diff.proof.operations import Unknown
from gitops_model.diff.proof.table import Table, ints_of
from gitops_model.diff.proof.values import ULPS, Outcome, close

HALF = {"float16": (2.0**-10, 2.0**-23), "bfloat16": (2.0**-7, 2.0**-126)}
"""Relative and absolute error of a number in half precision; converters write 1e-7 for what is smaller."""

STEP = 1 / 100
"""What a quantised number may be off, of the largest of its tensor: a step of 8 bits, and some room."""

CUT = "cut"
"""Numbers that a quantiser cut off at zero (rewrites/qdq.py): a Relu on the other side, or nothing (compare.py)."""

FLOATS = ("float16", "bfloat16", "float32", "float64")
NAMES = {"float16": "fp16", "bfloat16": "bf16"}


class Lossy:
    """Compares constants; `counted` says how many were found to be the same with fewer bits, by pattern."""

    def __init__(self, table: Table, evaluator: Evaluator) -> None:
        self.table = table
        self.evaluator = evaluator
        self.counted: dict[str, int] = {}

    def constants(self, a: int, b: int) -> Outcome | None:
        import numpy as np

        table = self.table
        types = (table.dtype[a], table.dtype[b])
        if types[0] != types[1] and not (types[0] in FLOATS and types[1] in FLOATS):
            return Outcome.DIFFERENT
        try:
            one, other = self.evaluator.both(a), self.evaluator.both(b)
        except Unknown:
            return None
        known = close(one, other, types[0] if types[0] == types[1] else "float64")
        if known <= Outcome.ROUNDED or known is Outcome.DIFFERENT:
            return known
        (x, size), (y, other_size) = one, other
        computed = any(table.items[number].op != "const" for number in (a, b))
        if x.dtype.kind != "f" or y.dtype.kind != "f" or not x.size:
            return Outcome.WEIGHTS
        half = next((kind for kind in types if kind in HALF and types[0] != types[1]), None)
        if half is not None:
            relative, absolute = HALF[half]
            sizes = ULPS * np.maximum(size, other_size) if computed else np.maximum(np.abs(x), np.abs(y))
            bound = relative * sizes + absolute
        elif self.quantised(a) or self.quantised(b):
            axes = self.one_scale(a if self.quantised(a) else b, x.ndim)
            bound = STEP * np.maximum(np.abs(x), np.abs(y)).max(axis=axes, keepdims=True)
        else:
            return Outcome.WEIGHTS
        if not bool((np.abs(x - y) <= bound).all()):
            return Outcome.WEIGHTS
        if half is not None:
            self.counted[NAMES[half]] = self.counted.get(NAMES[half], 0) + 1
        return Outcome.LOSSY

    def one_scale(self, number: int, rank: int) -> tuple[int, ...]:
        """The axes along which a constant has the same scale: all, or all but the one that has a scale per channel."""
        item, perm = self.table.items[number], tuple(range(rank))
        if item.op.startswith("ai.onnx:Transpose:"):
            perm = ints_of(dict(item.attrs).get("perm")) or tuple(reversed(perm))
            item = self.table.items[item.args[0]]
        scale = self.table.static(item.args[1]) if item.op.startswith("ai.onnx:DequantizeLinear:") else None
        if scale is None or len(scale) != 1 or scale[0] < 2:
            return tuple(range(rank))
        attrs: dict[str, Any] = dict(item.attrs)
        axis = place(attrs.get("axis", 1), rank)
        return tuple(index for index, source in enumerate(perm) if source != axis)

    def quantised(self, number: int) -> bool:
        """Whether a constant is made from integers with a scale."""
        waiting, seen = [number], set[int]()
        while waiting and len(seen) < 100:
            item = self.table.items[waiting.pop()]
            if item.op.startswith("ai.onnx:DequantizeLinear:"):
                return True
            waiting += [arg for arg in item.args if arg not in seen]
            seen.update(item.args)
        return False
