"""TensorProto and SparseTensorProto: a name, a type, a shape, and where the elements are."""

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Inline, Joined, Locator, Span, Sparse, Strings, Tensor, Varints
from gitops_model.readers.onnx_dtypes import (
    DOUBLE_DATA,
    DTYPES,
    FLOAT_DATA,
    INT32_DATA,
    INT64_DATA,
    UINT64_DATA,
    Dtype,
)
from gitops_model.readers.onnx_external import external
from gitops_model.readers.onnx_reading import Pieces, Reading
from gitops_model.readers.protobuf import WHOLE, malformed, signed, signed32, varint

MOST_BYTES = 2**63

MOST_PADDED = 1 << 20
"""Elements of a typed 6-bit tensor, which has to be repacked in memory."""

PACKED = {0x22: FLOAT_DATA, 0x2A: INT32_DATA, 0x3A: INT64_DATA, 0x52: DOUBLE_DATA, 0x5A: UINT64_DATA}
LOOSE_VARINT = {0x28: INT32_DATA, 0x38: INT64_DATA, 0x58: UINT64_DATA}
LOOSE_FIXED = {0x25: FLOAT_DATA, 0x51: DOUBLE_DATA}

Loose = list[int]
"""Unpacked varints, collected."""


class Parts:
    """The fields of one TensorProto as they stand in the file."""

    __slots__ = ("code", "dims", "entries", "is_external", "name", "raw", "strings", "typed", "where")

    def __init__(self, where: int) -> None:
        self.where = where
        self.name = ""
        self.code = 0
        self.dims: list[int] = []
        self.raw: Span | None = None
        self.typed: dict[str, list[Span | bytearray | Loose]] = {}
        self.strings: list[Span] = []
        self.entries: dict[str, str] = {}
        self.is_external = False


def tensor_of(reading: Reading, pieces: Pieces, prefix: str = "", name: str | None = None) -> Tensor:
    """The tensor at `pieces`; called `name`, or `prefix` and its own name."""
    parts = parts_of(reading, pieces)
    full = prefix + parts.name if name is None else name
    dtype = DTYPES.get(parts.code)
    if dtype is None:
        raise malformed("tensor", parts.where, f"{full!r} has the element type {parts.code}")
    count = elements(parts.dims, full, parts.where)
    if dtype.bits == 0:
        data, nbytes = strings(parts, count, full)
    else:
        nbytes = (count * dtype.bits + 7) // 8
        data = located(reading, parts, dtype, count, full)
        if dtype.bits < 8 and count * dtype.bits % 8:
            check_padding(reading, data, count * dtype.bits % 8, full)
    return Tensor(full, dtype.name, tuple(parts.dims), data, nbytes)


def parts_of(reading: Reading, pieces: Pieces) -> Parts:
    parts = Parts(pieces[0][0])
    for start, end in pieces:
        for tag, a, b in reading.wire.fields(start, end, "TensorProto"):
            if tag == 0x08:
                parts.dims.append(signed(a))
            elif tag == 0x10:
                parts.code = signed32(a)
            elif tag == 0x42:
                parts.name = reading.text(a, b)
            elif tag == 0x4A:
                parts.raw = Span(a, b - a)
            elif tag in PACKED:
                if b > a:
                    parts.typed.setdefault(PACKED[tag], []).append(Span(a, b - a))
            elif tag == 0x32:
                parts.strings.append(Span(a, b - a))
            elif tag == 0x6A:
                key, value = entry(reading, a, b)
                parts.entries[key] = value
            else:
                rarer_field(reading, parts, tag, a, b)
    return parts


def rarer_field(reading: Reading, parts: Parts, tag: int, a: int, b: int) -> None:
    """Packed dims, unpacked data: protobuf reads both forms, writers use the other one."""
    if tag == 0x0A:
        parts.dims.extend(signed(dim) for dim in reading.wire.numbers(a, b, "TensorProto"))
    elif tag == 0x70:
        parts.is_external = signed32(a) == 1
    elif tag in LOOSE_VARINT:
        pile = parts.typed.setdefault(LOOSE_VARINT[tag], [])
        if pile and isinstance(pile[-1], list):
            pile[-1].append(a)
        else:
            pile.append([a])
    elif tag in LOOSE_FIXED:
        pile = parts.typed.setdefault(LOOSE_FIXED[tag], [])
        if pile and isinstance(pile[-1], bytearray):
            pile[-1] += reading.wire.bytes(a, b)
        else:
            pile.append(bytearray(reading.wire.bytes(a, b)))
    elif tag == 0x1A:
        raise malformed("tensor", a, "segments of tensors are not supported by any reader of ONNX")


