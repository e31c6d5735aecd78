"""How much changed tensors changed: measured on both sides' elements, block by block, never a whole tensor in memory.

Two passes are never made and nothing is sampled: what is stated holds for every element that was compared. A tensor of
a type without numbers (GGML blocks, strings), or whose bytes cannot be had, has no statistics.
"""

from math import isfinite, prod, sqrt
from typing import TYPE_CHECKING, Any

from gitops_model.diff.elements import BLOCK, EPSILON, blocks, is_float, is_numeric, numbers, rounded
from gitops_model.diff.layers import layers, patterns
from gitops_model.diff.measured import Statistics
from gitops_model.diff.result import Side, TensorChange, WeightsDiff
from gitops_model.errors import BadFile
from gitops_model.ir import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gitops_model.readers.bytes import TensorBytes

    Array = NDArray[Any]

SKETCH = 40
"""Random directions that a difference is multiplied by; a rank of up to SKETCH - 8 can be told."""
MOST_COLUMNS = 1 << 15
MOST_TRANSPOSED = 16 << 20
"""Bytes of a tensor that is brought to memory to see whether its axes were swapped."""
CORRELATED = 0.98
"""Least correlation of integers with the numbers that they stand for, to call them quantised."""


def measured(before: Side, after: Side, weights: WeightsDiff, *, measure: bool = True) -> WeightsDiff:
    """The same, with statistics on each changed tensor, layers and patterns; without NumPy only layers."""
    if measure and weights.changed and before.data is not None and after.data is not None and _numpy():
        places = tensors_by_fact(before), tensors_by_fact(after)
        changed = tuple(_with_statistics(change, places, before.data, after.data) for change in weights.changed)
        weights = weights._replace(changed=changed)
    weights = weights._replace(layers=layers(after, weights))
    return weights._replace(patterns=tuple(patterns(after, weights)))


def _numpy() -> bool:
    try:
        import numpy as np
    except ImportError:
        return False
    return bool(np)


Places = dict[tuple[str, str, tuple[int, ...], str | None], Tensor]


def tensors_by_fact(side: Side) -> Places:
    return {
        (tensor.name, tensor.dtype, tensor.shape, digest): tensor
        for tensor, digest in zip(side.model.tensors, side.digests, strict=True)
    }


def _with_statistics(
    change: TensorChange, places: tuple[Places, Places], old: "TensorBytes", new: "TensorBytes"
) -> TensorChange:
    pair = [
        place.get((fact.name, fact.dtype, fact.shape, fact.digest))
        for place, fact in zip(places, (change.before, change.after), strict=True)
        if fact is not None
    ]
    if len(pair) != 2 or pair[0] is None or pair[1] is None or change.before is None or change.after is None:
        return change
    if None in (change.before.digest, change.after.digest):
        return change
    try:
        return change._replace(statistics=compare(pair[0], pair[1], old, new))
    except (BadFile, TypeError):  # a locator without canonical bytes of its own (a sparse tensor)
        return change


def compare(before: Tensor, after: Tensor, old: "TensorBytes", new: "TensorBytes") -> Statistics | None:
    """The statistics of a pair; None where there is nothing to compare element by element."""
    if not (is_numeric(before.dtype) and is_numeric(after.dtype)):
        return None
    if before.dtype == after.dtype and max(before.nbytes, after.nbytes) <= MOST_TRANSPOSED:
        swapped = transposed(before, after, old, new)
        if swapped is not None:
            return swapped
    elements = overlap(before, after)
    if not elements:
        return None
    columns = before.shape[-1] if before.shape == after.shape and len(before.shape) == 2 else 0
    sketch = None
    if columns and columns <= MOST_COLUMNS and before.dtype == after.dtype and before.dtype in EPSILON:
        sketch = Sketch(before.shape[0], columns, before.dtype)
    block = sketch.rows * columns if sketch is not None else BLOCK
    sums = Sums(before.dtype, after.dtype)
    left = blocks(old, before.data, before.dtype, elements, block)
    right = blocks(new, after.data, after.dtype, elements, block)
    for one, other in zip(left, right, strict=True):
        difference = sums.add(one, other)
        if sketch is not None:
            sketch.add(difference, sums)
    resized = before.shape != after.shape
    rank = sketch.rank(sums) if sketch is not None else None
    return sums.result(rank, resized=resized)


def overlap(before: Tensor, after: Tensor) -> int:
    """Elements at the beginning that mean the same place: all, or the rows that both have."""
    if before.shape == after.shape:
        return prod(before.shape)
    if before.shape and after.shape and before.shape[1:] == after.shape[1:]:
        return min(before.shape[0], after.shape[0]) * prod(before.shape[1:])
    return 0


