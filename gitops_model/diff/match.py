"""Which node of one model is which of the other: by what feeds it and what it feeds, then by what is around it.

Expressions get numbers as in a compiler's value numbering: `forwards` covers everything that leads to a node,
`backwards` everything that it leads to. One change leaves the first alone above it and the second below it. What is
left in between is matched where its surroundings are there once, then from neighbour to neighbour, those matched being
anchors; then by name and order. Near-linear, and names only decide between equals until the last step.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable

from gitops_model.diff.nodes import Item, Nodes

COMMUTATIVE = frozenset(("Add", "Mul", "Max", "Min", "Sum", "Mean", "And", "Or", "Xor", "Equal"))

WINDOW = 3
"""How far around a node is looked for what is there only once."""

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
        left = self._by_windows(left)
        for label in (self.one.label, self.other.label), (self.one.op, self.other.op):
            self._spread(*label)
        left = [[i for i in left[0] if i not in self.pairs], [i for i in left[1] if i not in self.back]]
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

    def _by_windows(self, left: list[list[int]]) -> list[list[int]]:
        """Pair nodes whose surroundings, a few nodes wide, are there once on both sides."""
        table: Interned = {}
        found: list[dict[Hashable, list[int]]] = []
        for side, nodes in zip((self.one, self.other), left, strict=True):
            known = dict(zip(nodes, (side.label[index] for index in nodes), strict=True))
            for _ in range(WINDOW):
                known = {index: self._wider(side, index, known, table) for index in nodes}
            groups: defaultdict[Hashable, list[int]] = defaultdict(list)
            for index, number in known.items():
                groups[number].append(index)
            found.append(groups)
        for key, ones in found[0].items():
            others = found[1].get(key, [])
            if len(ones) == len(others) == 1:
                self._pair(ones[0], others[0])
        return [[i for i in left[0] if i not in self.pairs], [i for i in left[1] if i not in self.back]]

    def _wider(self, side: Side, index: int, known: dict[int, int], table: Interned) -> int:
        """The window of a node, one node wider."""
        inputs = tuple(
            (known.get(s.node, side.label[s.node]), s.output) for s in side.items[index].inputs if s.node >= 0
        )
        users = sorted((known.get(user, side.label[user]), output, slot) for user, output, slot in side.users[index])
        return table.setdefault((known[index], inputs, *users), -1 - len(table))

    def _spread(self, label: list[int], other_label: list[int]) -> None:
        """From each pair to its neighbours: what feeds it at a place, and what it feeds at a place if that is one."""
        waiting = deque(self.pairs.items())
        while waiting:
            one, other = waiting.popleft()
            near = list(zip(self.one.items[one].inputs, self.other.items[other].inputs, strict=False))
            steps = [(a.node, b.node) for a, b in near if a.node >= 0 and b.node >= 0 and a.output == b.output]
            mine = self._single_users(self.one, one, label, self.pairs)
            if mine:
                others = self._single_users(self.other, other, other_label, self.back)
                steps += [(user, others[key]) for key, user in mine.items() if key in others]
            for a, b in steps:
                if a not in self.pairs and b not in self.back and label[a] == other_label[b]:
                    self._pair(a, b)
                    waiting.append((a, b))

    def _single_users(
        self, side: Side, index: int, label: list[int], matched: dict[int, int]
    ) -> dict[tuple[int, int, int], int]:
        """(label, output, slot) → the unmatched user, where there is one of the kind."""
        found: dict[tuple[int, int, int], int] = {}
        several: set[tuple[int, int, int]] = set()
        for user, output, slot in side.users[index]:
            if user in matched:
                continue
            key = (label[user], output, slot)
            if key in found:
                several.add(key)
            found[key] = user
        return {key: user for key, user in found.items() if key not in several} if several else found


def op_of(item: Item) -> tuple[str, str, str]:
    return item.node.domain, item.node.op_type, item.node.overload
