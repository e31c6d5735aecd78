"""Which integers an input takes: the rows of the tables that it looks up, and the numbers that it is compared with.

A value is followed from the input through what only moves it about. Where it ends in something else (arithmetic, the
count of a loop) nothing is known of it, and nothing but 0 and 1 is safe.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias, cast

from gitops_model.diff.graph import nodes, subgraphs
from gitops_model.ir import Function, Graph, Model, Node, Tensor, TensorType

Read: TypeAlias = Callable[[Tensor], tuple[int, ...]]
"""The elements of a small tensor of integers; empty where they cannot be had."""

MOST_STEPS = 20_000
MOST_LANDMARKS = 6

MOVES = frozenset(
    ("Cast", "Clip", "Concat", "Expand", "Flatten", "Identity", "Reshape", "Slice", "Split", "Squeeze", "Tile")
) | {"Transpose", "Unsqueeze", "Where"}
COMPARES = frozenset(("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"))
HARMLESS = frozenset(("Shape", "Size", "If", "Not"))
WIDE = frozenset((2, 3, 4, 5, 6, 7, 12, 13))
"""Numbers of the integers in onnx.TensorProto.DataType: what is cast to another type is no index any more."""


class Uses(NamedTuple):
    """`below` is the least number of rows of the tables; `compared` what the input is compared with. `known`: it ends
    nowhere else."""

    known: bool = True
    below: int | None = None
    compared: tuple[int, ...] = ()


def uses(model: Model, names: Iterable[str], read: Read) -> dict[str, Uses]:
    """By input."""
    if model.graph is None:
        return {}
    index = Index(model, read)
    return {name: index.uses(name) for name in names}


def choices(before: Uses | None, after: Uses | None) -> tuple[int | None, tuple[int, ...]]:
    """(numbers below this, or else one of these): what both models take."""
    sides = [side for side in (before, after) if side is not None]
    if not all(side.known for side in sides):
        return None, (0, 1)
    rows = [side.below for side in sides if side.below is not None]
    if rows:
        return max(1, min(rows)), ()
    compared = sorted({number for side in sides for number in side.compared})
    return None, tuple(dict.fromkeys((0, 1, *compared[:MOST_LANDMARKS])))


Place: TypeAlias = tuple[int, str]
"""A value: the number of a function's body (-1: the graph with all that are in it), and its name there."""


