"""Chunk indexes that are arrays: fixed (III.D "Fixed Array Index") and extensible (III.E "Extensible Array Index")."""

from collections.abc import Iterator
from itertools import islice
from math import prod
from typing import NamedTuple

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Chunk, Span
from gitops_model.readers.hdf5.file import UNDEFINED, File, u32
from gitops_model.readers.hdf5.layout import LIMIT_CHUNKS, Dataset, grid


class Elements(NamedTuple):
    """How one element of the index reads: bytes in all, bytes of its stored size (0: unfiltered), size of a chunk."""

    size: int
    width: int
    nbytes: int


def array_chunks(file: File, kind: int, data: bytes, chunk: tuple[int, ...], dataset: Dataset) -> Iterator[Chunk]:
    """The chunks of a fixed (3) or extensible (4) array. `data` begins behind the index type."""
    nbytes = prod(chunk) * dataset.itemsize
    address = file.offset(data, 1 if kind == 3 else 5)
    if address == UNDEFINED:
        return
    raw = fixed(file, address, nbytes) if kind == 3 else extensible(file, address, nbytes)
    starts = {number: start for start, number in numbers(dataset, chunk)}
    # The index of an unlimited dimension has room for many thousands of chunks that the dataset has not got.
    for number, (place, stored, mask) in enumerate(islice(raw, max(starts, default=-1) + 1)):
        if place != UNDEFINED and number in starts:
            yield Chunk(starts[number], Span(file.place(place, stored), stored), mask)


