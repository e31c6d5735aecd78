"""AttributeProto: the fields of an attribute, which of them holds the value, and values that are no tensor or graph.

onnx.proto declares the lists unpacked. A short list is read; of a long one only its place is kept.
"""

import struct

from gitops_model.errors import BadFile
from gitops_model.ir import AttributeValue, OtherType, Span, Strings, Tensor
from gitops_model.readers.onnx.numbers import fixed_bytes, fixed_list, numbers, varint_list
from gitops_model.readers.onnx.reading import Pieces, Reading
from gitops_model.readers.onnx.types import type_of, words
from gitops_model.readers.protobuf import Field, malformed, signed, signed32

LONG_MESSAGE = 4 * 1024
"""Bytes of an attribute from which on its lists are taken as runs."""

LONG_LIST = 1024
"""Numbers that a list may have to be held."""

LONG_STRING = 64 * 1024
"""Bytes that a string may have to be held."""

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


NAME, FLOAT, INT, STRING, TENSOR, GRAPH, TYPE_PROTO = 0x0A, 0x15, 0x18, 0x22, 0x2A, 0x32, 0x72
KIND, REF, SPARSE = 0xA0, 0xAA, 0xB2
STRINGS, TENSORS, GRAPHS, TYPE_PROTOS, SPARSES = 0x4A, 0x52, 0x5A, 0x7A, 0xBA
FLOATS, PACKED_FLOATS, INTS, PACKED_INTS = 0x3D, 0x3A, 0x40, 0x42

MESSAGES = frozenset((TENSOR, GRAPH, TYPE_PROTO, SPARSE, TENSORS, GRAPHS, TYPE_PROTOS, SPARSES))

GUESS = (
    (FLOAT, 1),
    (INT, 2),
    (STRING, 3),
    (TENSOR, 4),
    (GRAPH, 5),
    (TENSORS, 9),
    (GRAPHS, 10),
    (SPARSE, 11),
    (SPARSES, 12),
    (TYPE_PROTO, 13),
    (TYPE_PROTOS, 14),
)
"""The kind of an attribute of IR version 1, which does not state it: the field that is set."""


UNPACKED = frozenset((INTS, FLOATS))
ALL_INTS = frozenset((INTS, PACKED_INTS, -INTS))
ALL_FLOATS = frozenset((FLOATS, PACKED_FLOATS, -FLOATS))


class Occurrences:
    """The fields of one AttributeProto at `where`, as protobuf merges them."""

    __slots__ = ("floats", "ints", "name", "places", "scalars", "strings", "where")

    def __init__(self, where: int) -> None:
        self.where = where
        self.name = ""
        self.scalars: dict[int, tuple[int, int]] = {}
        """Tag → the last value."""
        self.places: dict[int, list[tuple[int, int]]] = {}
        """Tag → every occurrence."""
        self.ints: list[Field] = []
        self.floats: list[Field] = []
        self.strings: list[bytes] = []

    def there(self, tag: int) -> Pieces:
        places = self.places.get(tag)
        if places is None:
            raise self.malformed("lacks the value that its type promises")
        return places

    def malformed(self, why: str) -> BadFile:
        return malformed("AttributeProto", self.where, f"{self.name!r} {why}")


def fields_of(reading: Reading, start: int, end: int) -> Occurrences:
    wire = reading.wire
    found = Occurrences(start)
    if end - start > LONG_MESSAGE:
        fields = wire.runs(start, end, "AttributeProto", UNPACKED)
    else:
        fields = wire.fields(start, end, "AttributeProto")
    for field in fields:
        tag, a, b = field
        if tag in MESSAGES:
            found.places.setdefault(tag, []).append((a, b))
        elif tag == STRINGS:
            found.strings.append(reading.once(a, b))
        elif tag in ALL_INTS:
            found.ints.append(field)
        elif tag in ALL_FLOATS:
            found.floats.append(field)
        else:
            found.scalars[tag] = (a, b)
    if NAME in found.scalars:
        found.name = reading.text(*found.scalars[NAME])
    return found


def kind_of(found: Occurrences) -> str:
    """What the attribute says it is; IR version 1 did not say, and then the field that is set decides."""
    code = signed32(found.scalars[KIND][0]) if KIND in found.scalars else 0
    if code == 0:
        code = guess(found)
    kind = KINDS.get(code)
    if kind is None:
        raise found.malformed(f"has the type {code}")
    return kind


def guess(found: Occurrences) -> int:
    for tag, code in GUESS:
        if tag in found.scalars or tag in found.places:
            return code
    if found.strings:
        return 8
    if found.floats:
        return 6
    return 7 if found.ints else 0


def plain_value(reading: Reading, found: Occurrences, kind: str) -> AttributeValue:
    """A value that is the same wherever it stands, unless it is too long to be held."""
    wire, scalars = reading.wire, found.scalars
    if kind == "int":
        return signed(scalars[INT][0]) if INT in scalars else 0
    if kind == "ints":
        return ints(reading, found)
    if kind == "float":
        return struct.unpack("<f", wire.bytes(*scalars[FLOAT]))[0] if FLOAT in scalars else 0.0
    if kind == "floats":
        return floats(reading, found)
    if kind == "string":
        return string(reading, *scalars[STRING]) if STRING in scalars else b""
    if kind == "strings":
        return tuple(found.strings)
    if kind == "type_proto":
        return OtherType(words(type_of(reading, found.there(TYPE_PROTO))))
    return tuple(OtherType(words(type_of(reading, (place,)))) for place in found.places.get(TYPE_PROTOS, ()))


def string(reading: Reading, start: int, end: int) -> bytes | Tensor:
    if end - start > LONG_STRING:
        return Tensor("", "string", (), Strings((Span(start, end - start),)), 8 + end - start)
    return reading.wire.bytes(start, end)


def ints(reading: Reading, found: Occurrences) -> tuple[int, ...] | Tensor:
    if not found.ints:
        return ()
    located = varint_list(reading.wire, found.ints, 8, count_all=True)
    if located.most > LONG_LIST:
        return Tensor("", "int64", (located.most,), located.data, 8 * located.most)
    return tuple([signed(value) for value in numbers(reading.wire, found.ints, "AttributeProto")])


def floats(reading: Reading, found: Occurrences) -> tuple[float, ...] | Tensor:
    if not found.floats:
        return ()
    data, nbytes = fixed_list(reading.wire, found.floats, 4)
    if nbytes > 4 * LONG_LIST:
        return Tensor("", "float32", (nbytes // 4,), data, nbytes)
    return struct.unpack(f"<{nbytes // 4}f", fixed_bytes(reading.wire, found.floats))