class Index:
    """Who makes and who takes each value. Names are unique through nested graphs, as the standard has it."""

    def __init__(self, model: Model, read: Read) -> None:
        self._read = read
        self._takers: dict[Place, list[tuple[Node, int]]] = {}
        self._makers: dict[Place, Node] = {}
        self._stored: dict[Place, Tensor] = {}
        self._types: dict[str, TensorType] = {}
        self._functions = {(one.domain, one.name, one.overload): number for number, one in enumerate(model.functions)}
        self._bodies: tuple[Function, ...] = model.functions
        if model.graph is not None:
            for node in nodes(Model("onnx", (), graph=model.graph)):
                self._enter(-1, node)
            self._enter_graph(model.graph)
        for number, function in enumerate(model.functions):
            for node in nodes(Model("onnx", (), functions=(function,))):
                self._enter(number, node)

    def _enter_graph(self, graph: Graph) -> None:
        for value in (*graph.values, *graph.outputs):
            if isinstance(value.type, TensorType):
                self._types[value.name] = value.type
        for name, tensor in graph.initializers.items():
            self._stored[-1, name] = tensor

    def _enter(self, body: int, node: Node) -> None:
        for slot, name in enumerate(node.inputs):
            if name:
                self._takers.setdefault((body, name), []).append((node, slot))
        for name in node.outputs:
            self._makers[body, name] = node
        for graph in subgraphs(node):
            for name, tensor in graph.initializers.items():
                self._stored.setdefault((body, name), tensor)

    def uses(self, name: str) -> Uses:
        known, rows, compared = True, set[int](), set[int]()
        waiting, seen = [(-1, name)], {(-1, name)}
        while waiting and known:
            place = waiting.pop()
            if place[0] >= 0 and place[1] in self._bodies[place[0]].outputs:
                known = False  # out of a function, to who knows where
            for node, slot in self._takers.get(place, ()):
                found = self._taken(place[0], node, slot)
                if found is None or len(seen) > MOST_STEPS:
                    known = False
                elif isinstance(found, int):
                    rows.add(found)
                else:
                    onward, numbers = found
                    compared |= set(numbers)
                    waiting += [one for one in onward if one not in seen]
                    seen |= set(onward)
        return Uses(known, min(rows, default=None), tuple(sorted(compared)))

    def _taken(self, body: int, node: Node, slot: int) -> "int | tuple[list[Place], tuple[int, ...]] | None":
        """The rows that a value chooses from, or where it goes on and what it meets; None where that is not known."""
        op = node.op_type
        if (number := self._functions.get((node.domain, op, node.overload))) is not None:
            formal = self._bodies[number].inputs
            return ([(number, formal[slot])], ()) if slot < len(formal) else None
        onward: list[Place] = [(body, name) for name in node.outputs if name]
        if node.domain == "com.microsoft":
            return self._table_of_microsoft(body, node, slot)
        if node.domain not in ("", "ai.onnx"):
            return None
        if op in COMPARES:
            return [], self._numbers(body, node.inputs[1 - slot]) if slot < 2 and len(node.inputs) == 2 else ()
        if op in HARMLESS or (op == "Cast" and _int(node, "to", 0) not in WIDE):
            return [], ()
        if op in MOVES:
            moved = slot > 0 if op == "Where" else slot == 0 or op in ("Concat", "Clip")
            return (onward, ()) if moved else None
        if op in ("Gather", "GatherElements"):
            return (onward, ()) if slot == 0 else self._rows(body, node.inputs[0], _int(node, "axis", 0))
        if op == "OneHot" and slot == 0 and len(node.inputs) > 1:
            depth = self._numbers(body, node.inputs[1])
            return depth[0] if len(depth) == 1 and depth[0] > 0 else None
        return None

    def _table_of_microsoft(self, body: int, node: Node, slot: int) -> int | None:
        tables = {("EmbedLayerNormalization", 0): 2, ("EmbedLayerNormalization", 1): 4, ("GatherBlockQuantized", 1): 0}
        table = tables.get((node.op_type, slot))
        if table is None or table >= len(node.inputs):
            return None
        return self._rows(body, node.inputs[table], _int(node, "gather_axis", 0))

    def _rows(self, body: int, name: str, axis: int) -> int | None:
        shape: tuple[object, ...] | None = None
        for place in self._back(body, name, ("Identity", "Cast", "DequantizeLinear")):
            tensor = self._tensor(place)
            declared = self._types.get(place[1]) if body < 0 else None
            shape = tensor.shape if tensor is not None else declared.shape if declared is not None else None
            if shape is not None:
                break
        if shape is None or not -len(shape) <= axis < len(shape):
            return None
        rows = shape[axis]
        return rows if isinstance(rows, int) and rows > 0 else None

    def _numbers(self, body: int, name: str) -> tuple[int, ...]:
        """The integers of a constant, if it is a small one."""
        for place in self._back(body, name, ("Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze")):
            tensor = self._tensor(place)
            if tensor is not None:
                return self._read(tensor)
            maker = self._makers.get(place)
            if maker is not None and maker.op_type == "Constant":
                for attribute in maker.attributes:
                    if attribute.kind == "int":
                        return (cast(int, attribute.value),)
                    if attribute.kind == "ints" and isinstance(attribute.value, tuple):
                        return cast("tuple[int, ...]", attribute.value)[:MOST_LANDMARKS]
        return ()

    def _tensor(self, place: Place) -> Tensor | None:
        stored = self._stored.get(place)
        maker = self._makers.get(place)
        if stored is None and maker is not None and maker.op_type == "Constant":
            return next((one.value for one in maker.attributes if isinstance(one.value, Tensor)), None)
        return stored

    def _back(self, body: int, name: str, through: tuple[str, ...]) -> Iterator[Place]:
        """A value and those that it is made from by nothing but `through`."""
        for _ in range(8):
            yield body, name
            maker = self._makers.get((body, name))
            if maker is None or maker.op_type not in through or not maker.inputs:
                return
            name = maker.inputs[0]


def _int(node: Node, name: str, default: int) -> int:
    for attribute in node.attributes:
        if attribute.name == name and isinstance(attribute.value, int):
            return attribute.value
    return default
