"""ValueInfoProto and TypeProto: what an input, an output or a value between them is."""

from typing import TypeAlias

from gitops_model.ir import Dim, OtherType, TensorType, Value
from gitops_model.readers.onnx.dtypes import dtype_of
from gitops_model.readers.onnx.reading import COST, DEEPEST, Pieces, Reading, too_deep
from gitops_model.readers.protobuf import signed, signed32

ValueType: TypeAlias = TensorType | OtherType

SHORT = 512
"""Bytes up to which a type is remembered."""

TENSOR, SEQUENCE, MAP, OPAQUE, SPARSE, OPTIONAL = 0x0A, 0x22, 0x2A, 0x3A, 0x42, 0x4A
CASES = frozenset((TENSOR, SEQUENCE, MAP, OPAQUE, SPARSE, OPTIONAL))
"""The members of TypeProto's oneof."""

WRAPPERS = {SEQUENCE: "sequence", OPTIONAL: "optional"}


def value_of(reading: Reading, start: int, end: int) -> Value:
    name = ""
    pieces: list[tuple[int, int]] = []
    reading.wire.count += COST
    for tag, a, b in reading.wire.fields(start, end, "ValueInfoProto"):
        if tag == 0x0A:
            name = reading.text(a, b)
        elif tag == 0x12:
            pieces.append((a, b))
    return Value(name, remembered(reading, pieces))


def remembered(reading: Reading, pieces: Pieces) -> ValueType | None:
    """`type_of`, looked up by its bytes where these are few."""
    if len(pieces) == 1 and pieces[0][1] - pieces[0][0] <= SHORT:
        key = reading.wire.bytes(*pieces[0])
        if key in reading.types:
            return reading.types[key]
        kind = reading.types[key] = type_of(reading, pieces)
        return kind
    return type_of(reading, pieces)


def type_of(reading: Reading, pieces: Pieces, depth: int = 0) -> ValueType | None:
    """None for a TypeProto that says nothing. The nesting is bounded, so this may call itself."""
    if depth > DEEPEST:
        raise too_deep("types", pieces[0][0])
    reading.wire.count += COST
    case = 0
    inner: list[tuple[int, int]] = []
    for start, end in pieces:
        for tag, a, b in reading.wire.fields(start, end, "TypeProto"):
            if tag == case:
                inner.append((a, b))
            elif tag in CASES:
                case, inner = tag, [(a, b)]  # a oneof: the last member set clears the others
    if case == TENSOR:
        return tensor_type(reading, inner)
    if case in WRAPPERS:
        return OtherType(f"{WRAPPERS[case]}({words(element(reading, inner, 0x0A, depth))})")
    if case == SPARSE:
        return OtherType(f"sparse_{words(tensor_type(reading, inner))}")
    if case == MAP:
        return OtherType(f"map({key_type(reading, inner)},{words(element(reading, inner, 0x12, depth))})")
    return opaque(reading, inner) if case == OPAQUE else None


def element(reading: Reading, pieces: Pieces, wanted: int, depth: int) -> ValueType | None:
    """The type inside a sequence, optional or map."""
    inner: list[tuple[int, int]] = []
    for start, end in pieces:
        for tag, a, b in reading.wire.fields(start, end, "TypeProto"):
            if tag == wanted:
                inner.append((a, b))
    return type_of(reading, inner, depth + 1) if inner else None


def key_type(reading: Reading, pieces: Pieces) -> str:
    code = 0
    for start, end in pieces:
        for tag, a, _ in reading.wire.fields(start, end, "TypeProto.Map"):
            if tag == 0x08:
                code = signed32(a)
    return dtype_of(code, pieces[0][0])


def opaque(reading: Reading, pieces: Pieces) -> OtherType:
    domain = name = ""
    for start, end in pieces:
        for tag, a, b in reading.wire.fields(start, end, "TypeProto.Opaque"):
            if tag == 0x0A:
                domain = reading.text(a, b)
            elif tag == 0x12:
                name = reading.text(a, b)
    return OtherType(f"opaque({domain},{name})")


def tensor_type(reading: Reading, pieces: Pieces) -> TensorType:
    code = 0
    shape: list[tuple[int, int]] = []
    for start, end in pieces:
        for tag, a, b in reading.wire.fields(start, end, "TypeProto.Tensor"):
            if tag == 0x08:
                code = signed32(a)
            elif tag == 0x12:
                shape.append((a, b))
    dtype = dtype_of(code, pieces[0][0])
    if not shape:
        return TensorType(dtype, None)
    dims: list[Dim] = []
    for start, end in shape:
        for tag, a, b in reading.wire.fields(start, end, "TensorShapeProto"):
            if tag == 0x0A:
                dims.append(dimension(reading, a, b))
    return TensorType(dtype, tuple(dims))


def dimension(reading: Reading, start: int, end: int) -> Dim:
    """A oneof again. Exporters write -1 and "" for what they do not know."""
    dim: Dim = None
    for tag, a, b in reading.wire.fields(start, end, "TensorShapeProto.Dimension"):
        if tag == 0x08:
            number = signed(a)
            dim = number if number >= 0 else None
        elif tag == 0x12:
            dim = reading.text(a, b) or None
    return dim


def words(kind: ValueType | None) -> str:
    """Canonical text of a type inside another: `tensor(float32,[2,N,?])`, `tensor(float32)` for an unknown rank."""
    if kind is None:
        return "?"
    if isinstance(kind, OtherType):
        return kind.text
    if kind.shape is None:
        return f"tensor({kind.dtype})"
    return f"tensor({kind.dtype},[{','.join('?' if dim is None else str(dim) for dim in kind.shape)}])"
