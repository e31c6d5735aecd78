"""Measuring with NumPy: elements whatever their order, distances, permutations of axes, factors per channel."""

from itertools import permutations
from math import prod
from typing import TYPE_CHECKING, Any

from gitops_model.errors import MissingExtra
from gitops_model.ir import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gitops_model.readers.bytes import TensorBytes

    Array = NDArray[Any]

LAYOUTS = {
    "float32": "<f4", "float64": "<f8", "float16": "<f2", "bfloat16": "<u2", "int8": "<i1", "int16": "<i2",
    "int32": "<i4", "int64": "<i8", "uint8": "<u1", "uint16": "<u2", "uint32": "<u4", "uint64": "<u8", "bool": "?",
}  # fmt: skip

LIMIT_BYTES = 1 << 30
"""Largest tensor that is brought to memory for a measurement."""

FOLD_SLICE = 4
"""Elements that must share a factor before it is called one."""


class Values:
    """The elements of tensors of both sides; the last few stay in memory."""

    def __init__(self, before: "TensorBytes | None", after: "TensorBytes | None") -> None:
        try:
            import numpy as np
        except ImportError as error:
            raise MissingExtra("review", "numpy") from error
        self.np = np
        self.data = (before, after)
        self.kept: dict[tuple[int, str], Array] = {}

    def readable(self, tensor: Tensor) -> bool:
        return tensor.dtype in LAYOUTS and tensor.nbytes <= LIMIT_BYTES

    def stored(self, tensor: Tensor, side: int) -> "Array":
        """The elements as they are stored (bfloat16 as 16-bit patterns)."""
        key = (side, tensor.name)
        found = self.kept.get(key)
        if found is None:
            data = self.data[side]
            assert data is not None
            raw = bytearray()
            for chunk in data.chunks(tensor.data):
                raw += chunk
            found = self.np.frombuffer(raw, LAYOUTS[tensor.dtype]).reshape(tensor.shape)
            if len(self.kept) >= 4:
                self.kept.pop(next(iter(self.kept)))
            self.kept[key] = found
        return found

    def numbers(self, tensor: Tensor, side: int) -> "Array":
        """The elements as float64."""
        np = self.np
        stored = self.stored(tensor, side)
        if tensor.dtype == "bfloat16":
            return (stored.astype("<u4") << np.uint32(16)).view("<f4").astype(np.float64)
        return stored.astype(np.float64)

    def unordered(self, tensor: Tensor, side: int) -> bytes:
        """A digest of the elements that does not depend on their order: they are sorted by their bits."""
        from blake3 import blake3

        np = self.np
        flat = self.stored(tensor, side).reshape(-1)
        bits = flat.view(f"<u{flat.dtype.itemsize}")
        return blake3(np.sort(bits).tobytes()).digest()


def orders(values: Values, before: Tensor, after: Tensor) -> str | None:
    """How the axes of `after` come from those of `before`, proved byte by byte; None where no order of axes does it."""
    one, other = values.stored(before, 0), values.stored(after, 1)
    np = values.np
    bits_one = one.view(f"<u{one.dtype.itemsize}")
    bits_other = other.view(f"<u{other.dtype.itemsize}")
    if np.array_equal(bits_one.reshape(-1), bits_other.reshape(-1)):
        return f"other dims: {list(before.shape)} as {list(after.shape)}"
    rank = len(before.shape)
    if rank > 4:
        return None
    for perm in permutations(range(rank)):
        if perm == tuple(range(rank)):
            continue
        turned = bits_one.transpose(perm)
        if turned.size == bits_other.size and np.array_equal(turned.reshape(-1), bits_other.reshape(-1)):
            return f"axes {list(perm)}"
    return None


def aligned(values: Values, before: Tensor, after: Tensor) -> "list[tuple[Array, Array, str]]":
    """Both as numbers in one shape: as they are, else in every order of axes that gives the other's shape."""
    one, other = values.numbers(before, 0), values.numbers(after, 1)
    if before.shape == after.shape:
        return [(one, other, "")]
    found: list[tuple[Array, Array, str]] = []
    if len(before.shape) == len(after.shape) <= 4:
        perms = permutations(range(len(before.shape)))
        fitting = [perm for perm in perms if tuple(before.shape[axis] for axis in perm) == after.shape]
        found = [(one.transpose(perm), other, f"axes {list(perm)}") for perm in fitting]
    return found


def distance(values: Values, before: Tensor, after: Tensor) -> tuple[float, float, str] | None:
    """(largest absolute difference, the same relative to the largest value, note) in the best order of axes.

    NaN at the same places is no difference; anywhere else it is infinitely far.
    """
    np = values.np
    best: tuple[float, float, str] | None = None
    for one, other, note in aligned(values, before, after):
        if not prod(one.shape):
            return 0.0, 0.0, note
        both = np.isnan(one) & np.isnan(other)
        with np.errstate(invalid="ignore"):
            gap = np.abs(one - other)
        gap = np.where(both | (one == other), 0.0, gap)
        largest = float(np.max(np.nan_to_num(gap, nan=np.inf)))
        finite = np.abs(np.concatenate([one[np.isfinite(one)], other[np.isfinite(other)]]))
        scale = float(np.max(finite)) if finite.size else 0.0
        relative = largest / scale if scale else (0.0 if largest == 0 else float("inf"))
        if best is None or relative < best[1]:
            best = (largest, relative, note)
    return best


def folding(values: Values, before: Tensor, after: Tensor, tolerance: float) -> str | None:
    """Whether `after` is `before` times one factor per slice along an axis; says the range and the largest residual.

    A slice must have FOLD_SLICE elements or more: a factor per element would explain anything.
    """
    for one, other, note in aligned(values, before, after):
        for axis in range(one.ndim):
            if one.shape[axis] and one.size // one.shape[axis] >= FOLD_SLICE:
                found = factors(values, values.np.moveaxis(one, axis, 0), values.np.moveaxis(other, axis, 0), tolerance)
                if found is not None:
                    return ", ".join(part for part in (note, f"a factor per slice of axis {axis} {found}") if part)
    return None


def factors(values: Values, one: "Array", other: "Array", tolerance: float) -> str | None:
    np = values.np
    one, other = one.reshape(one.shape[0], -1), other.reshape(other.shape[0], -1)
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        return None
    squares = np.sum(one * one, axis=1)
    scale = float(np.max(np.abs(other)))
    if not squares.all() or not scale:
        return None
    fitted = np.sum(one * other, axis=1) / squares
    residual = float(np.max(np.abs(other - one * fitted[:, None]))) / scale
    # Factors are fitted, so the rounding of the folding shows in the residual; 16 units of float32 are room for it.
    if residual > max(tolerance, 16 * 2.0**-23):
        return None
    return f"(from {fitted.min():.4g} to {fitted.max():.4g}, residual {residual:.2g} of the largest value)"
