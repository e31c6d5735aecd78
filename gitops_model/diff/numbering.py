"""Value numbering: equal numbers for nodes with the same expression above them, or the same uses below.

Both models take their numbers from one table. A number is made of those next to it, so that every one costs what the
node has inputs and users.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple, TypeAlias

from gitops_model.diff.nodes import Item, Nodes, Source

MANGLED = ".___torch_mangle_"

COMMUTATIVE = frozenset(("Add", "Mul", "Max", "Min", "Sum", "Mean", "And", "Or", "Xor", "Equal"))

Interned: TypeAlias = dict[Hashable, int]


class Content(NamedTuple):
    """What a constant holds, and whether that tells it from others: a small one is like another by chance."""

    digest: str
    telling: bool


Contents: TypeAlias = Mapping[str, Content]
"""By the name of the tensor; those that are not known are left out."""


class Numbers(NamedTuple):
    """For each node: what leads to it, itself included, and what it leads to, without what else it takes."""

    forwards: list[int]
    backwards: list[int]


class Side:
    """One model's nodes with the numbers of their expressions."""

    def __init__(self, nodes: Nodes, table: Interned, contents: Contents) -> None:
        self.nodes = nodes
        self.items = nodes.items
        self.table = table
        self.contents = contents
        self.users: list[list[tuple[int, int, int]]] = [[] for _ in self.items]
        """(user, output of this node, place among the user's inputs)"""
        self.label = [table.setdefault((op_of(item), item.attributes), len(table)) for item in self.items]
        self.op = [table.setdefault(op_of(item), len(table)) for item in self.items]
        for index, item in enumerate(self.items):
            for slot, source in enumerate(item.inputs):
                if source.node >= 0:
                    self.users[source.node].append((index, source.output, slot))
        self.leaves = {
            source.label: table.setdefault(("leaf", source.label), len(table))
            for item in self.items
            for source in item.inputs
            if source.node < 0
        }
        self.names = [item.node.name for item in self.items]
        self.places = [(item.node.name, item.where) for item in self.items]
        self.forwards = self._forwards(self._kind)
        self.backwards = self._backwards()

    @cached_property
    def exact(self) -> Numbers:
        """With the contents of constants, not only their types and shapes."""
        return Numbers(self._forwards(self._content), self._backwards(self.own))

    @cached_property
    def own(self) -> list[tuple[tuple[int, int], ...]]:
        """The contents that each node takes: (place among its inputs, number)."""
        return [tuple(self._contents(item)) for item in self.items]

    @cached_property
    def telling(self) -> list[bool]:
        """Whether a node takes something that tells it from others."""
        told = {name for name, content in self.contents.items() if content.telling}
        return [any(source.tensor in told for source in item.inputs) for item in self.items]

    def own_names(self, side: int) -> Iterator[Hashable]:
        """The names of the nodes; one without a name shares it with none."""
        return (name or (side, index) for index, name in enumerate(self.names))

    def _kind(self, source: Source) -> int:
        return self.leaves[source.label]

    def _content(self, source: Source) -> int:
        content = None if source.tensor is None else self.contents.get(source.tensor)
        if content is None:
            return self.leaves[source.label]
        return self.table.setdefault(("content", source.label, content.digest), len(self.table))

    def _contents(self, item: Item) -> Iterator[tuple[int, int]]:
        commutes = item.node.op_type in COMMUTATIVE
        for slot, source in enumerate(item.inputs):
            if source.tensor is not None and source.tensor in self.contents:
                yield -1 if commutes else slot, self._content(source)

    def _forwards(self, leaf: Callable[[Source], int]) -> list[int]:
        table = self.table
        found = [-1] * len(self.items)
        for index, item in enumerate(self.items):
            inputs = [(leaf(s), -1) if s.node < 0 else (found[s.node], s.output) for s in item.inputs]
            if item.node.op_type in COMMUTATIVE:
                inputs.sort()
            found[index] = table.setdefault(("forwards", self.label[index], *inputs), len(table))
        return found

    def _backwards(self, own: "list[tuple[tuple[int, int], ...]] | None" = None) -> list[int]:
        """`own`: the contents that each node takes beside what leads to it; they count for the nodes above it."""
        table = self.table
        ends: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for node, output, place in self.nodes.ends:
            ends[node].append((-1, output, place))
        found = [-1] * len(self.items)
        whole = found if own is None else [-1] * len(self.items)
        for index in reversed(range(len(self.items))):
            uses = [
                (whole[user], output, -1 if self.items[user].node.op_type in COMMUTATIVE else slot)
                for user, output, slot in self.users[index]
            ]
            key = ("backwards", self.label[index], *sorted(uses + ends.get(index, [])))
            found[index] = table.setdefault(key, len(table))
            if own is not None:
                whole[index] = table.setdefault(("own", found[index], own[index]), len(table))
        return found


def op_of(item: Item) -> tuple[str, str, str]:
    """Without the numbers by which TorchScript tells classes of one name apart: every export gives them anew."""
    node = item.node
    return node.domain, node.op_type, "" if node.overload.startswith(MANGLED) else node.overload
