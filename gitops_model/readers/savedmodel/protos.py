"""Small messages that SavedModels and variable bundles share: dtypes, shapes, entries of maps, tensors.

Field numbers after tensorflow/core/framework: types.proto, tensor_shape.proto, tensor.proto, attr_value.proto.
"""

from collections.abc import Iterator
from math import prod

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Inline, Joined, Locator, Repeated, Span, Strings, Tensor, TensorType
from gitops_model.readers.protobuf import FIXED32, FIXED64, LEN, VARINT, Wire, signed

DTYPES: dict[int, tuple[str, int]] = {
    1: ("float32", 4), 2: ("float64", 8), 3: ("int32", 4), 4: ("uint8", 1), 5: ("int16", 2), 6: ("int8", 1),
    7: ("string", 0), 8: ("complex64", 8), 9: ("int64", 8), 10: ("bool", 1), 11: ("int8", 1), 12: ("uint8", 1),
    13: ("int32", 4), 14: ("bfloat16", 2), 15: ("int16", 2), 16: ("uint16", 2), 17: ("uint16", 2),
    18: ("complex128", 16), 19: ("float16", 2), 20: ("resource", 0), 21: ("variant", 0), 22: ("uint32", 4),
    23: ("uint64", 8), 24: ("float8_e5m2", 1), 25: ("float8_e4m3fn", 1), 26: ("float8_e4m3fnuz", 1),
    27: ("float8_e4m3b11fnuz", 1), 28: ("float8_e5m2fnuz", 1), 29: ("int4", 1), 30: ("uint4", 1),
}  # fmt: skip
"""DataType → our name and bytes per element in a tensor's content (0: no fixed size)."""

VALUES: dict[int, tuple[int, int]] = {
    5: (FIXED32, 4), 6: (FIXED64, 8), 7: (VARINT, 4), 9: (FIXED32, 4), 10: (VARINT, 8), 11: (VARINT, 1),
    12: (FIXED64, 8), 13: (VARINT, 2), 16: (VARINT, 4), 17: (VARINT, 8),
}  # fmt: skip
"""Field of typed values in a TensorProto → wire type and bytes per component: float double int scomplex int64 bool
dcomplex half uint32 uint64."""

LIMIT_VALUES = 1 << 20


def tag(field: int, kind: int = LEN) -> int:
    return field << 3 | kind


def text(wire: Wire, start: int, end: int) -> str:
    return wire.bytes(start, end).decode("utf-8", "backslashreplace")


def dtype_of(number: int) -> tuple[str, int]:
    """References (100 and up) are their base type."""
    known = DTYPES.get(number - 100 if number > 100 else number)
    if known is None:
        raise BadFile(Problem("GM009", f"TensorFlow data type {number} is not known here"))
    return known


def shape_of(wire: Wire, start: int, end: int) -> tuple[int, ...] | None:
    """TensorShapeProto: dims, -1 for an unknown one; None for an unknown rank."""
    dims: list[int] = []
    for name, first, behind in wire.fields(start, end, "TensorShapeProto"):
        if name == tag(3, VARINT) and first:
            return None
        if name == tag(2):
            size = 0
            for inner, value, _ in wire.fields(first, behind, "Dim"):
                if inner == tag(1, VARINT):
                    size = signed(value)
            dims.append(size)
    if len(dims) > 254:
        raise BadFile(Problem("GM002", f"a tensor of {len(dims)} dimensions"))
    return tuple(dims)


def tensor_type(dtype: str, shape: tuple[int, ...] | None) -> TensorType:
    return TensorType(dtype, None if shape is None else tuple(dim if dim >= 0 else None for dim in shape))


def map_entries(wire: Wire, start: int, end: int) -> tuple[str, tuple[int, int]]:
    """(key, span of the value) of one entry of a map<string, message>."""
    key, value = "", (start, start)
    for name, first, behind in wire.fields(start, end, "map entry"):
        if name == tag(1):
            key = text(wire, first, behind)
        elif name == tag(2):
            value = (first, behind)
    return key, value