def entry(reading: Reading, start: int, end: int) -> tuple[str, str]:
    """A StringStringEntryProto."""
    key = value = ""
    for tag, a, b in reading.wire.fields(start, end, "StringStringEntryProto"):
        if tag == 0x0A:
            key = reading.text(a, b)
        elif tag == 0x12:
            value = reading.text(a, b)
    return key, value


def elements(dims: list[int], name: str, where: int) -> int:
    """How many elements a shape has; GM002 for a negative dimension or a size that no machine can address."""
    count = 1
    for dim in dims:
        if dim < 0:
            raise malformed("tensor", where, f"{name!r} has the dimension {dim}")
        count *= dim
        if count > MOST_BYTES:
            if 0 in dims:
                return 0
            raise malformed("tensor", where, f"the dimensions of {name!r} overflow")
    return count


def conflict(name: str, message: str, expected: str | None = None, found: str | None = None) -> BadFile:
    return BadFile(Problem("GM007", f"tensor {name!r} {message}", expected=expected, found=found))


def strings(parts: Parts, count: int, name: str) -> tuple[Locator, int]:
    if parts.raw is not None or parts.typed or parts.is_external:
        raise conflict(name, "of strings has data that is not string_data")
    if len(parts.strings) != count:
        raise conflict(name, "has the wrong number of strings", str(count), str(len(parts.strings)))
    return Strings(tuple(parts.strings)), sum(8 + span.length for span in parts.strings)


