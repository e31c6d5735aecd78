"""What is known of every value of an ONNX graph: element type and shape, from the file and from shape inference.

Graphs are numbered in preorder: the main graph is 0, then the graphs in the attributes of its nodes as they come. The
helper process that runs shape inference numbers them in the same way.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias, cast

from gitops_model.ir import Dim, Graph, Model, Node, TensorType

Known: TypeAlias = Mapping[str, TensorType]
Inferred: TypeAlias = tuple[Known, ...]
"""By the number of the graph."""


class Numbered(NamedTuple):
    """A graph, its number, and the number of the graph that holds it (-1 for the main graph)."""

    graph: Graph
    number: int
    outer: int


def subgraphs(node: Node) -> tuple[Graph, ...]:
    found: list[Graph] = []
    for attribute in node.attributes:
        if attribute.kind == "graph":
            found.append(cast(Graph, attribute.value))
        elif attribute.kind == "graphs":
            found.extend(cast("tuple[Graph, ...]", attribute.value))
    return tuple(found)


def numbered(model: Model) -> Iterator[Numbered]:
    """Every graph of a model in preorder; function bodies are not graphs of it."""
    if model.graph is None:
        return
    pending: list[tuple[Graph, int]] = [(model.graph, -1)]
    number = 0
    while pending:
        graph, outer = pending.pop()
        yield Numbered(graph, number, outer)
        inner = [(child, number) for node in graph.nodes for child in subgraphs(node)]
        pending += reversed(inner)
        number += 1


class Plan(NamedTuple):
    """The sizes to plan for: the shape of each input as far as it is known, and the size of every known symbol."""

    inputs: dict[str, tuple[int | None, ...]]
    sizes: dict[str, int]


def planned(
    model: Model,
    sizes: Mapping[str, int] | None = None,
    batch: int | None = None,
    declared: Mapping[str, tuple[Dim, ...] | None] | None = None,
) -> Plan:
    """Put numbers in the place of the open dimensions of the inputs.

    `declared` are the shapes in a manifest: they may give a number, or a symbol to a dimension that has none in the
    file. `sizes` are by symbol. An open first dimension is the batch.
    """
    known = dict(sizes or {})
    shapes: dict[str, list[tuple[Dim, Dim]]] = {}
    for value in model.inputs or ():
        if isinstance(value.type, TensorType) and value.type.shape is not None:
            told = (declared or {}).get(value.name)
            if told is None or len(told) != len(value.type.shape):
                told = (None,) * len(value.type.shape)
            shapes[value.name] = list(zip(value.type.shape, told, strict=True))
    for pairs in shapes.values():
        for place, (dim, told) in enumerate(pairs):
            if isinstance(dim, str):
                size = told if isinstance(told, int) else known.get(told) if told is not None else None
                size = batch if size is None and place == 0 else size
                if size is not None:
                    known.setdefault(dim, size)

    def resolved(dim: Dim, told: Dim, place: int) -> int | None:
        for choice in (dim, told):
            if isinstance(choice, int):
                return choice
            if choice is not None and choice in known:
                return known[choice]
        return batch if place == 0 else None

    inputs = {
        name: tuple(resolved(dim, told, place) for place, (dim, told) in enumerate(pairs))
        for name, pairs in shapes.items()
    }
    return Plan(inputs, known)


class Values:
    """Looks up a value by the number of a graph and its name, in that graph and then in those around it."""

    def __init__(self, model: Model, inferred: Inferred = (), plan: Plan | None = None) -> None:
        self._outer: dict[int, int] = {}
        self._tables: dict[int, dict[str, TensorType]] = {}
        graphs = tuple(numbered(model))
        if len(inferred) != len(graphs):
            inferred = ()
        for graph, number, outer in graphs:
            table: dict[str, TensorType] = {}
            for value in (*graph.values, *graph.outputs, *graph.inputs):
                if isinstance(value.type, TensorType):
                    table[value.name] = value.type
            if inferred:
                for name, type_ in inferred[number].items():
                    table[name] = better(table.get(name), type_)
            if plan is not None and number == 0:
                for name, shape in plan.inputs.items():
                    table[name] = table[name]._replace(shape=shape)
            for name, tensor in graph.initializers.items():
                table[name] = TensorType(tensor.dtype, tensor.shape)
            self._outer[number] = outer
            self._tables[number] = table

    def type_of(self, number: int, name: str) -> TensorType | None:
        while number >= 0:
            found = self._tables[number].get(name)
            if found is not None:
                return found
            number = self._outer[number]
        return None


def better(told: TensorType | None, inferred: TensorType) -> TensorType:
    """What inference adds to what the file tells: a shape of numbers wins over symbols."""
    if told is None or told.dtype in ("undefined", inferred.dtype):
        known = inferred.shape is not None and all(isinstance(dim, int) for dim in inferred.shape)
        if told is None or known or told.shape is None:
            return inferred
        return TensorType(inferred.dtype, told.shape)
    return told


def elements(shape: tuple[Dim, ...] | None, sizes: Mapping[str, int]) -> int | None:
    """The number of elements, symbols replaced by `sizes`; None where a dimension stays open."""
    if shape is None:
        return None
    count = 1
    for dim in shape:
        size = sizes.get(dim) if isinstance(dim, str) else dim
        if size is None or size < 0:
            return None
        count *= size
    return count
