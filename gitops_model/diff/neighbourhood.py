"""Where a graph changed: the operations that came, went or changed, with those beside them, as boxes and edges.

Operations that changed and feed one another make a place. Places are taken whole, the largest first, one of each kind
(the same change in fifty blocks is shown once and counted); what is left out is counted too. Linear in the graph.
Constants are not drawn: they are part of the operation that they feed.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

from gitops_model.diff.match import Matching, Side
from gitops_model.diff.nodes import Item, Source, op_text
from gitops_model.diff.result import Box, Edge, Neighbourhood, NodeChange
from gitops_model.ir import Graph, Model, Node

MOST_BOXES, MOST_EDGES = 60, 240
FEEDING, FED = 6, 3
"""How many unchanged operations are shown above and below one that changed."""

Key: TypeAlias = int | tuple[str, str]
"""A box: the number of an operation after, that before plus how many there are after where it went; or an end of the
graph as ("input", NAME), ("output", NAME)."""


def neighbourhood(
    matching: Matching, models: tuple[Model, Model], edits: Mapping[int, NodeChange], most: int = MOST_BOXES
) -> Neighbourhood | None:
    """At most `most` boxes. `edits` says what changed in matched operations, by their number after.

    None where no operation changed that could be drawn.
    """
    union = Union(matching, models, edits)
    places = list(union.places())
    if not places:
        return None
    kinds: dict[object, list[int]] = {}
    counted: Counter[object] = Counter()
    for place in sorted(places, key=lambda found: (-len(found), found[0])):
        kind = union.kind(place)
        kinds.setdefault(kind, place)
        counted[kind] += 1
    shown: dict[Key, int] = {}
    alike: list[int] = []
    for kind, place in kinds.items():
        keys = [key for key in (*place, *union.around(place)) if key not in shown]
        if shown and len(shown) + len(keys) > most:
            continue
        shown.update(dict.fromkeys(keys[: most - len(shown)], len(alike)))
        alike.append(counted[kind] - 1)
    boxes = tuple(union.box(key, place) for key, place in shown.items())
    edges = list(union.edges(list(shown)))
    total, left = sum(map(len, places)), max(len(edges) - MOST_EDGES, 0)
    return Neighbourhood(boxes, tuple(edges[:MOST_EDGES]), total, len(places), tuple(alike), left)


class Ends(NamedTuple):
    """The names of what a graph takes and gives, by place; `given` says of a node which outputs it gives."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    given: dict[int, list[str]]


