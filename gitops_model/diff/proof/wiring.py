"""Two graphs that are one but for names and for what constants hold: what was built of one then stands for both.

Most pairs are like that: a model that was trained further, or exported again under other names. Where nothing at all
differs they are equal. Where constants do, the rules would do with the other graph what they did with this one, unless
they looked at what a changed constant holds or put it into another: then both are built and compared as ever.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias, TypeVar

from gitops_model.diff.proof.call import Attr
from gitops_model.diff.proof.floats import packed
from gitops_model.diff.proof.form import is_plain
from gitops_model.diff.proof.table import ConstantKey, Table
from gitops_model.diff.proof.tally import is_outside
from gitops_model.diff.proof.values import Outcome
from gitops_model.fingerprint.constants import Content, content
from gitops_model.ir import Attribute, Graph, Model, Node, Tensor
from gitops_model.readers.onnx.constant import constant_of

Digests: TypeAlias = Mapping[Content, str]
Keys: TypeAlias = Mapping[str, object]
Item = TypeVar("Item")


class Differs(Exception):
    """The graphs are not wired alike, or in a way that is not looked into here (subgraphs, functions)."""


def constants_in_place(
    models: tuple[Model, Model], digests: tuple[Digests, Digests], keys: tuple[Keys, Keys]
) -> dict[ConstantKey, ConstantKey] | None:
    """Each constant of the first graph and the one in its place in the second; None where there are not two such.

    `keys` are those of the formal inputs (`prove.shared_inputs`). No two constants of one graph are one in the other.
    """
    one, other = models
    if one.graph is None or other.graph is None or one.functions or other.functions or one.opset != other.opset:
        return None
    walk = Walk(one.graph, other.graph, digests)
    try:
        walk.inputs(keys)
        for pair in aligned(one.graph.nodes, other.graph.nodes):
            walk.node(*pair)
        for ours, theirs in aligned(one.graph.outputs, other.graph.outputs):
            walk.use(ours.name, theirs.name)
        walk.all_used()
    except Differs:
        return None
    return walk.constants


def aligned(one: tuple[Item, ...], other: tuple[Item, ...]) -> Iterable[tuple[Item, Item]]:
    if len(one) != len(other):
        raise Differs
    return zip(one, other, strict=True)


class Walk:
    """Both graphs, a node of each at a time. `names` maps a name to the one in its place, `back` the other way."""

    def __init__(self, one: Graph, other: Graph, digests: tuple[Digests, Digests]) -> None:
        self.graphs = (one, other)
        self.digests = digests
        self.names = {"": ""}
        self.back = {"": ""}
        self.constants: dict[ConstantKey, ConstantKey] = {}
        self.originals: dict[ConstantKey, ConstantKey] = {}
        self.used = 0
        self.values: dict[int, tuple[str, str, Attr]] = {}
        """Attributes by id, as they are compared: Python takes -0.0 for 0.0."""

    def inputs(self, keys: tuple[Keys, Keys]) -> None:
        one, other = self.graphs
        for ours, theirs in aligned(one.inputs, other.inputs):
            if keys[0].get(ours.name) != keys[1].get(theirs.name):
                raise Differs
            if ours.name not in one.initializers and theirs.name not in other.initializers:
                self.define(ours.name, theirs.name)

    def node(self, one: Node, other: Node) -> None:
        if (one.op_type, one.domain, one.overload) != (other.op_type, other.domain, other.overload):
            raise Differs
        for ours, theirs in aligned(one.inputs, other.inputs):
            if self.names.get(ours) != theirs:
                self.use(ours, theirs)
        is_constant = one.domain == "ai.onnx" and one.op_type == "Constant" and len(one.attributes) == 1
        for mine, their in aligned(one.attributes, other.attributes):
            if is_constant:
                self.constant(constant_of("", mine), constant_of("", their))
            elif self.value(mine, 0) != self.value(their, 1):
                raise Differs
        for ours, theirs in aligned(one.outputs, other.outputs):
            if ours or theirs:
                self.define(ours, theirs)

    def define(self, ours: str, theirs: str) -> None:
        """Two values begin here; a name that is there already, or is used before, is no business of this walk."""
        if ours in self.names or theirs in self.back:
            raise Differs
        self.names[ours] = theirs
        self.back[theirs] = ours

    def use(self, ours: str, theirs: str) -> None:
        """The two values are one, or two initializers that are met here first."""
        known = self.names.get(ours)
        if known is None:
            tensors = [graph.initializers.get(name) for graph, name in zip(self.graphs, (ours, theirs), strict=True)]
            self.define(ours, theirs)
            self.constant(*tensors)
            self.used += 1
        elif known != theirs:
            raise Differs

    def constant(self, ours: Tensor | None, theirs: Tensor | None) -> None:
        if ours is None or theirs is None or is_outside(ours) != is_outside(theirs):
            raise Differs  # where constants are stored is counted as well
        mine, their = self.key(ours, 0), self.key(theirs, 1)
        if mine[:2] != their[:2] or self.constants.setdefault(mine, their) != their:
            raise Differs
        if self.originals.setdefault(their, mine) != mine:
            raise Differs

    def key(self, tensor: Tensor, side: int) -> ConstantKey:
        digest = self.digests[side].get(content(tensor))
        if digest is None:
            raise Differs
        return tensor.dtype, tensor.shape, digest

    def value(self, attribute: Attribute, side: int) -> tuple[str, str, Attr]:
        found = self.values.get(id(attribute))
        if found is None:
            name, kind, value = attribute
            if isinstance(value, Tensor):
                held: Attr = self.key(value, side)
            elif is_plain(attribute):
                held = packed(value)
            else:
                raise Differs
            found = self.values[id(attribute)] = (name, kind, held)
        return found

    def all_used(self) -> None:
        """What is left over may differ in any way, and counts where constants are counted."""
        if any(len(graph.initializers) != self.used for graph in self.graphs):
            raise Differs


def outcome(table: Table, outputs: list[int], constants: Mapping[ConstantKey, ConstantKey]) -> Outcome | None:
    """How the graph that `table` holds compares with the one that has the other constants in their places.

    None where that cannot be said without building the other one.
    """
    changed = {mine: other for mine, other in constants.items() if mine != other}
    if any(table.find(other) is not None for other in changed.values()):
        return None  # it would be one with a constant that is there
    affected = {number for number in map(table.find, changed) if number is not None}
    if not affected.isdisjoint(table.looked_at):
        return None
    for number, item in enumerate(table.items):
        if not affected.isdisjoint(item.args):
            affected.add(number)
            if table.constant[number]:
                return None
    return Outcome.EXACT if affected.isdisjoint(outputs) else Outcome.WEIGHTS