def tensor_of(wire: Wire, start: int, end: int, name: str) -> Tensor | None:
    """A TensorProto as a tensor; None for one without values that are numbers or texts (variants, resources)."""
    number, dims, content = 0, (), None
    typed: dict[int, list[Span]] = {}
    strings: list[Span] = []
    for field, first, behind in wire.fields(start, end, "TensorProto"):
        if field == tag(1, VARINT):
            number = first
        elif field == tag(2):
            dims = shape_of(wire, first, behind)
        elif field == tag(4):
            content = Span(first, behind - first)
        elif field == tag(8):
            strings.append(Span(first, behind - first))
        elif field >> 3 in VALUES and field & 7 == LEN:
            typed.setdefault(field >> 3, []).append(Span(first, behind - first))
        elif field >> 3 in VALUES and field & 7 == VALUES[field >> 3][0]:
            typed.setdefault(field >> 3, []).append(single(field, first, behind))
    dtype, itemsize = dtype_of(number)
    if dims is None or any(dim < 0 for dim in dims):
        raise BadFile(Problem("GM002", f"constant {name!r} has no fixed shape"))
    count = prod(dims)
    if dtype == "string":
        pieces = fill(strings, count, name)
        return Tensor(name, dtype, dims, Strings(pieces), sum(8 + span.length for span in pieces))
    if not itemsize:
        return None
    nbytes = count * itemsize
    if content is not None and content.length:
        if content.length != nbytes:
            message = f"constant {name!r} of shape {list(dims)} has {content.length} bytes, not {nbytes}"
            raise BadFile(Problem("GM007", message))
        return Tensor(name, dtype, dims, content, nbytes)
    return Tensor(name, dtype, dims, typed_values(wire, typed, (dtype, itemsize), count, name), nbytes)


def single(field: int, first: int, behind: int) -> Span:
    """An unpacked value. A varint's bytes end where the next field begins; fixed ones are where they are."""
    if field & 7 != VARINT:
        return Span(first, behind - first)
    length = max(1, (first.bit_length() + 6) // 7)
    return Span(behind - length, length)


def typed_values(wire: Wire, typed: dict[int, list[Span]], kind: tuple[str, int], count: int, name: str) -> Locator:
    """Typed values; the last one stands for all that follow (tensor.proto), so a big constant can be one number."""
    dtype, itemsize = kind
    if not typed:
        return Repeated(bytes(itemsize), count)
    if len(typed) > 1:
        raise BadFile(Problem("GM007", f"constant {name!r} has values of two types"))
    field, spans = next(iter(typed.items()))
    wire_type, width = VALUES[field]
    if wire_type == VARINT:
        numbers = [value for span in spans for value in wire.numbers(span.offset, span.offset + span.length, "values")]
        mask = (1 << 8 * itemsize) - 1
        values = b"".join((value & mask).to_bytes(itemsize, "little") for value in numbers)
    else:
        if sum(span.length for span in spans) > LIMIT_VALUES * 16:
            raise BadFile(Problem("GM005", f"constant {name!r} lists more values than is read"))
        values = b"".join(wire.bytes(span.offset, span.offset + span.length) for span in spans)
    if len(values) % itemsize or (wire_type != VARINT and itemsize % width) or len(values) > count * itemsize:
        raise BadFile(Problem("GM007", f"constant {name!r} of type {dtype} has {len(values)} bytes of values"))
    given = len(values) // itemsize
    if given == count:
        return Inline(values)
    last = values[-itemsize:] if values else bytes(itemsize)
    return Joined((Inline(values), Repeated(last, count - given)))


def fill(spans: list[Span], count: int, name: str) -> tuple[Span, ...]:
    if len(spans) == count:
        return tuple(spans)
    if len(spans) != 1 or count > LIMIT_VALUES:
        raise BadFile(Problem("GM007", f"constant {name!r} has {len(spans)} texts, not {count}"))
    return tuple(spans * count)


def entries(wire: Wire, start: int, end: int, field: int, what: str) -> Iterator[tuple[int, int]]:
    """The spans of one repeated message field."""
    for name, first, behind in wire.fields(start, end, what):
        if name == tag(field):
            yield first, behind