class Union:
    """Both graphs laid on each other: a matched operation is one box."""

    def __init__(self, matching: Matching, models: tuple[Model, Model], edits: Mapping[int, NodeChange]) -> None:
        self.matching = matching
        self.edits = edits
        self.base = len(matching.other.items)
        sides = zip((matching.one, matching.other), models, strict=True)
        self.ends = [ends_of(side, model.graph) for side, model in sides]
        came = {index for index in matching.left[1] if is_drawn(matching.other.items[index].node)}
        gone = [index for index in sorted(matching.left[0]) if is_drawn(matching.one.items[index].node)]
        self.seeds = dict.fromkeys((*sorted({*came, *edits}), *(self.base + index for index in gone)))

    def sides(self, key: int) -> Iterator[tuple[int, Side, int]]:
        """(0 for before or 1 for after, that side, the number there) of an operation, once or twice."""
        before = key - self.base if key >= self.base else self.matching.back.get(key)
        if before is not None:
            yield 0, self.matching.one, before
        if key < self.base:
            yield 1, self.matching.other, key

    def key(self, side: int, index: int) -> int:
        if side:
            return index
        return self.matching.pairs.get(index, self.base + index)

    def feeding(self, key: int, only: int | None = None) -> Iterator[Key]:
        for side, graph, index in self.sides(key):
            if only is None or side == only:
                for source in graph.items[index].inputs:
                    found = self.origin(side, source)
                    if found is not None:
                        yield found

    def origin(self, side: int, source: Source) -> Key | None:
        if source.node >= 0:
            return self.key(side, source.node)
        word, _, place = source.label.partition(" ")
        names = self.ends[side].inputs
        if word == "input" and place.isdecimal() and int(place) < len(names):
            return "input", names[int(place)]
        return None

    def fed(self, key: int) -> Iterator[Key]:
        for side, graph, index in self.sides(key):
            yield from (self.key(side, user) for user, _, _ in graph.users[index])
            yield from (("output", name) for name in self.ends[side].given.get(index, ()))

    def places(self) -> Iterator[list[int]]:
        """Operations that changed and hang together, each place from its first one outwards."""
        seen: set[int] = set()
        for seed in self.seeds:
            if seed in seen:
                continue
            seen.add(seed)
            place, waiting = [seed], deque([seed])
            while waiting:
                at = waiting.popleft()
                for near in (*self.feeding(at), *self.fed(at)):
                    if isinstance(near, int) and near in self.seeds and near not in seen:
                        seen.add(near)
                        place.append(near)
                        waiting.append(near)
            yield place

    def kind(self, place: list[int]) -> object:
        """What two places have in common that look the same: operations by fate and edit, and who feeds whom."""
        looks = {key: self.look(key) for key in place}
        edges = Counter((looks[near], looks[at]) for at in place for near in self.feeding(at) if near in looks)
        return tuple(sorted(looks.values())), tuple(sorted(edges.items()))

    def look(self, key: int) -> tuple[str, ...]:
        edit = self.edits.get(key)
        said = () if edit is None else (repr(edit.attributes), repr(edit.inputs))
        return self.fate(key), op_text(self.item(key).node), *said

    def around(self, place: list[int]) -> Iterator[Key]:
        """What feeds the operations of a place and what they feed in the same body, without the place itself; a few of
        each."""
        taken: set[Key] = set(place)
        for at in place:
            where = self.item(at).where
            for keys, few in ((self.feeding(at), FEEDING), (self.fed(at), FED)):
                found = 0
                for key in keys:
                    item = self.item(key) if isinstance(key, int) else None
                    if key in taken or (item.where if item else "") != where or (item and not is_drawn(item.node)):
                        continue
                    taken.add(key)
                    yield key
                    found += 1
                    if found == few:
                        break

    def edges(self, keys: list[Key]) -> Iterator[Edge]:
        """Between the boxes that are shown, in the order of what is fed."""
        numbers = {key: number for number, key in enumerate(keys)}
        for key, target in numbers.items():
            sides: list[dict[Key, None]] = [{}, {}]
            for side in (0, 1):
                if isinstance(key, int):
                    sides[side].update(dict.fromkeys(self.feeding(key, side)))
                else:
                    sides[side].update(dict.fromkeys(self.giving(side, key)))
            for source in sides[0] | sides[1]:
                if source in numbers and source != key:
                    fate = "kept" if source in sides[0] and source in sides[1] else "added"
                    yield Edge(numbers[source], target, fate if source in sides[1] else "removed")

    def giving(self, side: int, end: tuple[str, str]) -> Iterator[Key]:
        if end[0] == "output":
            given = self.ends[side].given
            yield from (self.key(side, index) for index, names in given.items() if end[1] in names)

    def fate(self, key: Key) -> str:
        if isinstance(key, int):
            if key >= self.base:
                return "removed"
            return "added" if key not in self.matching.back else "changed" if key in self.edits else "kept"
        known = [end.inputs if key[0] == "input" else end.outputs for end in self.ends]
        return "kept" if key[1] in known[0] and key[1] in known[1] else "added" if key[1] in known[1] else "removed"

    def item(self, key: int) -> Item:
        return self.matching.other.items[key] if key < self.base else self.matching.one.items[key - self.base]

    def box(self, key: Key, place: int) -> Box:
        fate = self.fate(key)
        if isinstance(key, tuple):
            return Box(key[0], fate, "", key[1], "", place)
        node, where, *_ = self.item(key)
        edit = self.edits.get(key) if fate == "changed" else None
        said = (edit.attributes, edit.inputs) if edit is not None else ((), ())
        return Box("operation", fate, op_text(node), node.name, where, place, *said)


def ends_of(side: Side, graph: Graph | None) -> Ends:
    if graph is None:
        return Ends((), (), {})
    names = tuple(value.name for value in graph.outputs)
    given: dict[int, list[str]] = {}
    for node, _, place in side.nodes.ends:
        if side.items[node].where == "" and place < len(names):
            given.setdefault(node, []).append(names[place])
    return Ends(tuple(value.name for value in graph.inputs), names, given)


def is_drawn(node: Node) -> bool:
    return node.op_type != "Constant"
