"""The shapes of the inputs: one symbol is one size in both models, and a fixed dimension decides for its counterpart.

What nobody fixes is tried with the sizes of ATTEMPTS, in this order, until enough of them run: a model may need a
multiple of 32, or a sequence of some length, and does not say so.
"""

import re
from collections.abc import Sequence
from math import prod
from typing import NamedTuple, TypeAlias

from gitops_model.diff.probing.pairs import Pair
from gitops_model.ir import TensorType, Value

MOST_ELEMENTS = 1 << 24
"""Elements of one input with open dimensions."""


NAMELESS = ("", "?", "-1", "None")
"""What exporters write for a dimension that they know nothing of: no symbol, which would be one size everywhere."""


class Attempt(NamedTuple):
    """Sizes for what is open: `batch` for a first dimension, `others` for the rest, one after another and again.

    `middle`: a dimension without a name that is the only open one of its input, and not the last, is a batch too (the
    state of a recurrent network). `ones`: integers of which nothing is known are all 1 (a count that must not be 0).
    """

    batch: int
    others: tuple[int, ...]
    middle: bool = False
    ones: bool = False


ATTEMPTS = (
    Attempt(2, (3, 4, 5, 6, 7)),
    Attempt(1, (256,)),
    Attempt(3, (16,)),
    Attempt(1, (64,)),
    Attempt(1, (224,)),
    Attempt(1, (512,)),
    Attempt(1, (1,)),
    Attempt(1, (4096,)),
    Attempt(1, (16000,)),
    Attempt(1, (256,), middle=True),
    Attempt(1, (512,), middle=True),
    Attempt(2, (3, 4, 5, 6, 7), ones=True),
    Attempt(1, (64,), ones=True),
)

Key: TypeAlias = tuple[int, str, int]
"""A symbol: side, name, -1; or a dimension without one: side, input, place."""
Shape: TypeAlias = tuple[int, ...]


class Sized(NamedTuple):
    """One attempt in numbers: `sizes` by symbol, and for every pair the shape on either side."""

    attempt: Attempt
    sizes: dict[str, int]
    shapes: tuple[tuple[Shape | None, Shape | None], ...]


def sized(pairs: Sequence[Pair], *, lone_integers: bool = False) -> tuple[Sized, ...]:
    """The attempts that differ. `lone_integers`: some input would be other with `ones`."""
    binding = Binding(pairs)
    found: dict[object, Sized] = {}
    for attempt in ATTEMPTS:
        if attempt.ones and not lone_integers:
            continue
        made = binding.sized(attempt)
        if binding.open and any(prod(shape) > MOST_ELEMENTS for shapes in made.shapes for shape in shapes if shape):
            continue
        found.setdefault((made.shapes, attempt.ones), made)
    return tuple(found.values())


