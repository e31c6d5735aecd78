"""Which node of one model is which of the other: by what feeds it and what it feeds, then by what is around it.

Expressions get numbers as in a compiler's value numbering: `forwards` covers everything that leads to a node,
`backwards` everything that it leads to. One change leaves the first alone above it and the second below it. What is
left in between is matched by its neighbours, round by round, those matched already being anchors; then by name and
order. Near-linear, and nothing depends on names until the last step.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable

from gitops_model.diff.nodes import Item, Nodes

COMMUTATIVE = frozenset(("Add", "Mul", "Max", "Min", "Sum", "Mean", "And", "Or", "Xor", "Equal"))

ROUNDS = 8
"""Rounds of matching by neighbours; each carries anchors one node further."""

Interned = dict[Hashable, int]


class Side:
    """One model's nodes with the numbers of their expressions, made with a table that both sides share."""

    def __init__(self, nodes: Nodes, table: Interned) -> None:
        self.nodes = nodes
        self.items = nodes.items
        count = len(self.items)
        self.users: list[list[tuple[int, int, int]]] = [[] for _ in range(count)]
        """(user, output of this node, place among the user's inputs)"""
        self.label = [table.setdefault((op_of(item), item.attributes), len(table)) for item in self.items]
        self.op = [table.setdefault(op_of(item), len(table)) for item in self.items]
        self.leaves = {
            source.label: table.setdefault(("leaf", source.label), len(table))
            for item in self.items
            for source in item.inputs
            if source.node < 0
        }
        for index, item in enumerate(self.items):
            for slot, source in enumerate(item.inputs):
                if source.node >= 0:
                    self.users[source.node].append((index, source.output, slot))
        self.forwards = self._forwards(table)
        self.backwards = self._backwards(table)

    def _forwards(self, table: Interned) -> list[int]:
        found = [-1] * len(self.items)
        for index, item in enumerate(self.items):
            inputs = [self._input(found, source.node, source.output, source.label) for source in item.inputs]
            if item.node.op_type in COMMUTATIVE:
                inputs.sort()
            found[index] = table.setdefault(("forwards", self.label[index], *inputs), len(table))
        return found

    def _input(self, known: list[int], node: int, output: int, label: str) -> tuple[int, int]:
        return (self.leaves[label], -1) if node < 0 else (known[node], output)

    def _backwards(self, table: Interned) -> list[int]:
        ends: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for node, output, place in self.nodes.ends:
            ends[node].append((-1, output, place))
        found = [-1] * len(self.items)
        for index in reversed(range(len(self.items))):
            uses = [
                (found[user], output, -1 if self.items[user].node.op_type in COMMUTATIVE else slot)
                for user, output, slot in self.users[index]
            ]
            key = ("backwards", self.label[index], *sorted(uses + ends.get(index, [])))
            found[index] = table.setdefault(key, len(table))
        return found


class Matching:
    """`pairs` maps a node of the first model to its counterpart in the second; `back` the other way."""

    def __init__(self, before: Nodes, after: Nodes) -> None:
        table: Interned = {}
        self.one, self.other = Side(before, table), Side(after, table)
        self.pairs: dict[int, int] = {}
        self.back: dict[int, int] = {}
        both = (self.one, self.other)
        left = self._match(
            [list(range(len(side.items))) for side in both], lambda s, i: (s.forwards[i], s.backwards[i])
        )
        left = self._match(left, lambda s, i: (s.forwards[i], s.items[i].node.name))
        left = self._match(left, lambda s, i: s.forwards[i])
        left = self._match(left, lambda s, i: s.backwards[i])
        for label in ("label", "op"):
            for _ in range(ROUNDS):
                if not (left[0] and left[1]):
                    break
                before_round = len(left[0])
                left = self._by_neighbours(left, label)
                if len(left[0]) == before_round:
                    break
        left = self._match(left, lambda s, i: (s.label[i], s.items[i].node.name, s.items[i].where))
        left = self._match(left, lambda s, i: (s.op[i], s.items[i].node.name, s.items[i].where))
        left = self._match(left, lambda s, i: s.label[i])
        self.left = self._match(left, lambda s, i: s.op[i])

    def _match(self, left: list[list[int]], key: "Callable[[Side, int], Hashable]") -> list[list[int]]:
        """Pair nodes with equal keys, the first with the first; returns what is left of both."""
        waiting: defaultdict[Hashable, list[int]] = defaultdict(list)
        for index in reversed(left[0]):
            waiting[key(self.one, index)].append(index)
        rest: list[int] = []
        for index in left[1]:
            found = waiting.get(key(self.other, index))
            if found:
                self._pair(found.pop(), index)
            else:
                rest.append(index)
        return [[index for index in left[0] if index not in self.pairs], rest]

    def _pair(self, one: int, other: int) -> None:
        self.pairs[one] = other
        self.back[other] = one

    def _by_neighbours(self, left: list[list[int]], label: str) -> list[list[int]]:
        """Pair nodes that stand between the same matched neighbours, where that is one of each."""
        keys = [
            {index: self._around(side, index, label, mine) for index in nodes}
            for side, nodes, mine in ((self.one, left[0], self.pairs), (self.other, left[1], None))
        ]
        known = [{index: key for index, key in found.items() if key is not None} for found in keys]
        for part in (0, 1, None):  # both neighbourhoods together are the best evidence, then each alone
            groups: list[defaultdict[Hashable, list[int]]] = [defaultdict(list), defaultdict(list)]
            for place, found in enumerate(known):
                matched = self.back if place else self.pairs
                for index, key in found.items():
                    mine = key if part is None else (key[0], part, key[1 + part])
                    if index not in matched and (part is None or key[1 + part]):
                        groups[place][mine].append(index)
            for key, ones in groups[0].items():
                others = groups[1].get(key, [])
                if len(ones) == len(others) == 1:
                    self._pair(ones[0], others[0])
        return [[i for i in left[0] if i not in self.pairs], [i for i in left[1] if i not in self.back]]

    def _around(
        self, side: Side, index: int, label: str, mine: dict[int, int] | None
    ) -> tuple[int, Hashable, Hashable] | None:
        """(label, matched nodes that feed it, matched nodes that it feeds), nodes by their number in the second."""

        def number(node: int) -> int:
            if mine is not None:
                return mine.get(node, -1)
            return node if node in self.back else -1

        feeds = [(number(s.node), s.output, slot) for slot, s in enumerate(side.items[index].inputs) if s.node >= 0]
        fed = [(number(user), output, slot) for user, output, slot in side.users[index]]
        before = tuple(item for item in feeds if item[0] >= 0)
        behind = tuple(sorted(item for item in fed if item[0] >= 0))
        if not before and not behind:
            return None
        return (side.label if label == "label" else side.op)[index], before, behind


def op_of(item: Item) -> tuple[str, str, str]:
    return item.node.domain, item.node.op_type, item.node.overload