def located(reading: Reading, parts: Parts, dtype: Dtype, count: int, name: str) -> Locator:
    """Where the elements are: exactly one of raw, typed in the field of the dtype, and external."""
    nbytes = (count * dtype.bits + 7) // 8
    fields = sorted(parts.typed) + (["string_data"] if parts.strings else [])
    if parts.is_external:
        if parts.raw is not None or fields:
            raise conflict(name, "has both external and inline data")
        return external(reading, parts.entries, nbytes, name)
    if parts.raw is not None:
        if fields:
            raise conflict(name, f"has both raw_data and {fields[0]}")
        if parts.raw.length != nbytes:
            raise wrong_length(name, nbytes, parts.raw.length)
        return parts.raw
    if not fields:
        if nbytes:
            raise wrong_length(name, nbytes, 0)
        return Span(parts.where, 0)
    if fields != [dtype.field]:
        raise conflict(name, f"of {dtype.name} has its data in {', '.join(fields)}", dtype.field)
    pile = parts.typed[dtype.field]
    if dtype.field in (FLOAT_DATA, DOUBLE_DATA):
        return fixed(pile, nbytes, name)
    if dtype.bits == 6:
        return packed_sixes(reading, pile, count, name)
    width = max(dtype.bits, 8) // 8
    return varying(reading, pile, nbytes // width, width, name)


def wrong_length(name: str, expected: int, found: int) -> BadFile:
    return conflict(name, "has data of the wrong length", f"{expected} bytes", f"{found} bytes")


def joined(pieces: list[Locator]) -> Locator:
    return pieces[0] if len(pieces) == 1 else Joined(tuple(pieces))


def fixed(pile: list[Span | bytearray | Loose], nbytes: int, name: str) -> Locator:
    """float_data and double_data: the packed bytes are the elements already."""
    pieces: list[Locator] = []
    length = 0
    for piece in pile:
        if isinstance(piece, Span):
            length += piece.length
            pieces.append(piece)
        else:
            length += len(piece)
            pieces.append(Inline(bytes(piece)))
    if length != nbytes:
        raise wrong_length(name, nbytes, length)
    return joined(pieces)


def varying(reading: Reading, pile: list[Span | bytearray | Loose], count: int, width: int, name: str) -> Locator:
    """int32_data, int64_data and uint64_data: varints.

    They are counted here where that costs no more than a window; of a longer run only the bounds are checked, and
    whoever decodes it counts.
    """
    pieces: list[Locator] = []
    spans: list[Span] = []
    least = most = 0
    for piece in pile:
        if isinstance(piece, Span):
            spans.append(piece)
            if piece.length <= WHOLE:
                raw = reading.wire.bytes(piece.offset, piece.offset + piece.length)
                if raw[-1] > 0x7F:
                    raise malformed("tensor", piece.offset, f"the packed data of {name!r} ends inside a number")
                number = len(raw.translate(None, CONTINUED))
                least += number
                most += number
            else:
                least += -(-piece.length // 10)
                most += piece.length
            continue
        if spans:
            pieces.append(Varints(tuple(spans), width))
            spans = []
        mask = (1 << 8 * width) - 1
        pieces.append(Inline(b"".join((value & mask).to_bytes(width, "little") for value in piece)))
        least += len(piece)
        most += len(piece)
    if spans:
        pieces.append(Varints(tuple(spans), width))
    if not least <= count <= most:
        found = str(least) if least == most else f"{least} to {most}"
        raise conflict(name, "has the wrong number of elements", str(count), found)
    return joined(pieces)


CONTINUED = bytes(range(0x80, 0x100))
"""The bytes of a varint that are not its last."""


def packed_sixes(reading: Reading, pile: list[Span | bytearray | Loose], count: int, name: str) -> Locator:
    """Typed 6-bit floats: one per number, while the canonical bytes hold four in three."""
    if count > MOST_PADDED:
        raise BadFile(
            Problem(
                "GM005",
                f"tensor {name!r} has {count} 6-bit elements as typed data",
                expected=f"at most {MOST_PADDED}, or raw_data",
            )
        )
    values: list[int] = []
    for piece in pile:
        if isinstance(piece, Span):
            values += reading.wire.numbers(piece.offset, piece.offset + piece.length, "TensorProto")
        else:
            values += piece
    if len(values) != count:
        raise conflict(name, "has the wrong number of elements", str(count), str(len(values)))
    out = bytearray()
    for at in range(0, count, 4):
        bits = 0
        group = values[at : at + 4]
        for place, value in enumerate(group):
            bits |= (value & 0x3F) << 6 * place
        out += bits.to_bytes((6 * len(group) + 7) // 8, "little")
    return Inline(bytes(out))


def check_padding(reading: Reading, data: Locator, used: int, name: str) -> None:
    """GM011 where bits behind the last element are set: two files with the same elements would then differ."""
    last = last_byte(reading, data)
    if last is not None and last >> used:
        reading.problem(Problem("GM011", f"tensor {name!r} has padding bits that are set", found=f"{last:#04x}"))


def last_byte(reading: Reading, data: Locator) -> int | None:
    if isinstance(data, Joined):
        data = data.pieces[-1]
    if isinstance(data, Inline):
        return data.value[-1]
    if isinstance(data, Span):
        end = data.offset + data.length
        if not data.file:
            return reading.wire.bytes(end - 1, end)[0]
        if reading.deps.get(data.file) is None:
            return None
        with reading.source.open(data.file) as other:
            return other.read(end - 1, 1)[0]
    if isinstance(data, Varints):
        span = data.pieces[-1]
        tail = reading.wire.bytes(span.offset + max(span.length - 10, 0), span.offset + span.length)
        i = len(tail) - 1
        while i and tail[i - 1] > 0x7F:
            i -= 1
        return varint(tail, i)[0] & 0xFF
    return None


def sparse_of(reading: Reading, pieces: Pieces, prefix: str = "", name: str | None = None) -> Tensor:
    """A SparseTensorProto, named after its values."""
    dims: list[int] = []
    values: list[tuple[int, int]] = []
    indices: list[tuple[int, int]] = []
    for start, end in pieces:
        for tag, a, b in reading.wire.fields(start, end, "SparseTensorProto"):
            if tag == 0x0A:
                values.append((a, b))
            elif tag == 0x12:
                indices.append((a, b))
            elif tag == 0x18:
                dims.append(signed(a))
            elif tag == 0x1A:
                dims.extend(signed(dim) for dim in reading.wire.numbers(a, b, "SparseTensorProto"))
    where = pieces[0][0]
    if not values:
        raise malformed("sparse tensor", where, "it has no values")
    dense = tensor_of(reading, values, prefix, name)
    name = dense.name
    count = elements(dims, name, where)
    if len(dense.shape) != 1:
        raise malformed("sparse tensor", where, f"the values of {name!r} are not one-dimensional")
    nnz = dense.shape[0]
    rank = 1
    if indices:
        index = tensor_of(reading, indices, name=f"{name} (indices)")
        if index.dtype != "int64" or index.shape not in ((nnz,), (nnz, len(dims))):
            raise conflict(
                name,
                "has indices that do not fit its values",
                f"int64 [{nnz}] or [{nnz},{len(dims)}]",
                f"{index.dtype} {list(index.shape)}",
            )
        rank = len(index.shape) and (1 if len(index.shape) == 1 else len(dims))
        place = index.data
    else:
        place = Span(where, 0)
        if nnz:
            raise conflict(name, "has values, but no indices")
    if nnz > count:
        raise conflict(name, "has more values than elements", f"at most {count}", str(nnz))
    return Tensor(name, dense.dtype, tuple(dims), Sparse(dense.data, place, nnz, rank), 8 * nnz + dense.nbytes)
