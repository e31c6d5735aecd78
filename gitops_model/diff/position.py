"""Which tensor stands where another stood: at the same input of an operation that is the same (match.py)."""

from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

from gitops_model.diff.graph import nodes
from gitops_model.diff.match import Matching
from gitops_model.diff.nodes import Item, Source
from gitops_model.diff.numbering import COMMUTATIVE, Side
from gitops_model.ir import Model

THROUGH = frozenset(("Identity", "Cast", "DequantizeLinear", "Transpose"))
"""What a constant may go through on its way to an operation and still be what that operation takes."""
FURTHEST = 4
"""How many of these."""


class Places(NamedTuple):
    """Place among the tensors before → place after, one to one. `sure` rests on sure pairs of nodes, `likely` on all
    but guessed ones."""

    sure: dict[int, int]
    likely: dict[int, int]


def wired_alike(before: Model, after: Model) -> bool:
    """Whether both files have the same operations in the same order on values of the same names: then each name stands
    where it stood, and nodes need not be matched to know that."""
    pairs = zip_longest(nodes(before), nodes(after))
    return all(
        old is not None
        and new is not None
        and (old.op_type, old.inputs, old.outputs) == (new.op_type, new.inputs, new.outputs)
        for old, new in pairs
    )


def places(before: Model, after: Model, matching: Matching) -> Places:
    """Each pair of nodes has a vote for each of its inputs; more than half of those on either tensor decide."""
    olds, news = (numbered(model) for model in (before, after))
    votes: tuple[Counter[tuple[int, int]], Counter[tuple[int, int]]] = (Counter(), Counter())
    for one, other in matching.pairs.items():
        if one in matching.guessed:
            continue
        was, now = matching.one.items[one], matching.other.items[other]
        for old, new in slots(was, now):
            pair = olds.get(constant(matching.one, old)), news.get(constant(matching.other, new))
            if pair[0] is not None and pair[1] is not None:
                votes[1][pair[0], pair[1]] += 1
                if one in matching.sure:
                    votes[0][pair[0], pair[1]] += 1
    return Places(majority(votes[0]), majority(votes[1]))


def numbered(model: Model) -> dict[str | None, int]:
    """The places of the tensors by name; of several with one name, the last."""
    return {tensor.name: place for place, tensor in enumerate(model.tensors)}


def slots(was: Item, now: Item) -> Iterator[tuple[Source, Source]]:
    """The inputs of one and the other that correspond; what the bodies of a node give back comes after its own."""
    olds, news = (item.inputs[: len(item.node.inputs)] for item in (was, now))
    if was.node.op_type in COMMUTATIVE:
        fixed = [[source for source in inputs if source.tensor is not None] for inputs in (olds, news)]
        if len(fixed[0]) == len(fixed[1]) == 1:
            yield fixed[0][0], fixed[1][0]
            return
    yield from zip(olds, news, strict=False)
    inner = was.inputs[len(olds) :], now.inputs[len(news) :]
    if len(inner[0]) == len(inner[1]):
        yield from zip(*inner, strict=True)


def constant(side: Side, source: Source) -> str | None:
    """The name of the constant that an input is, directly or through what hands it on."""
    for _ in range(FURTHEST):
        if source.node < 0:
            break
        item = side.items[source.node]
        if item.node.op_type not in THROUGH or not item.inputs:
            return None
        source = item.inputs[0]
    return source.tensor


def majority(votes: Counter[tuple[int, int]]) -> dict[int, int]:
    """The pairs that have more than half of the votes on either of the two."""
    olds: Counter[int] = Counter()
    news: Counter[int] = Counter()
    for (old, new), count in votes.items():
        olds[old] += count
        news[new] += count
    return {old: new for (old, new), count in votes.items() if 2 * count > max(olds[old], news[new])}
