"""A graph with all its subgraphs as one set of things and the uses between them, without names.

A thing is a node, a constant, a formal input, or a name that nothing defines. Subgraphs dissolve: their outputs are
used by the node that holds them, and what they take from outside is used where it is used. Everything is iterative
and linear in the size of the description, whatever it says: cycles, undefined and doubly defined names included.
"""

from typing import NamedTuple

from gitops_model.fingerprint.constants import Constant, of_node
from gitops_model.ir import Attribute, Graph, Node, Tensor, Value

ROOT = -1
"""The user of a whole graph's outputs."""

INPUT, OUTPUT, FORMAL, MEMBER = range(4)
"""How a thing is used: as input of a node, as output of a (sub)graph, by being its formal input, by being in it."""


class Use(NamedTuple):
    """Output `output` of a thing is used by `user`: as `kind`, at `slot`, of its subgraph `attribute[member]`."""

    user: int
    output: int
    kind: int
    slot: int
    attribute: str = ""
    member: int = 0


class Owner(NamedTuple):
    """The place of a (sub)graph: the node that holds it (or ROOT) and where."""

    thing: int
    attribute: str = ""
    member: int = 0


class Kind(NamedTuple):
    """A thing that is neither node nor constant: `input`, `undefined` or `several` (a name defined more than once)."""

    word: str


class Things:
    """Things by number: what each is, and who uses it."""

    def __init__(self) -> None:
        self.what: list[Node | Constant | Kind] = []
        self.uses: list[list[Use]] = []

    def add(self, what: Node | Constant | Kind) -> int:
        self.what.append(what)
        self.uses.append([])
        return len(self.what) - 1


class _Scope:
    """The names of one (sub)graph: name → (thing, output). Names of the graphs around it are looked up outwards."""

    def __init__(self, owner: Owner, outer: "_Scope | None") -> None:
        self.owner = owner
        self.outer = outer
        self.names: dict[str, tuple[int, int]] = {}
        self.members: list[int] = []
        """The constants and nodes of this graph."""

    def find(self, name: str) -> tuple[int, int] | None:
        scope: _Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.outer
        return None


def flatten(
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    nodes: tuple[Node, ...],
    initializers: dict[str, Tensor] | None = None,
) -> Things:
    """The things of a graph or of a function's body."""
    things = Things()
    names = tuple(Value(name, None) for name in inputs), tuple(Value(name, None) for name in outputs)
    pending = [(Graph("", names[0], names[1], nodes, initializers or {}), _Scope(Owner(ROOT), None))]
    opened: list[tuple[Graph, _Scope, list[tuple[int, Node]]]] = []
    while pending:
        graph, scope = pending.pop()
        placed = _define(graph, scope, things)
        opened.append((graph, scope, placed))
        for thing, node in placed:
            for attribute in node.attributes:
                pending.extend(
                    (inner, _Scope(Owner(thing, attribute.name, member), scope))
                    for member, inner in enumerate(graphs_of(attribute))
                )
    root = opened[0][1]
    for graph, scope, placed in opened:
        _connect(graph, scope, root, placed, things)
    for _, scope, _ in opened:
        owner = scope.owner
        for thing in scope.members:
            if not things.uses[thing]:
                things.uses[thing].append(Use(owner.thing, 0, MEMBER, 0, owner.attribute, owner.member))
    return things


def graphs_of(attribute: Attribute) -> tuple[Graph, ...]:
    """The subgraphs that an attribute holds."""
    if attribute.kind == "graph" and isinstance(attribute.value, Graph):
        return (attribute.value,)
    if attribute.kind == "graphs" and isinstance(attribute.value, tuple):
        return tuple(item for item in attribute.value if isinstance(item, Graph))
    return ()


def formal_inputs(graph: Graph) -> tuple[Value, ...]:
    """The inputs that no initializer fills."""
    return tuple(item for item in graph.inputs if item.name not in graph.initializers)


def _define(graph: Graph, scope: _Scope, things: Things) -> list[tuple[int, Node]]:
    """Make the things of one graph and name them in its scope; the nodes come back with their numbers."""
    owner = scope.owner
    for slot, item in enumerate(formal_inputs(graph)):
        thing = things.add(Kind("input"))
        things.uses[thing].append(Use(owner.thing, 0, FORMAL, slot, owner.attribute, owner.member))
        _name(scope, item.name, thing, 0, things)
    for name, tensor in graph.initializers.items():
        thing = things.add(Constant(tensor))
        scope.members.append(thing)
        _name(scope, name, thing, 0, things)
    placed: list[tuple[int, Node]] = []
    for node in graph.nodes:
        thing = things.add(of_node(node) or node)
        scope.members.append(thing)
        placed.append((thing, node))
        for output, name in enumerate(node.outputs):
            if name:
                _name(scope, name, thing, output, things)
    return placed


def _name(scope: _Scope, name: str, thing: int, output: int, things: Things) -> None:
    """Give a name to an output. A second definition puts a thing between the definitions and the uses."""
    before = scope.names.get(name)
    if before is None:
        scope.names[name] = (thing, output)
        return
    junction, _ = before
    what = things.what[junction]
    if not (isinstance(what, Kind) and what.word == "several"):
        junction = things.add(Kind("several"))
        things.uses[before[0]].append(Use(junction, before[1], INPUT, 0))
        scope.names[name] = (junction, 0)
    things.uses[thing].append(Use(junction, output, INPUT, 0))


def _connect(graph: Graph, scope: _Scope, root: _Scope, placed: list[tuple[int, Node]], things: Things) -> None:
    uses = things.uses

    def source(name: str) -> tuple[int, int]:
        found = scope.find(name)
        if found is None:
            found = root.names[name] = (things.add(Kind("undefined")), 0)
        return found

    for thing, node in placed:
        for slot, name in enumerate(node.inputs):
            if name:
                origin, output = source(name)
                uses[origin].append(Use(thing, output, INPUT, slot))
    owner = scope.owner
    for slot, item in enumerate(graph.outputs):
        origin, output = source(item.name)
        uses[origin].append(Use(owner.thing, output, OUTPUT, slot, owner.attribute, owner.member))
