"""How far one array lies from another: what a probe measures on an output, block by block."""

from typing import Any

BLOCK = 1 << 20
"""Elements that are compared at a time."""
LARGEST = 1e308
"""What a difference is cut to: JSON has no infinity."""
FLOOR = 1e-6
"""The least size that a relative difference refers to."""


def apart(before: Any, after: Any, tolerance: float, smallest: float) -> dict[str, Any]:
    """Numbers for `ProbedOutput`, and `beyond`: how many of `elements` differ by more than rounding.

    Floats: more than `tolerance` of the largest finite magnitude of either, and more than `smallest`. Integers of 8
    bits: more than one. All else: at all. `rows` are those of the last axis, `agreeing` how many have their largest
    element at the same place. `finite`: how many elements are finite on both sides.
    """
    import numpy as np

    texts = [array.dtype.kind in "OUS" for array in (before, after)]
    if before.shape != after.shape:
        return {"note": "another shape", "beyond": max(before.size, after.size), "elements": after.size}
    if texts[0] != texts[1]:
        return {"note": "texts and numbers cannot be compared"}
    if texts[0]:
        return {"elements": after.size, "beyond": int(np.sum(before != after)), "discrete": True}
    found: dict[str, Any] = {"elements": int(after.size), "same_bits": before.dtype == after.dtype}
    discrete = before.dtype.kind in "biu" and after.dtype.kind in "biu"
    small = discrete and before.dtype.itemsize == after.dtype.itemsize == 1 and before.dtype.kind != "b"
    scale = max(_largest(before), _largest(after))
    room = (1.0 if small else 0.0) if discrete else max(tolerance * scale, smallest)
    totals = {"max_abs": 0.0, "max_rel": 0.0, "nan": 0, "infinite": 0, "beyond": 0, "finite": 0}
    one, other = before.reshape(-1), after.reshape(-1)
    for start in range(0, after.size, BLOCK):
        a, b = one[start : start + BLOCK], other[start : start + BLOCK]
        if found["same_bits"] and a.tobytes() != b.tobytes():
            found["same_bits"] = False
        _block(totals, _wide(a), _wide(b), room)
    found |= totals | {"discrete": discrete}
    if not discrete and after.ndim and after.shape[-1] > 1 and after.size and after.dtype.kind != "c":
        found["rows"] = int(after.size // after.shape[-1])
        found["agreeing"] = int(np.sum(np.argmax(before, -1) == np.argmax(after, -1)))
    return found


def _wide(array: Any) -> Any:
    """In a type in which differences are exact enough: 64-bit integers would lose their last digits as floats."""
    import numpy as np

    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        return array.astype(np.longdouble)
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def _largest(array: Any) -> float:
    import numpy as np

    flat = array.reshape(-1)
    largest = 0.0
    for start in range(0, flat.size, BLOCK):
        sizes = np.abs(_wide(flat[start : start + BLOCK]))
        largest = max(largest, float(np.max(sizes, initial=0.0, where=np.isfinite(sizes))))
    return largest


def _block(totals: dict[str, Any], a: Any, b: Any, room: float) -> None:
    import numpy as np

    with np.errstate(all="ignore"):
        nan, infinite = np.isnan(a) != np.isnan(b), np.isinf(a) | np.isinf(b)
        infinite &= ~np.isnan(a) & ~np.isnan(b) & (a != b)
        finite = np.isfinite(a) & np.isfinite(b)
        distance = np.where(finite, np.abs(np.where(finite, a, 0) - np.where(finite, b, 0)), 0.0)
        size = np.maximum(np.where(finite, np.abs(a), 1.0), np.where(finite, np.abs(b), 1.0))
        relative = distance / np.maximum(size, FLOOR)
    totals["nan"] += int(np.sum(nan))
    totals["infinite"] += int(np.sum(infinite))
    totals["finite"] += int(np.sum(finite))
    totals["max_abs"] = max(totals["max_abs"], min(float(np.max(distance, initial=0.0)), LARGEST))
    totals["max_rel"] = max(totals["max_rel"], min(float(np.max(relative, initial=0.0)), LARGEST))
    totals["beyond"] += int(np.sum(distance > room)) + int(np.sum(nan)) + int(np.sum(infinite))