class Sums:
    """What is added up over the blocks of one pair of tensors."""

    def __init__(self, before: str, after: str) -> None:
        self.dtypes = (before, after)
        self.elements = self.changed = self.nan = self.inf = self.zero_signs = self.nan_payloads = 0
        self.zeros = [0, 0]
        self.squares = [0.0, 0.0]
        self.totals = [0.0, 0.0]
        self.product = self.distance = self.largest = 0.0
        self.finite = 0
        self.exact_cast = before != after

    def add(self, one: "Array", other: "Array") -> "Array":
        """Take in a block of stored bits of both sides; returns the difference, 0 where it is not finite."""
        import numpy as np

        old, new = numbers(one, self.dtypes[0]), numbers(other, self.dtypes[1])
        self.elements += old.size
        with np.errstate(over="ignore", invalid="ignore"):
            difference = new - old
            distance = dot(difference, difference)
        same_type = self.dtypes[0] == self.dtypes[1]
        if not same_type:
            self._cast(old, new)
        if not isfinite(distance) or not isfinite(dot(old, old)):
            old, new, difference = self._finite(old, new, one != other if same_type else None)
            with np.errstate(over="ignore"):
                distance = dot(difference, difference)
        elif same_type:
            differ = int(np.count_nonzero(one != other))
            self.changed += differ
            if differ > np.count_nonzero(difference):
                self.zero_signs += int(np.count_nonzero((one != other) & (old == 0) & (new == 0)))
        else:
            self.changed += int(np.count_nonzero(difference))
        for side, values in enumerate((old, new)):
            self.zeros[side] += values.size - int(np.count_nonzero(values))
            self.squares[side] += dot(values, values)
            self.totals[side] += float(values.sum())
        self.finite += old.size
        self.product += dot(old, new)
        self.distance += distance
        if difference.size:
            self.largest = max(self.largest, float(difference.max()), -float(difference.min()))
        return difference

    def _finite(self, old: "Array", new: "Array", differ: "Array | None") -> "tuple[Array, Array, Array]":
        """Count what is not finite, and put zeros there; `differ` are the places whose bits differ."""
        import numpy as np

        old_nan, new_nan = np.isnan(old), np.isnan(new)
        equal = (old == new) | (old_nan & new_nan)
        if differ is None:
            self.changed += int(np.count_nonzero(~equal))
        else:
            silent = differ & equal
            self.changed += int(np.count_nonzero(differ))
            self.nan_payloads += int(np.count_nonzero(silent & old_nan))
            self.zero_signs += int(np.count_nonzero(silent & (old == 0)))
        self.nan += int(np.count_nonzero(new_nan & ~old_nan))
        self.inf += int(np.count_nonzero(np.isinf(new) & ~np.isinf(old)))
        finite = np.isfinite(old) & np.isfinite(new)
        lost = finite.size - int(np.count_nonzero(finite))
        self.finite -= lost
        for side in (0, 1):
            self.zeros[side] -= lost  # the zeros that are put there are none
        self.zeros[0] += int(np.count_nonzero((old == 0) & ~finite))
        self.zeros[1] += int(np.count_nonzero((new == 0) & ~finite))
        old, new = np.where(finite, old, 0.0), np.where(finite, new, 0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            return old, new, new - old

    def _cast(self, old: "Array", new: "Array") -> None:
        """Whether the new values are the old ones rounded to the new type, so far (or the other way, widened)."""
        import numpy as np

        if self.exact_cast:
            wanted = rounded(old, self.dtypes[1])
            self.exact_cast = wanted is not None and bool(np.all((wanted == new) | (np.isnan(wanted) & np.isnan(new))))

    def result(self, rank: int | None, *, resized: bool) -> Statistics:
        kind, note = self._kind(rank, resized=resized)
        old, new = self.squares
        return Statistics(
            self.elements,
            self.changed,
            number(sqrt(self.distance / old) if old > 0 and isfinite(self.distance) else None),
            number(self.largest if self.finite else None),
            number(max(-1.0, min(1.0, self.product / sqrt(old) / sqrt(new))) if old > 0 and new > 0 else None),
            self.nan,
            self.inf,
            (self.zeros[0], self.zeros[1]),
            self.zero_signs,
            self.nan_payloads,
            rank,
            kind,
            note,
            number(sqrt(old)) or 0.0,
        )

    def _kind(self, rank: int | None, *, resized: bool) -> tuple[str, str]:
        before, after = self.dtypes
        if resized:
            same = "unchanged" if not self.changed else f"{self.changed:,} of {self.elements:,} elements changed"
            return "resized", f"the leading rows that both have: {same}"
        if self.exact_cast and is_float(before):
            return "cast", f"every element is the {before} rounded to {after}"
        if before != after and is_float(before) and not is_float(after):
            found = self.correlation()
            if found is not None and found >= CORRELATED:
                return "quantised", f"correlation of the integers with the numbers {found:.4f}"
        if self.changed and self.changed == self.zero_signs + self.nan_payloads:
            return "bits", "only signs of zero and payloads of NaN changed"
        return ("low-rank", f"the difference has rank {rank}") if rank is not None else ("values", "")

    def correlation(self) -> float | None:
        count = self.finite
        if not count:
            return None
        old, new = (self.squares[side] - self.totals[side] ** 2 / count for side in (0, 1))
        both = self.product - self.totals[0] * self.totals[1] / count
        return both / sqrt(old) / sqrt(new) if old > 0 and new > 0 else None


def dot(one: "Array", other: "Array") -> float:
    """Without BLAS, whose threads cost more than they bring on blocks of this size."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.einsum("i,i->", one, other))


def number(value: float | None) -> float | None:
    """A finite number or nothing: JSON knows no others."""
    return value if value is not None and isfinite(value) else None


class Sketch:
    """The rank of a difference from its product with random directions (Halko, Martinsson, Tropp 2011, section 4).

    A product with SKETCH Gaussian columns has the rank of the matrix, with probability one, where that is below SKETCH;
    only the small Gram matrix of the product is kept. Singular values below what rounding the stored numbers adds count
    as zero.
    """

    def __init__(self, rows: int, columns: int, dtype: str) -> None:
        import numpy as np

        self.shape = (rows, columns)
        self.dtype = dtype
        self.rows = max(1, BLOCK // columns)
        self.directions = np.random.default_rng(0).standard_normal((columns, min(SKETCH, columns)))
        self.gram: Array = np.zeros((self.directions.shape[1],) * 2)
        self.is_low = min(rows, columns) >= 2 * SKETCH

    def add(self, difference: "Array", sums: Sums) -> None:
        import numpy as np

        if not self.is_low:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            product = difference.reshape(-1, self.shape[1]) @ self.directions
            self.gram += product.T @ product
        self.is_low = bool(np.isfinite(self.gram).all()) and self.found(sums) <= SKETCH - 8  # rows only add to a rank

    def found(self, sums: Sums) -> int:
        """The rank of the rows so far; SKETCH where it is that or more."""
        import numpy as np

        values = np.sqrt(np.clip(np.linalg.eigvalsh(self.gram)[::-1], 0.0, None))
        # Each stored number is off by at most half a unit in its last place; both sides are rounded.
        noise = EPSILON[self.dtype] * sqrt(max(sums.squares)) * 2
        return int(np.count_nonzero(values > max(noise, float(values[0]) * 1e-7)))

    def rank(self, sums: Sums) -> int | None:
        """The rank, where it is low (a few directions explain a change of most of a large matrix); else None."""
        if not self.is_low or sums.changed * 2 < sums.elements:
            return None
        return self.found(sums) or None


def transposed(before: Tensor, after: Tensor, old: "TensorBytes", new: "TensorBytes") -> Statistics | None:
    """The same elements with the axes in another order, proved bit by bit; None where they are not."""
    from itertools import permutations

    import numpy as np

    rank = len(before.shape)
    if sorted(before.shape) != sorted(after.shape) or not 2 <= rank <= 4 or not prod(before.shape):
        return None
    one, other = whole(before, old), whole(after, new)
    for axes in permutations(range(rank)):
        if tuple(before.shape[axis] for axis in axes) != after.shape or axes == tuple(range(rank)):
            continue
        turned = one.transpose(axes)
        corner = (0,) * (rank - 1)  # a row first: most orders of axes are none
        if np.array_equal(turned[corner], other[corner]) and np.array_equal(turned, other):
            sums = Sums(before.dtype, after.dtype)
            flat, line = turned.reshape(-1), other.reshape(-1)
            for at in range(0, flat.size, BLOCK):
                sums.add(flat[at : at + BLOCK], line[at : at + BLOCK])
            return sums.result(None, resized=False)._replace(kind="transposed", note=f"axes {list(axes)}")
    return None


def whole(tensor: Tensor, data: "TensorBytes") -> "Array":
    """A small tensor's stored bits, in its shape."""
    import numpy as np

    return np.concatenate(list(blocks(data, tensor.data, tensor.dtype, prod(tensor.shape), BLOCK))).reshape(
        tensor.shape
    )
