"""Pairing tensors of two files, grade by grade; what is paired is not looked at again."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from math import prod

from gitops_model.diff.result import Side
from gitops_model.diff.same.measure import Values, distance, folding, orders
from gitops_model.diff.same.result import Pair, Sameness
from gitops_model.ir import Tensor

SMALL = 16
"""Elements below which a tensor is no weight to speak of."""

MOST_CANDIDATES = 64
"""Tensors of one shape among which partners are looked for by value."""

PREFIXES = ("module.", "model.", "state_dict.", "model_state_dict.", "_orig_mod.", "network.", "net.")

Item = tuple[Tensor, str | None]


def compare(before: Side, after: Side, tolerance: float = 1e-6) -> Sameness:
    """Grade every tensor that counts. `tolerance` is relative to the largest value of a tensor.

    Raises BadFile where bytes that must be read cannot be.
    """
    old, new = items(before), items(after)
    counted_old, counted_new = large(old), large(new)
    small = (len(old) - len(counted_old), len(new) - len(counted_new))
    if not counted_old and not counted_new:
        counted_old, counted_new, small = old, new, (0, 0)
    pairs: list[Pair] = []
    unread = [tensor.name for tensor, digest in (*counted_old, *counted_new) if digest is None]
    for key in (content_and_name, content):
        counted_old, counted_new = match(counted_old, counted_new, key, pairs)
    values = Values(before.data, after.data)
    for search in (by_layout, by_name, by_place):
        counted_old, counted_new = search(counted_old, counted_new, values, tolerance, pairs)
    return Sameness(
        tuple(pairs),
        tuple(tensor for tensor, _ in counted_old),
        tuple(tensor for tensor, _ in counted_new),
        small,
        tuple(unread),
        tolerance,
    )


def items(side: Side) -> list[Item]:
    return [
        (tensor, digest)
        for tensor, digest in zip(side.model.tensors, side.digests, strict=True)
        if tensor.group != "optimizer" and tensor.dtype != "string"
    ]


def large(all_items: list[Item]) -> list[Item]:
    return [item for item in all_items if prod(item[0].shape) >= SMALL]


def content_and_name(item: Item) -> Hashable:
    return (item[1] or object(), plain_name(item[0].name))


def content(item: Item) -> Hashable:
    return item[1] or object()


def match(old: list[Item], new: list[Item], key: Callable[[Item], Hashable], pairs: list[Pair]) -> "Both":
    """Pair items with equal keys as `exact`; returns what is left."""
    waiting: defaultdict[Hashable, list[Item]] = defaultdict(list)
    for item in reversed(old):
        waiting[key(item)].append(item)
    left: list[Item] = []
    taken: set[int] = set()
    for item in new:
        found = waiting.get(key(item))
        if found:
            partner = found.pop()
            taken.add(id(partner))
            pairs.append(Pair(partner[0], item[0], "exact"))
        else:
            left.append(item)
    return [item for item in old if id(item) not in taken], left


Both = tuple[list[Item], list[Item]]
Search = Callable[[list[Item], list[Item], Values, float, list[Pair]], Both]


def by_layout(old: list[Item], new: list[Item], values: Values, _: float, pairs: list[Pair]) -> Both:
    """The same elements in another order of axes, or under other dims: found by the sorted elements, then proved."""

    def candidates(items_: Iterable[Item], side: int) -> dict[Hashable, list[Item]]:
        found: dict[Hashable, list[Item]] = defaultdict(list)
        for item in items_:
            if item[1] is not None and values.readable(item[0]):
                found[(item[0].dtype, prod(item[0].shape), values.unordered(item[0], side))].append(item)
        return found

    sizes = {(item[0].dtype, prod(item[0].shape)) for item in old} & {(i[0].dtype, prod(i[0].shape)) for i in new}

    def wanted(items_: list[Item]) -> list[Item]:
        return [item for item in items_ if (item[0].dtype, prod(item[0].shape)) in sizes]

    olds, news = candidates(wanted(old), 0), candidates(wanted(new), 1)
    taken: set[int] = set()
    for key, group in olds.items():
        for item in group[:MOST_CANDIDATES]:
            for other in news.get(key, [])[:MOST_CANDIDATES]:
                if id(other) in taken:
                    continue
                note = orders(values, item[0], other[0])
                if note is not None:
                    taken |= {id(item), id(other)}
                    pairs.append(Pair(item[0], other[0], "transposed", note=note))
                    break
    return [item for item in old if id(item) not in taken], [item for item in new if id(item) not in taken]


def by_name(old: list[Item], new: list[Item], values: Values, tolerance: float, pairs: list[Pair]) -> Both:
    """The rest by name, known prefixes aside."""
    names: defaultdict[str, list[Item]] = defaultdict(list)
    for item in new:
        names[plain_name(item[0].name)].append(item)
    taken: set[int] = set()
    for item in old:
        found = [other for other in names.get(plain_name(item[0].name), ()) if id(other) not in taken]
        if len(found) == 1:
            pair = graded(item[0], found[0][0], values, tolerance)
            if pair is not None:
                taken |= {id(item), id(found[0])}
                pairs.append(pair)
    return [item for item in old if id(item) not in taken], [item for item in new if id(item) not in taken]


def by_place(old: list[Item], new: list[Item], values: Values, tolerance: float, pairs: list[Pair]) -> Both:
    """The rest among those of one shape: the nearest partner that is close or folded; then the only one there is."""
    taken: set[int] = set()
    shapes: defaultdict[tuple[int, ...], Both] = defaultdict(lambda: ([], []))
    for index, side in enumerate((old, new)):
        for item in side:
            shapes[tuple(sorted(item[0].shape))][index].append(item)
    for group_old, group_new in shapes.values():
        for item in group_old[:MOST_CANDIDATES]:
            best: Pair | None = None
            partner: Item | None = None
            for other in group_new[:MOST_CANDIDATES]:
                if id(other) not in taken:
                    pair = graded(item[0], other[0], values, tolerance)
                    if pair is not None and pair.grade != "apart" and (best is None or nearer(pair, best)):
                        best, partner = pair, other
            if best is not None and partner is not None:
                taken |= {id(item), id(partner)}
                pairs.append(best)
        rest = [[item for item in group if id(item) not in taken] for group in (group_old, group_new)]
        if len(rest[0]) == len(rest[1]) == 1:
            pair = graded(rest[0][0][0], rest[1][0][0], values, tolerance)
            if pair is not None:
                taken |= {id(rest[0][0]), id(rest[1][0])}
                pairs.append(pair)
    return [item for item in old if id(item) not in taken], [item for item in new if id(item) not in taken]


def nearer(one: Pair, other: Pair) -> bool:
    return (one.relative or 0.0) < (other.relative or 0.0)


def graded(before: Tensor, after: Tensor, values: Values, tolerance: float) -> Pair | None:
    """close, folded or apart; None where the two cannot be compared (other sizes, types without numbers)."""
    if sorted(before.shape) != sorted(after.shape) or not (values.readable(before) and values.readable(after)):
        return None
    measured = distance(values, before, after)
    if measured is None:
        return None
    absolute, relative, note = measured
    if relative <= tolerance:
        return Pair(before, after, "close", absolute, relative, note)
    fold = folding(values, before, after, tolerance)
    if fold is not None:
        return Pair(before, after, "folded", absolute, relative, fold)
    return Pair(before, after, "apart", absolute, relative, note)


def plain_name(name: str) -> str:
    """A name without the prefixes that wrappers and exporters add."""
    while True:
        prefix = next((prefix for prefix in PREFIXES if name.startswith(prefix)), None)
        if prefix is None:
            return name
        name = name.removeprefix(prefix)
