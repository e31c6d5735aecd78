"""A graph with all its subgraphs as one set of things and the uses between them, without names.

A thing is a node, a constant, a formal input, or a name that nothing defines. Subgraphs dissolve: their outputs are
used by the node that holds them, and what they take from outside is used where it is used. Everything is iterative
and linear in the size of the description, whatever it says: circles, undefined and doubly defined names included.
"""

from functools import lru_cache
from typing import NamedTuple

from gitops_model.fingerprint.constants import constant_tensor
from gitops_model.fingerprint.encode import text, u32
from gitops_model.fingerprint.labels import INPUT, SEVERAL, UNDEFINED, Labels, formal_inputs
from gitops_model.ir import Attribute, Graph, Node, Tensor

ROOT = -1
"""The user of a whole graph's outputs."""

AS_INPUT, AS_OUTPUT, AS_FORMAL, AS_MEMBER = range(4)
"""How a thing is used: as input of a node, as output of a (sub)graph, by being its formal input, by being in it."""

Use = tuple[int, bytes]
"""The user, and the bytes of how (`use_bytes`). Plain tuples: the garbage collector lets go of them."""

FunctionKey = tuple[str, str, str]
"""Domain, name, overload."""


class Things:
    """Things by number: what each is, and who uses it."""

    def __init__(self) -> None:
        self.labels: list[bytes] = []
        self.uses: list[list[Use]] = []
        self.constants: dict[int, Tensor] = {}
        self.calls: dict[int, FunctionKey] = {}
        """Calls of functions of the file: their labels lack the beginning."""

    def add(self, label: bytes) -> int:
        self.labels.append(label)
        self.uses.append([])
        return len(self.labels) - 1

    def add_constant(self, tensor: Tensor, label: bytes) -> int:
        thing = self.add(label)
        self.constants[thing] = tensor
        return thing


@lru_cache(4096)
def use_bytes(output: int, kind: int, slot: int, attribute: str = "", member: int = 0) -> bytes:
    """How output `output` of a thing is used: as `kind`, at `slot`, of the subgraph `attribute[member]`."""
    return u32(output) + bytes([kind]) + u32(slot) + text(attribute) + u32(member)


class _Scope(NamedTuple):
    """A (sub)graph: who holds it and where, the names in it, and the graph around it.

    `names` maps to (thing, output); `members` are its constants and nodes.
    """

    graph: Graph
    owner: int
    attribute: str
    member: int
    outer: "_Scope | None"
    names: dict[str, tuple[int, int]]
    members: list[int]
    placed: list[tuple[int, Node]]

    def use(self, kind: int, slot: int, output: int = 0) -> Use:
        return self.owner, use_bytes(output, kind, slot, self.attribute, self.member)

    def find(self, name: str) -> tuple[int, int] | None:
        scope = self.outer
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.outer
        return None


def scope_of(graph: Graph, outer: _Scope | None, owner: int, attribute: str = "", member: int = 0) -> _Scope:
    return _Scope(graph, owner, attribute, member, outer, {}, [], [])


def flatten(graph: Graph, labels: Labels, functions: set[FunctionKey]) -> Things:
    """The things of a graph, or of a function's body in the form of one. `functions` are those of the file."""
    things = Things()
    root = scope_of(graph, None, ROOT)
    pending = [root]
    opened: list[_Scope] = []
    while pending:
        scope = pending.pop()
        opened.append(scope)
        _define(scope, things, labels, functions)
        for thing, node in scope.placed:
            for attribute in node.attributes:
                pending.extend(
                    scope_of(inner, scope, thing, attribute.name, member)
                    for member, inner in enumerate(graphs_of(attribute))
                )
    for scope in opened:
        _connect(scope, root, things)
    for scope in opened:
        for thing in scope.members:
            if not things.uses[thing]:
                things.uses[thing].append(scope.use(AS_MEMBER, 0))
    return things


def graphs_of(attribute: Attribute) -> tuple[Graph, ...]:
    """The subgraphs that an attribute holds."""
    _, kind, value = attribute
    if kind == "graph" and isinstance(value, Graph):
        return (value,)
    if kind == "graphs" and isinstance(value, tuple):
        return tuple(item for item in value if isinstance(item, Graph))
    return ()


def _define(scope: _Scope, things: Things, labels: Labels, functions: set[FunctionKey]) -> None:
    """Make the things of one graph and name them in its scope."""
    members = scope.members
    for slot, item in enumerate(formal_inputs(scope.graph)):
        thing = things.add(INPUT)
        things.uses[thing].append(scope.use(AS_FORMAL, slot))
        _name(scope, item.name, thing, 0, things)
    for name, tensor in scope.graph.initializers.items():
        thing = things.add_constant(tensor, labels.constant(tensor))
        members.append(thing)
        _name(scope, name, thing, 0, things)
    for node in scope.graph.nodes:
        tensor = constant_tensor(node)
        if tensor is not None:
            thing = things.add_constant(tensor, labels.constant(tensor))
        else:
            key = node.domain, node.op_type, node.overload
            is_call = key in functions
            thing = things.add(labels.node(node, is_call=is_call))
            if is_call:
                things.calls[thing] = key
            scope.placed.append((thing, node))
        members.append(thing)
        for output, name in enumerate(node.outputs):
            if name:
                _name(scope, name, thing, output, things)


def _name(scope: _Scope, name: str, thing: int, output: int, things: Things) -> None:
    """Give a name to an output. A second definition puts a thing between the definitions and the uses."""
    before = scope.names.setdefault(name, (thing, output))
    if before == (thing, output):
        return
    junction, first = before
    if things.labels[junction] is not SEVERAL:
        junction = things.add(SEVERAL)
        things.uses[before[0]].append((junction, use_bytes(first, AS_INPUT, 0)))
        scope.names[name] = (junction, 0)
    things.uses[thing].append((junction, use_bytes(output, AS_INPUT, 0)))


def _connect(scope: _Scope, root: _Scope, things: Things) -> None:
    uses = things.uses
    names = scope.names

    def elsewhere(name: str) -> tuple[int, int]:
        found = scope.find(name) or root.names.get(name)
        if found is None:
            found = root.names[name] = (things.add(UNDEFINED), 0)
        return found

    for thing, node in scope.placed:
        for slot, name in enumerate(node.inputs):
            if name:
                origin, output = names.get(name) or elsewhere(name)
                uses[origin].append((thing, use_bytes(output, AS_INPUT, slot)))
    for slot, item in enumerate(scope.graph.outputs):
        origin, output = names.get(item.name) or elsewhere(item.name)
        uses[origin].append(scope.use(AS_OUTPUT, slot, output))
