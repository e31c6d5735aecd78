"""TensorProto and SparseTensorProto: a name, a type, a shape, and where the elements are."""

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Inline, Joined, Locator, Span, Sparse, Strings, Tensor, Varints
from gitops_model.readers.onnx.dtypes import (
    DOUBLE_DATA,
    DTYPES,
    FLOAT_DATA,
    INT32_DATA,
    INT64_DATA,
    UINT64_DATA,
    Dtype,
)
from gitops_model.readers.onnx.external import external
from gitops_model.readers.onnx.numbers import fixed_list, numbers, varint_list
from gitops_model.readers.onnx.reading import COST, STRING_COST, Pieces, Reading
from gitops_model.readers.padding import padding
from gitops_model.readers.protobuf import WHOLE, Field, malformed, signed, signed32, varint

MOST_BYTES = 2**63

MOST_DIMS = 64
"""Dimensions of a tensor; NumPy has no more either."""

MOST_PADDED = 1 << 20
"""Elements of a typed 6-bit tensor, which has to be repacked in memory."""

PACKED = {0x22: FLOAT_DATA, 0x2A: INT32_DATA, 0x3A: INT64_DATA, 0x52: DOUBLE_DATA, 0x5A: UINT64_DATA}
UNPACKED = {0x25: FLOAT_DATA, 0x28: INT32_DATA, 0x38: INT64_DATA, 0x51: DOUBLE_DATA, 0x58: UINT64_DATA}
TYPED = PACKED | UNPACKED | {-tag: field for tag, field in UNPACKED.items()}
LISTS = frozenset(UNPACKED)


class Parts:
    """The fields of one TensorProto as they stand in the file."""

    __slots__ = ("code", "dims", "entries", "is_external", "name", "raw", "strings", "typed", "where")

    def __init__(self, where: int) -> None:
        self.where = where
        self.name = ""
        self.code = 0
        self.dims: list[int] = []
        self.raw: Span | None = None
        self.typed: dict[str, list[Field]] = {}
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
            problem = padding(full, dtype.name, tuple(parts.dims), last_byte(reading, data))
            if problem is not None:
                reading.problem(problem)
    return Tensor(full, dtype.name, tuple(parts.dims), data, nbytes)


def parts_of(reading: Reading, pieces: Pieces) -> Parts:
    wire = reading.wire
    parts = Parts(pieces[0][0])
    wire.count += 2 * COST
    for start, end in pieces:
        if end - start > WHOLE:
            fields = wire.runs(start, end, "TensorProto", LISTS)
        else:
            fields = wire.fields(start, end, "TensorProto")
        for tag, a, b in fields:
            if tag == 0x08:
                parts.dims.append(signed(a))
            elif tag == 0x10:
                parts.code = signed32(a)
            elif tag == 0x42:
                parts.name = reading.text(a, b)
            elif tag == 0x4A:
                parts.raw = Span(a, b - a)
            elif tag in TYPED:
                if tag not in PACKED or b > a:
                    parts.typed.setdefault(TYPED[tag], []).append((tag, a, b))
            elif tag == 0x32:
                parts.strings.append(Span(a, b - a))
                wire.count += STRING_COST
            elif tag == 0x6A:
                key, value = entry(reading, a, b)
                parts.entries[key] = value
            elif tag == 0x70:
                parts.is_external = signed32(a) == 1
            elif tag == 0x0A:
                parts.dims.extend(signed(dim) for dim in wire.numbers(a, b, "TensorProto"))
            else:
                refuse_segment(tag, a)
    return parts


def refuse_segment(tag: int, where: int) -> None:
    if tag == 0x1A:
        raise malformed("tensor", where, "a segment of a tensor, which no reader of ONNX puts together")


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
    if len(dims) > MOST_DIMS:
        raise BadFile(
            Problem("GM005", f"{name!r} has {len(dims)} dimensions", expected=f"at most {MOST_DIMS} dimensions")
        )
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
    listed = parts.typed[dtype.field]
    if dtype.field in (FLOAT_DATA, DOUBLE_DATA):
        data, length = fixed_list(reading.wire, listed, 4 if dtype.field == FLOAT_DATA else 8)
        if length != nbytes:
            raise wrong_length(name, nbytes, length)
        return data
    if dtype.bits == 6:
        return packed_sixes(reading, listed, count, name)
    width = max(dtype.bits, 8) // 8
    located = varint_list(reading.wire, listed, width)
    wanted = nbytes // width
    if not located.least <= wanted <= located.most:
        raise wrong_number(name, wanted, located.least)
    return located.data


def wrong_length(name: str, expected: int, found: int) -> BadFile:
    return conflict(name, "has data of the wrong length", f"{expected} bytes", f"{found} bytes")


def wrong_number(name: str, expected: int, found: int) -> BadFile:
    return conflict(name, "has the wrong number of elements", str(expected), str(found))


def packed_sixes(reading: Reading, listed: list[Field], count: int, name: str) -> Locator:
    """Typed 6-bit floats: one per number, while the canonical bytes hold four in three."""
    if count > MOST_PADDED:
        raise BadFile(
            Problem(
                "GM005",
                f"tensor {name!r} has {count} 6-bit elements as typed data",
                expected=f"at most {MOST_PADDED}, or raw_data",
            )
        )
    values = numbers(reading.wire, listed, "TensorProto")
    if len(values) != count:
        raise wrong_number(name, count, len(values))
    out = bytearray()
    for at in range(0, count, 4):
        group = values[at : at + 4]
        bits = sum((value & 0x3F) << 6 * place for place, value in enumerate(group))
        out += bits.to_bytes((6 * len(group) + 7) // 8, "little")
    return Inline(bytes(out))


def last_byte(reading: Reading, data: Locator) -> int:
    """The last of some bytes; 0 where they are in a file that cannot be opened."""
    if isinstance(data, Joined):
        data = data.pieces[-1]
    if isinstance(data, Inline):
        return data.value[-1]
    if isinstance(data, Varints):
        span = data.pieces[-1]
        tail = reading.wire.bytes(span.offset + max(span.length - 10, 0), span.offset + span.length)
        i = len(tail) - 1
        while i and tail[i - 1] > 0x7F:
            i -= 1
        return varint(tail, i)[0] & 0xFF
    assert isinstance(data, Span)
    end = data.offset + data.length
    if not data.file:
        return reading.wire.bytes(end - 1, end)[0]
    if reading.deps.get(data.file) is None:
        return 0
    with reading.source.open(data.file) as other:
        return other.read(end - 1, 1)[0]


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