class Binding:
    """Which dimensions are one size."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.pairs = pairs
        self._parent: dict[Key, Key] = {}
        self._fixed: dict[Key, int] = {}
        self._batch: set[Key] = set()
        self._middle: set[Key] = set()
        self._sums: dict[Key, tuple[int, tuple[tuple[int, Key], ...]]] = {}
        for pair in pairs:
            self._add(pair)
        for key in [key for key in self._parent if key[0] == 0 and key[2] < 0]:
            if (other := (1, key[1], -1)) in self._parent:
                self._join(key, other)
        self.open = [key for key in self._parent if self._root(key) == key and key not in self._fixed]
        """One key for each size that nobody fixes."""

    def _add(self, pair: Pair) -> None:
        dims = [self._dims(side, value) for side, value in enumerate(pair)]
        for one in dims:
            keys = [(place, dim) for place, dim in enumerate(one or ()) if not isinstance(dim, int)]
            for place, dim in keys:
                self._meet(dim, batch=place == 0)
                if len(keys) == 1 and 0 < place < len(one or ()) - 1 and dim[2] >= 0:
                    self._middle.add(dim)
        if dims[0] is None or dims[1] is None or len(dims[0]) != len(dims[1]):
            return
        for one, other in zip(dims[0], dims[1], strict=True):
            if not isinstance(one, int) and not isinstance(other, int):
                self._join(one, other)
            elif not isinstance(one, int) and isinstance(other, int):
                self._fixed.setdefault(self._root(one), other)
            elif isinstance(one, int) and not isinstance(other, int):
                self._fixed.setdefault(self._root(other), one)

    def _dims(self, side: int, value: Value | None) -> "list[int | Key] | None":
        if value is None or not isinstance(value.type, TensorType) or value.type.shape is None:
            return None
        return [
            dim
            if isinstance(dim, int) and dim >= 0
            else (side, dim, -1)
            if isinstance(dim, str) and dim not in NAMELESS
            else (side, value.name, place)
            for place, dim in enumerate(value.type.shape)
        ]

    def _meet(self, key: Key, *, batch: bool = False) -> None:
        new = key not in self._parent
        self._parent.setdefault(key, key)
        if batch:
            self._batch.add(key)
        terms = terms_of(key[1]) if new and key[2] < 0 else None
        if terms is not None:
            constant, names = terms
            inner = tuple((times, (key[0], name, -1)) for times, name in names)
            for _, one in inner:
                self._meet(one)
            self._sums[key] = (constant, inner)

    def _root(self, key: Key) -> Key:
        while self._parent[key] != key:
            self._parent[key] = self._parent[self._parent[key]]
            key = self._parent[key]
        return key

    def _join(self, one: Key, other: Key) -> None:
        one, other = self._root(one), self._root(other)
        if one == other:
            return
        self._parent[other] = one
        if other in self._fixed:
            self._fixed.setdefault(one, self._fixed.pop(other))

    def sized(self, attempt: Attempt) -> Sized:
        batches = {self._root(key) for key in (self._batch | self._middle if attempt.middle else self._batch)}
        numbers = dict(self._fixed)
        others = 0
        for key in self.open:
            if key in batches:
                numbers[key] = attempt.batch
            else:
                numbers[key] = attempt.others[others % len(attempt.others)]
                others += 1
        for key, (constant, inner) in self._sums.items():
            root = self._root(key)
            if root not in self._fixed and all(self._root(one) != root for _, one in inner):
                numbers[root] = constant + sum(times * numbers[self._root(one)] for times, one in inner)
        shapes = tuple(
            (self._shape(0, pair[0], pair[1], numbers), self._shape(1, pair[1], pair[0], numbers))
            for pair in self.pairs
        )
        shown: dict[Key, Key] = {}
        for key in sorted(self._parent, key=lambda key: (key[2] >= 0, -key[0])):  # symbols first, those of after first
            if (root := self._root(key)) not in self._fixed:
                shown.setdefault(root, key)
        names = {key[1] if key[2] < 0 else f"{key[1]}[{key[2]}]": numbers[root] for root, key in shown.items()}
        return Sized(attempt, names, shapes)

    def _shape(self, side: int, value: Value | None, other: Value | None, numbers: dict[Key, int]) -> Shape | None:
        if value is None:
            return None
        dims = self._dims(side, value)
        if dims is None:  # of unknown rank: as the other side has it
            dims = self._dims(1 - side, other)
        return (
            None if dims is None else tuple(dim if isinstance(dim, int) else numbers[self._root(dim)] for dim in dims)
        )


_TERM = re.compile(r"(?:(\d{1,9})\s*\*\s*)?([A-Za-z_][\w.]*)|(\d{1,9})", re.ASCII)


def terms_of(text: str) -> tuple[int, tuple[tuple[int, str], ...]] | None:
    """`past + 2*n + 1` as (1, ((1, "past"), (2, "n"))); None for a text that is no such sum (an exporter's habit)."""
    if "+" not in text and "*" not in text:
        return None
    constant, names = 0, list[tuple[int, str]]()
    for part in text.split("+"):
        found = _TERM.fullmatch(part.strip())
        if found is None:
            return None
        times, name, number = found.groups()
        if name is None:
            constant += int(number)
        else:
            names.append((int(times or 1), name))
    return constant, tuple(names)
