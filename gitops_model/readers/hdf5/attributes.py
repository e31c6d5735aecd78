"""Attributes: small named values on an object; texts and numbers are shown. (IV.A.2.m, III.E)"""

from math import prod
from struct import unpack_from

from gitops_model.errors import BadFile, Problem
from gitops_model.readers.hdf5.file import UNDEFINED, File, u16, u32
from gitops_model.readers.hdf5.fractal_heap import FractalHeap
from gitops_model.readers.hdf5.groups import records
from gitops_model.readers.hdf5.header import ATTRIBUTE, ATTRIBUTE_INFO, DATATYPE, SHARED, Message, shared
from gitops_model.readers.hdf5.types import Datatype, dataspace, datatype

LIMIT_ITEMS = 100_000
LIMIT_TEXT = 64 * 1024 * 1024

CODES = {
    "int8": "b",
    "uint8": "B",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float16": "e",
    "float32": "f",
    "float64": "d",
    "bool": "?",
}


def attributes(file: File, found: list[Message]) -> dict[str, str | list[str]]:
    """Name → text, or list of texts for an array. Values of other types are shown as what they are."""
    values: dict[str, str | list[str]] = {}
    for message in found:
        if message.kind == ATTRIBUTE:
            name, value = attribute(file, message.data)
            values[name] = value
        elif message.kind == ATTRIBUTE_INFO:
            values.update(dense(file, message.data))
    return values


def dense(file: File, data: bytes) -> dict[str, str | list[str]]:
    at = 2 + (2 if data[1] & 1 else 0)
    heap_address, tree = file.offset(data, at), file.offset(data, at + file.offset_size)
    if UNDEFINED in (heap_address, tree):
        return {}
    heap = FractalHeap(file, heap_address)
    # Record type 8: heap id (8 bytes), message flags, creation order, hash of the name. (III.A.2)
    return dict(attribute(file, heap.object(record[:8])) for record in records(file, tree))


def attribute(file: File, data: bytes) -> tuple[str, str | list[str]]:
    version = data[0] if data else 0
    if version not in (1, 2, 3) or len(data) < 8:
        raise BadFile(Problem("GM002", f"an HDF5 attribute of version {version}"))
    name_size, type_size, space_size = u16(data, 2), u16(data, 4), u16(data, 6)
    at = 9 if version == 3 else 8

    def part(size: int) -> bytes:
        nonlocal at
        piece = data[at : at + size]
        at += (size + 7) // 8 * 8 if version == 1 else size
        return piece

    name = part(name_size).split(b"\0")[0].decode("utf-8", "backslashreplace")
    raw_type = part(type_size)
    if version > 1 and data[1] & 1:
        raw_type = shared(file, Message(DATATYPE, SHARED, raw_type))
    kind = datatype(raw_type)
    dims = dataspace(file, part(space_size))
    if dims is None:
        return name, ""
    count = prod(dims)
    if count > LIMIT_ITEMS:
        return name, f"{count} values"
    items = [item(file, data, at + i * kind.itemsize, kind) for i in range(count)]
    return name, items if dims else items[0]


def item(file: File, data: bytes, at: int, kind: Datatype) -> str:
    raw = data[at : at + kind.itemsize]
    if len(raw) != kind.itemsize:
        raise BadFile(Problem("GM002", "an HDF5 attribute is shorter than its type"))
    if kind.dtype == "text":
        return raw.rstrip(b"\0").decode("utf-8", "backslashreplace")
    if kind.dtype == "vlen text":
        return heap_text(file, u32(raw, 0), file.offset(raw, 4), u32(raw, 4 + file.offset_size))
    if kind.dtype in CODES:
        return str(unpack_from((">" if kind.big else "<") + CODES[kind.dtype], raw)[0])
    return f"({kind.what or kind.dtype})"


def heap_text(file: File, length: int, address: int, index: int) -> str:
    """A text in a global heap collection. (III.E)"""
    if not length or address in (0, UNDEFINED):
        return ""
    size = file.length(file.signed(address, 8 + file.length_size, b"GCOL"), 8)
    heap = file.at(address, size)
    at = 8 + file.length_size
    while at + 8 + file.length_size <= len(heap):
        number, nbytes = u16(heap, at), file.length(heap, at + 8)
        begin = at + 8 + file.length_size
        if number == index:
            return heap[begin : begin + min(length, nbytes)].decode("utf-8", "backslashreplace")
        if number == 0:
            break
        at = begin + (nbytes + 7) // 8 * 8
    raise BadFile(Problem("GM002", "a text of an HDF5 attribute is not in its heap"))
