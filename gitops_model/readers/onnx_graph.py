"""GraphProto, NodeProto and AttributeProto.

Subgraphs sit in attributes of nodes; `graph_of`, `node_of` and `attribute_of` call one another at most `DEEPEST` levels
deep. A name inside a subgraph is qualified by `NODE.ATTR/` per level, outermost first.
"""

import struct
from collections.abc import Iterable

from gitops_model.errors import BadFile
from gitops_model.ir import Attribute, AttributeValue, Graph, Node, OtherType, Tensor, Value
from gitops_model.readers.onnx_constant import constant_of
from gitops_model.readers.onnx_reading import DEEPEST, DEFAULT_DOMAIN, Pieces, Reading, too_deep
from gitops_model.readers.onnx_tensor import sparse_of, tensor_of
from gitops_model.readers.onnx_types import type_of, value_of, words
from gitops_model.readers.protobuf import malformed, signed, signed32

SHORT = 256
"""Bytes up to which an attribute is remembered."""

KINDS = {
    1: "float",
    2: "int",
    3: "string",
    4: "tensor",
    5: "graph",
    6: "floats",
    7: "ints",
    8: "strings",
    9: "tensors",
    10: "graphs",
    11: "sparse_tensor",
    12: "sparse_tensors",
    13: "type_proto",
    14: "type_protos",
}
"""AttributeProto.AttributeType."""

PLACED = frozenset(("tensor", "tensors", "graph", "graphs", "sparse_tensor", "sparse_tensors"))
"""Kinds whose value says where in the file it is: equal bytes are not equal values."""


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


class Occurrences:
    """The fields of one AttributeProto at `where`: what occurs once as protobuf merges it, and the lists."""

    __slots__ = ("floats", "ints", "name", "places", "scalars", "where")

    def __init__(self, where: int) -> None:
        self.where = where
        self.name = ""
        self.scalars: dict[int, tuple[int, int]] = {}
        """Tag → the last value."""
        self.places: dict[int, list[tuple[int, int]]] = {}
        """Tag → every occurrence."""
        self.ints: list[int] = []
        self.floats = bytearray()

    def there(self, tag: int) -> Pieces:
        places = self.places.get(tag)
        if places is None:
            raise self.malformed("lacks the value that its type promises")
        return places

    def malformed(self, why: str) -> BadFile:
        return malformed("AttributeProto", self.where, f"{self.name!r} {why}")


NAME, FLOAT, INT, STRING, TENSOR, GRAPH, TYPE_PROTO = 0x0A, 0x15, 0x18, 0x22, 0x2A, 0x32, 0x72
KIND, REF, SPARSE = 0xA0, 0xAA, 0xB2
STRINGS, TENSORS, GRAPHS, TYPE_PROTOS, SPARSES = 0x4A, 0x52, 0x5A, 0x7A, 0xBA
FLOATS, PACKED_FLOATS, INTS, PACKED_INTS = 0x3D, 0x3A, 0x40, 0x42

MESSAGES = frozenset((TENSOR, GRAPH, TYPE_PROTO, SPARSE, STRINGS, TENSORS, GRAPHS, TYPE_PROTOS, SPARSES))

GUESS = (
    (FLOAT, 1),
    (INT, 2),
    (STRING, 3),
    (TENSOR, 4),
    (GRAPH, 5),
    (STRINGS, 8),
    (TENSORS, 9),
    (GRAPHS, 10),
    (SPARSE, 11),
    (SPARSES, 12),
    (TYPE_PROTO, 13),
    (TYPE_PROTOS, 14),
)
"""The kind of an attribute of IR version 1, which does not state it: the field that is set."""


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
    wire = reading.wire
    found = Occurrences(place[0])
    for tag, a, b in wire.fields(*place, "AttributeProto"):
        if tag in MESSAGES:
            found.places.setdefault(tag, []).append((a, b))
        elif tag == INTS:
            found.ints.append(signed(a))
        elif tag in (FLOATS, PACKED_FLOATS):
            found.floats += wire.bytes(a, b)
        elif tag == PACKED_INTS:
            found.ints.extend(signed(value) for value in wire.numbers(a, b, "AttributeProto"))
        else:
            found.scalars[tag] = (a, b)
    if NAME in found.scalars:
        found.name = reading.text(*found.scalars[NAME])
    if REF in found.scalars:
        ref = wire.bytes(*found.scalars[REF])
        if ref:
            return Attribute(found.name, "ref", ref)
    code = signed32(found.scalars[KIND][0]) if KIND in found.scalars else 0
    if code == 0:
        code = guess(found)
    kind = KINDS.get(code)
    if kind is None:
        raise found.malformed(f"has the type {code}")
    if kind in PLACED:
        return Attribute(found.name, kind, placed_value(reading, found, kind, (scope, depth), constant))
    return Attribute(found.name, kind, plain_value(reading, found, kind))


def guess(found: Occurrences) -> int:
    for tag, code in GUESS:
        if tag in found.scalars or tag in found.places:
            return code
    if found.floats:
        return 6
    return 7 if found.ints else 0


def plain_value(reading: Reading, found: Occurrences, kind: str) -> AttributeValue:
    """A value that does not depend on where it stands."""
    wire, scalars = reading.wire, found.scalars
    if kind == "int":
        return signed(scalars[INT][0]) if INT in scalars else 0
    if kind == "ints":
        return tuple(found.ints)
    if kind == "float":
        return struct.unpack("<f", wire.bytes(*scalars[FLOAT]))[0] if FLOAT in scalars else 0.0
    if kind == "floats":
        if len(found.floats) % 4:
            raise found.malformed("has floats that are no multiple of 4 bytes")
        return struct.unpack(f"<{len(found.floats) // 4}f", found.floats)
    if kind == "string":
        return wire.bytes(*scalars[STRING]) if STRING in scalars else b""
    if kind == "strings":
        return tuple(wire.bytes(a, b) for a, b in found.places.get(STRINGS, ()))
    if kind == "type_proto":
        return OtherType(words(type_of(reading, found.there(TYPE_PROTO))))
    return tuple(OtherType(words(type_of(reading, (place,)))) for place in found.places.get(TYPE_PROTOS, ()))


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
