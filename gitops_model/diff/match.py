"""Which node of one model is which of the other: by what feeds it and what it feeds, then by what is around it.

Expressions get numbers as in a compiler's value numbering (numbering.py): `forwards` covers everything that leads to a
node, `backwards` everything that it leads to. One change leaves the first alone above it and the second below it; where
the two point to different nodes (a block more in a stack of equal ones), contents and names say which. What is left in
between is matched where its surroundings are there once, then from neighbour to neighbour, those matched being anchors;
then by name and order. Near-linear, and names only decide between equals until the last step.
"""

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import islice
from math import prod
from typing import TypeAlias

from gitops_model.diff import result
from gitops_model.diff.layers import SMALL
from gitops_model.diff.nodes import Nodes
from gitops_model.diff.numbering import COMMUTATIVE, Content, Contents, Interned, Side

WINDOW = 3
"""How far around a node is looked for what is there only once."""

Left: TypeAlias = tuple[list[int], list[int]]
"""The nodes of both models that have no counterpart yet."""
Keys: TypeAlias = tuple[Sequence[Hashable], Sequence[Hashable]]
"""For each node of both models; nodes with equal keys may be one another."""


class Matching:
    """`pairs` maps a node of the first model to its counterpart in the second; `back` the other way.

    `sure` has the nodes of the first model whose counterpart follows from graph and contents alone, `guessed` those
    that got what was left of their operation. `contents` are those of both models' tensors by name.
    """

    def __init__(self, before: Nodes, after: Nodes, contents: tuple[Contents, Contents]) -> None:
        self.table: Interned = {}
        self.one, self.other = one, other = Side(before, self.table, contents[0]), Side(after, self.table, contents[1])
        self.pairs: dict[int, int] = {}
        self.back: dict[int, int] = {}
        self.sure: set[int] = set()
        left: Left = ([*range(len(one.items))], [*range(len(other.items))])
        forwards, backwards = (one.forwards, other.forwards), (one.backwards, other.backwards)
        label, op = (one.label, other.label), (one.op, other.op)
        names = ([*one.own_names(0)], [*other.own_names(1)])
        places = one.places, other.places
        left = self._by_both(left, joined(forwards, backwards))
        if all(left):
            left = self._one_way(left, forwards, backwards)
            for keys in joined(forwards, names), joined(backwards, names), forwards, backwards:
                left = self._match(left, keys)
            left = self._by_windows(left)
            for keys in label, op:
                left = self._spread(left, keys)
            for keys in joined(label, places), joined(op, places):
                left = self._match(left, keys)
        known = len(self.pairs)
        self.left = self._match(self._match(left, label), op)
        self.guessed = frozenset(islice(self.pairs, known, None))

    def _pair(self, one: int, other: int, *, sure: bool = False) -> None:
        self.pairs[one] = other
        self.back[other] = one
        if sure:
            self.sure.add(one)

    def _sure_pairs(self) -> list[tuple[int, int]]:
        return [(one, self.pairs[one]) for one in sorted(self.sure)]

    def _left(self, left: Left) -> Left:
        return [i for i in left[0] if i not in self.pairs], [i for i in left[1] if i not in self.back]

    def _match(self, left: Left, keys: Keys, *, sure: bool = False) -> Left:
        """Pair nodes with equal keys, the first with the first; returns what is left of both."""
        if not all(left):
            return left
        for ones, others in grouped(left, keys).values():
            for one, other in zip(ones, others, strict=False):
                self._pair(one, other, sure=sure)
        return self._left(left)

    def _singles(self, left: Left, keys: Keys, *, sure: bool = False) -> Left:
        """Pair nodes whose keys are there once on both sides."""
        if not all(left):
            return left
        for ones, others in grouped(left, keys).values():
            if len(ones) == len(others) == 1:
                self._pair(ones[0], others[0], sure=sure)
        return self._left(left)

    def _by_both(self, left: Left, keys: Keys) -> Left:
        """Pair nodes with the same above and below; of several, those of equal contents, then neighbours of pairs."""
        groups = grouped(left, keys)
        for ones, others in groups.values():
            if len(ones) == len(others) == 1:
                self._pair(ones[0], others[0], sure=True)
        tied = [group for group in groups.values() if max(map(len, group)) > 1]
        several = sorted(i for ones, _ in tied for i in ones), sorted(i for _, others in tied for i in others)
        if any(self.one.items[index].inputs or self.one.users[index] for index in several[0]):  # not bare constants
            exact = self.one.exact, self.other.exact
            above, below = (exact[0].forwards, exact[1].forwards), (exact[0].backwards, exact[1].backwards)
            several = self._match(several, joined(keys, above, below), sure=True)
            several = self._singles(several, joined(keys, above), sure=True)
            several = self._singles(several, joined(keys, below), sure=True)
            several = self._spread(several, keys, self._sure_pairs())
        several = self._match(several, joined(keys, (self.one.names, self.other.names)))
        self._match(several, keys)
        return self._left(left)

    def _one_way(self, left: Left, above: Keys, below: Keys) -> Left:
        """Pair nodes with the same above, or the same below them, where that is there once and nothing contradicts."""
        if not all(left):
            return left
        ups, downs = grouped(left, above), grouped(left, below)
        for here, there, keys in ((ups, downs, below), (downs, ups, above)):
            for ones, others in here.values():
                if len(ones) == len(others) == 1 and ones[0] not in self.pairs:
                    one, other = ones[0], others[0]
                    if not there[keys[0][one]][1] and not there[keys[1][other]][0]:
                        self._pair(one, other, sure=True)
        left = self._by_contents(self._left(left), above, below)
        # Where above and below point to different nodes, other neighbours do not settle it.
        disputed = [
            {i for i in nodes if ups[above[s][i]][1 - s] and downs[below[s][i]][1 - s]} for s, nodes in enumerate(left)
        ]
        for keys in above, below:
            one, other = (
                [(side, i) if i in disputed[side] else key for i, key in enumerate(keys[side])] for side in (0, 1)
            )
            left = self._spread(left, (one, other), self._sure_pairs())
        return left

    def _by_contents(self, left: Left, above: Keys, below: Keys) -> Left:
        """Pair operations with the same constants, which no others have, and those beside them."""
        if not all(left):
            return left
        one, other = (
            [key if key[2] else (s, i) for i, key in enumerate(zip(side.label, side.own, side.telling, strict=True))]
            for s, side in enumerate((self.one, self.other))
        )
        known = len(self.pairs)
        left = self._singles(left, (one, other), sure=True)
        anchors = [*islice(self.pairs.items(), known, None)]
        for keys in above, below:
            left = self._spread(left, keys, anchors)
        return left

    def _by_windows(self, left: Left) -> Left:
        """Pair nodes whose surroundings, a few nodes wide, are there once on both sides."""
        if not all(left):
            return left
        table: Interned = {}
        known: list[dict[int, int]] = []
        for side, nodes in zip((self.one, self.other), left, strict=True):
            numbers = {index: side.label[index] for index in nodes}
            for _ in range(WINDOW):
                numbers = {index: self._wider(side, index, numbers, table) for index in nodes}
            known.append(numbers)
        for ones, others in grouped(left, (known[0], known[1])).values():
            if len(ones) == len(others) == 1:
                self._pair(ones[0], others[0])
        return self._left(left)

    def _wider(self, side: Side, index: int, known: dict[int, int], table: Interned) -> int:
        """The window of a node, one node wider."""
        inputs = tuple(
            (known.get(s.node, side.label[s.node]), s.output) for s in side.items[index].inputs if s.node >= 0
        )
        users = sorted((known.get(user, side.label[user]), output, slot) for user, output, slot in side.users[index])
        return table.setdefault((known[index], inputs, *users), -1 - len(table))

    def _spread(self, left: Left, keys: Keys, anchors: Iterable[tuple[int, int]] | None = None) -> Left:
        """From each pair to its neighbours: what feeds it at a place, and what it feeds at a place if that is one.

        `anchors` are sure pairs to begin with; what follows from them is as sure.
        """
        if not all(left):
            return left
        sure = anchors is not None
        waiting = deque(self.pairs.items() if anchors is None else anchors)
        while waiting:
            one, other = waiting.popleft()
            steps: list[tuple[int, int]] = []
            if not (sure and self.one.items[one].node.op_type in COMMUTATIVE):
                near = zip(self.one.items[one].inputs, self.other.items[other].inputs, strict=False)
                steps += [(a.node, b.node) for a, b in near if a.node >= 0 and b.node >= 0 and a.output == b.output]
            mine = self._single_users(self.one, one, keys[0], self.pairs)
            if mine:
                others = self._single_users(self.other, other, keys[1], self.back)
                steps += [(user, others[key]) for key, user in mine.items() if key in others]
            for a, b in steps:
                if a not in self.pairs and b not in self.back and keys[0][a] == keys[1][b]:
                    self._pair(a, b, sure=sure)
                    waiting.append((a, b))
        return self._left(left)

    def _single_users(
        self, side: Side, index: int, keys: Sequence[Hashable], matched: dict[int, int]
    ) -> dict[tuple[Hashable, int, int], int]:
        """(key, output, slot) → the unmatched user, where there is one of the kind."""
        found: dict[tuple[Hashable, int, int], int] = {}
        several: set[tuple[Hashable, int, int]] = set()
        for user, output, slot in side.users[index]:
            if user in matched:
                continue
            key = (keys[user], output, slot)
            if key in found:
                several.add(key)
            found[key] = user
        return {key: user for key, user in found.items() if key not in several} if several else found


