"""GraphProto and NodeProto, and the attributes that lead from one into the other.

Subgraphs sit in attributes of nodes; `graph_of`, `node_of` and `attribute_of` call one another at most `DEEPEST` levels
deep. A name inside a subgraph is qualified by `NODE.ATTR/` per level, outermost first.
"""

from collections.abc import Iterable

from gitops_model.ir import Attribute, AttributeValue, Graph, Node, Tensor, Value
from gitops_model.readers.onnx.attribute import (
    GRAPH,
    GRAPHS,
    PLACED,
    REF,
    SPARSE,
    SPARSES,
    TENSOR,
    TENSORS,
    Occurrences,
    fields_of,
    kind_of,
    plain_value,
)
from gitops_model.readers.onnx.constant import constant_of
from gitops_model.readers.onnx.reading import COST, DEEPEST, DEFAULT_DOMAIN, Pieces, Reading, too_deep
from gitops_model.readers.onnx.tensor import sparse_of, tensor_of
from gitops_model.readers.onnx.types import value_of

SHORT = 256
"""Bytes up to which an attribute is remembered."""


def graph_of(reading: Reading, pieces: Pieces, prefix: str = "", depth: int = 0) -> Graph:
    """The graph at `pieces`, whose tensors are named `prefix` + their own name."""
    if depth > DEEPEST:
        raise too_deep("subgraphs", pieces[0][0])
    name = ""
    nodes: list[Node] = []
    inputs: list[Value] = []
    outputs: list[Value] = []
    values: list[Value] = []
    initializers: dict[str, Tensor] = {}
    cut = len(prefix)
    for start, end in pieces:
        for tag, a, b in reading.wire.fields(start, end, "GraphProto"):
            if tag == 0x0A:
                nodes.append(node_of(reading, (a, b), len(nodes), prefix, depth))
            elif tag in (0x2A, 0x7A):
                tensor = (tensor_of if tag == 0x2A else sparse_of)(reading, ((a, b),), prefix)
                initializers[tensor.name[cut:]] = tensor
                reading.tensors.append(tensor)
            elif tag == 0x6A:
                values.append(value_of(reading, a, b))
            elif tag == 0x5A:
                inputs.append(value_of(reading, a, b))
            elif tag == 0x62:
                outputs.append(value_of(reading, a, b))
            elif tag == 0x12:
                name = reading.text(a, b)
    return Graph(name, tuple(inputs), tuple(outputs), tuple(nodes), initializers, tuple(values))


def node_of(reading: Reading, place: tuple[int, int], index: int, prefix: str, depth: int) -> Node:
    """The node at `place`, which is number `index` of its graph."""
    op_type = name = overload = ""
    domain = DEFAULT_DOMAIN
    inputs: list[str] = []
    outputs: list[str] = []
    places: list[tuple[int, int]] = []
    text = reading.text
    reading.wire.count += COST
    for tag, a, b in reading.wire.fields(*place, "NodeProto"):
        if tag == 0x0A:
            inputs.append(text(a, b))
        elif tag == 0x12:
            outputs.append(text(a, b))
        elif tag == 0x2A:
            places.append((a, b))
        elif tag == 0x22:
            op_type = text(a, b)
        elif tag == 0x1A:
            name = text(a, b)
        elif tag == 0x3A:
            domain = text(a, b) or DEFAULT_DOMAIN
        elif tag == 0x42:
            overload = text(a, b)
    attributes: list[Attribute] = []
    if places:
        scope = prefix + (name or f"{op_type}#{index}")
        constant = None
        if op_type == "Constant" and domain == DEFAULT_DOMAIN:
            constant = prefix + outputs[0] if outputs and outputs[0] else scope
        for each in places:
            attribute = attribute_of(reading, each, scope, depth, constant)
            attributes.append(attribute)
            tensor = None if constant is None else constant_of(constant, attribute)
            if tensor is not None:
                reading.tensors.append(tensor)
    return Node(op_type, domain, name, tuple(inputs), tuple(outputs), tuple(attributes), overload)


def attribute_of(
    reading: Reading, place: tuple[int, int], scope: str, depth: int, constant: str | None = None
) -> Attribute:
    """The attribute at `place` of the node that `scope` names. Its tensor is called `constant`, else as it says."""
    start, end = place
    if end - start > SHORT:
        return new_attribute(reading, place, scope, depth, constant)
    key = reading.wire.bytes(start, end)
    attribute = reading.attributes.get(key)
    if attribute is None:
        attribute = new_attribute(reading, place, scope, depth, constant)
        if attribute.kind not in PLACED:
            reading.attributes[key] = attribute
    return attribute


def new_attribute(reading: Reading, place: tuple[int, int], scope: str, depth: int, constant: str | None) -> Attribute:
    reading.wire.count += COST
    found = fields_of(reading, *place)
    if REF in found.scalars:
        ref = reading.wire.bytes(*found.scalars[REF])
        if ref:
            return Attribute(found.name, "ref", ref)
    kind = kind_of(found)
    if kind in PLACED:
        return Attribute(found.name, kind, placed_value(reading, found, kind, (scope, depth), constant))
    return Attribute(found.name, kind, plain_value(reading, found, kind))


def placed_value(
    reading: Reading, found: Occurrences, kind: str, scope: tuple[str, int], constant: str | None
) -> AttributeValue:
    """Tensors and graphs."""
    if kind == "tensor":
        return tensor_of(reading, found.there(TENSOR), name=constant)
    if kind == "sparse_tensor":
        return sparse_of(reading, found.there(SPARSE), name=constant)
    if kind == "tensors":
        return tuple(tensor_of(reading, (place,)) for place in found.places.get(TENSORS, ()))
    if kind == "sparse_tensors":
        return tuple(sparse_of(reading, (place,)) for place in found.places.get(SPARSES, ()))
    node, depth = scope
    if kind == "graph":
        return graph_of(reading, found.there(GRAPH), f"{node}.{found.name}/", depth + 1)
    return tuple(
        graph_of(reading, (place,), f"{node}.{found.name}[{index}]/", depth + 1)
        for index, place in enumerate(found.places.get(GRAPHS, ()))
    )


def nodes_of(reading: Reading, places: Iterable[tuple[int, int]], prefix: str) -> tuple[Node, ...]:
    """The body of a function."""
    return tuple(node_of(reading, place, index, prefix, 0) for index, place in enumerate(places))