def numbers(dataset: Dataset, chunk: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], int]]:
    """Each chunk's start with its number in the index.

    Chunks are counted in row-major order over the largest dims; a dimension without limit counts slowest
    (H5D__earray_idx_get_addr and H5D__farray_idx_get_addr of the HDF5 library).
    """
    bounds = dataset.limits or dataset.shape
    counts = [-(-dim // step) for dim, step in zip(bounds, chunk, strict=True)]
    order = list(range(len(chunk)))
    if UNDEFINED in bounds:
        slowest = bounds.index(UNDEFINED)
        order.remove(slowest)
        order.insert(0, slowest)
    for start in grid(dataset.shape, chunk):
        number = 0
        for dimension in order:
            number = number * (counts[dimension] if dimension != order[0] else 1) + start[dimension] // chunk[dimension]
        yield start, number


def element(file: File, block: bytes, at: int, how: Elements) -> tuple[int, int, int]:
    place = file.offset(block, at)
    if not how.width:
        return place, how.nbytes, 0
    stored = int.from_bytes(block[at + file.offset_size : at + file.offset_size + how.width], "little")
    return place, stored, u32(block, at + file.offset_size + how.width)


def how_elements(file: File, client: int, size: int, nbytes: int) -> Elements:
    width = size - file.offset_size - 4 if client == 1 else 0
    if client not in (0, 1) or size < file.offset_size or not 0 <= width <= 8:
        raise BadFile(Problem("GM002", "a chunk index of the HDF5 file is damaged"))
    return Elements(size, width, nbytes)


def fixed(file: File, address: int, nbytes: int) -> Iterator[tuple[int, int, int]]:
    head = file.signed(address, 12 + file.length_size + file.offset_size, b"FAHD")
    how = how_elements(file, head[5], head[6], nbytes)
    page_bits = head[7]
    count = file.length(head, 8)
    block = file.offset(head, 8 + file.length_size)
    if block == UNDEFINED:
        return
    if count > LIMIT_CHUNKS or page_bits > 31:
        raise BadFile(Problem("GM005", f"a chunk index of {count} chunks"))
    prefix = 6 + file.offset_size
    file.signed(block, prefix, b"FADB")
    page = 1 << page_bits
    if count <= page:
        body = file.at(block + prefix, count * how.size)
        yield from (element(file, body, i * how.size, how) for i in range(count))
        return
    pages = -(-count // page)
    bitmap = file.at(block + prefix, (pages + 7) // 8)
    at = block + prefix + len(bitmap) + 4
    for number in range(pages):
        here = min(page, count - number * page)
        if bitmap[number // 8] & (0x80 >> number % 8):
            body = file.at(at, here * how.size)
            yield from (element(file, body, i * how.size, how) for i in range(here))
        else:
            yield from ((UNDEFINED, 0, 0) for _ in range(here))
        at += here * how.size + 4


def extensible(file: File, address: int, nbytes: int) -> Iterator[tuple[int, int, int]]:
    lengths, offsets = file.length_size, file.offset_size
    head = file.signed(address, 12 + 6 * lengths + offsets + 4, b"EAHD")
    how = how_elements(file, head[5], head[6], nbytes)
    max_bits, index_elements, min_elements, min_pointers, page_bits = head[7:12]
    index = file.offset(head, 12 + 6 * lengths)
    if index == UNDEFINED:
        return
    if max_bits > 64 or not min_elements or not min_pointers or page_bits > 31:
        raise BadFile(Problem("GM002", "a chunk index of the HDF5 file is damaged"))
    # H5EApkg.h: super block u holds 2^(u // 2) data blocks of min_elements * 2^((u + 1) // 2) elements.
    supers = 1 + max_bits - (min_elements.bit_length() - 1)
    blocks = [(1 << (u // 2), min_elements << ((u + 1) // 2)) for u in range(supers)]
    direct_supers = 2 * (min_pointers.bit_length() - 1)
    direct = sum(count for count, _ in blocks[:direct_supers])
    rest = max(0, supers - direct_supers)
    prefix = 6 + offsets
    body = file.signed(index, prefix + index_elements * how.size + (direct + rest) * offsets, b"EAIB")
    yield from (element(file, body, prefix + i * how.size, how) for i in range(index_elements))
    at = prefix + index_elements * how.size
    offset_width = (max_bits + 7) // 8
    for count, size in blocks[:direct_supers]:
        for _ in range(count):
            yield from data_block(file, file.offset(body, at), size, how, (offset_width, page_bits, None))
            at += offsets
    for count, size in blocks[direct_supers:]:
        yield from super_block(file, file.offset(body, at), (count, size), how, (offset_width, page_bits))
        at += offsets


def super_block(
    file: File, address: int, shape: tuple[int, int], how: Elements, widths: tuple[int, int]
) -> Iterator[tuple[int, int, int]]:
    count, size = shape
    if address == UNDEFINED:
        if count * size > LIMIT_CHUNKS:
            return
        yield from ((UNDEFINED, 0, 0) for _ in range(count * size))
        return
    offset_width, page_bits = widths
    prefix = 6 + file.offset_size + offset_width
    pages = size >> page_bits if size > 1 << page_bits else 0
    bitmap_size = (pages + 7) // 8
    body = file.signed(address, prefix + count * (bitmap_size + file.offset_size), b"EASB")
    for number in range(count):
        bitmap = body[prefix + number * bitmap_size : prefix + (number + 1) * bitmap_size]
        place = file.offset(body, prefix + count * bitmap_size + number * file.offset_size)
        yield from data_block(file, place, size, how, (offset_width, page_bits, bitmap if pages else None))


def data_block(
    file: File, address: int, size: int, how: Elements, layout: tuple[int, int, bytes | None]
) -> Iterator[tuple[int, int, int]]:
    offset_width, page_bits, bitmap = layout
    if address == UNDEFINED:
        yield from ((UNDEFINED, 0, 0) for _ in range(min(size, LIMIT_CHUNKS)))
        return
    prefix = 6 + file.offset_size + offset_width
    file.signed(address, prefix, b"EADB")
    if bitmap is None:
        body = file.at(address + prefix, size * how.size)
        yield from (element(file, body, i * how.size, how) for i in range(size))
        return
    page = 1 << page_bits
    at = address + prefix + 4
    for number in range(size // page):
        if bitmap[number // 8] & (0x80 >> number % 8):
            body = file.at(at, page * how.size)
            yield from (element(file, body, i * how.size, how) for i in range(page))
        else:
            yield from ((UNDEFINED, 0, 0) for _ in range(page))
        at += page * how.size + 4