def matching_of(before: result.Side, after: result.Side) -> Matching:
    """The matching of two models that have graphs."""
    sides = before, after
    contents = [
        {
            tensor.name: Content(digest, telling=prod(tensor.shape) >= SMALL)
            for tensor, digest in zip(side.model.tensors, side.digests, strict=True)
            if digest is not None
        }
        for side in sides
    ]
    nodes = [Nodes(side.model, side.constants) for side in sides]
    return Matching(nodes[0], nodes[1], (contents[0], contents[1]))


def joined(*parts: Keys) -> Keys:
    """Keys that are equal where all of the parts are."""
    one, other = ([*zip(*(part[side] for part in parts), strict=True)] for side in (0, 1))
    return one, other


def grouped(left: Left, keys: "Keys | tuple[Mapping[int, int], Mapping[int, int]]") -> defaultdict[Hashable, Left]:
    """Key → the nodes of both sides that have it, in their order; no nodes for a key that only one side has."""
    one, other = ([of[index] for index in nodes] for of, nodes in zip(keys, left, strict=True))
    common = set(one).intersection(other)
    found: defaultdict[Hashable, Left] = defaultdict(lambda: ([], []))
    for side, (nodes, own) in enumerate(zip(left, (one, other), strict=True)):
        for index, key in zip(nodes, own, strict=True):
            if key in common:
                found[key][side].append(index)
    return found
