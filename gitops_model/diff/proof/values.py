"""How two values, and two expressions, compare."""

from enum import IntEnum
from typing import Any


class Outcome(IntEnum):
    """How two expressions compare, better ones first; a whole is as good as its worst part."""

    EXACT = 0
    ROUNDED = 1
    """Equal in real arithmetic; constants computed here match within float rounding."""
    LOSSY = 2
    """The same but for numbers of fewer bits, on purpose: half precision, quantisation."""
    WEIGHTS = 3
    """The same operations on the same shapes, but constants changed."""
    DIFFERENT = 4


ROUNDING = {"float32": 2.0**-23, "float64": 2.0**-52, "float16": 2.0**-10, "bfloat16": 2.0**-7}
"""Machine epsilon of each type."""

TINY = {"float32": 2.0**-126, "float64": 2.0**-1022, "float16": 2.0**-14 * 2.0**-10, "bfloat16": 2.0**-126}
"""What may be lost where results are too small to be normal."""

ULPS = 4
"""Units in the last place that a folding may lose: a handful of operations of half a unit each."""

LOSS = 2.0**-10
"""The most that rounding may take of a tensor's largest number. Where terms cancel until more is gone, what is left
could be anything, and proves nothing."""


def close(one: tuple[Any, Any], other: tuple[Any, Any], dtype: str) -> Outcome:
    """Whether two values are equal, or equal within the rounding of their type.

    Each is a value with the size of what led to it (`Evaluator.both`): rounding is relative to that, by element.
    """
    import numpy as np

    (a, size), (b, other_size) = one, other
    if a.shape != b.shape:
        return Outcome.DIFFERENT
    if np.array_equal(a, b):
        return Outcome.EXACT
    epsilon = ROUNDING.get(dtype)
    if epsilon is None or a.dtype.kind != "f" or b.dtype.kind != "f":
        return Outcome.WEIGHTS
    with np.errstate(all="ignore"):
        largest = max(float(np.abs(a).max()), float(np.abs(b).max()))
        bound = np.minimum(ULPS * epsilon * np.maximum(size, other_size), LOSS * largest) + TINY[dtype]
        near = (a == b) | (np.isfinite(bound) & (np.abs(a - b) <= bound))
    return Outcome.ROUNDED if bool(near.all()) else Outcome.WEIGHTS
