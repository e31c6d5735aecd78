"""Where the elements of a dataset are: compact, contiguous, or in chunks behind one of the indexes. (IV.A.2.i)"""

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Chunk, Chunked, Inline, Locator, Repeated, Span
from gitops_model.readers.hdf5.file import UNDEFINED, File, u16, u32
from gitops_model.readers.hdf5.groups import LIMIT_DEPTH, records

LIMIT_CHUNKS = 1_000_000

FILTER_NAMES = {1: "deflate", 2: "shuffle", 3: "fletcher32"}
OTHER_FILTERS = {
    4: "szip",
    5: "nbit",
    6: "scaleoffset",
    307: "bzip2",
    32000: "lzf",
    32001: "blosc",
    32004: "lz4",
    32015: "zstd",
    32026: "blosc2",
}


class Dataset(NamedTuple):
    """What the layout must fit: dims, bytes per element, the fill element, the filters in order of writing."""

    shape: tuple[int, ...]
    itemsize: int
    fill: bytes
    filters: tuple[str, ...]
    limits: tuple[int, ...] | None = None
    """The largest dims, which order the chunks in array indexes."""


def locate(file: File, data: bytes, dataset: Dataset) -> Locator:
    """The locator of a dataset's elements, from its layout message. GM601 for a virtual dataset."""
    version = data[0] if data else 0
    nbytes = prod(dataset.shape) * dataset.itemsize
    if not nbytes:
        return Inline(b"")
    if version in (1, 2):
        return old(file, data, dataset, nbytes)
    if version not in (3, 4, 5):
        raise BadFile(Problem("GM009", f"an HDF5 data layout of version {version} is not known"))
    kind = data[1]
    if kind == 0:
        return compact(data[4 : 4 + u16(data, 2)], nbytes)
    if kind == 1:
        return contiguous(file, file.offset(data, 2), file.length(data, 2 + file.offset_size), dataset, nbytes)
    if kind == 2:
        if version == 3:
            rank = data[2]
            tree = file.offset(data, 3)
            chunk = tuple(u32(data, 3 + file.offset_size + 4 * i) for i in range(rank - 1))
            return chunked(dataset, chunk, chunk_tree(file, tree, rank) if tree != UNDEFINED else iter(()))
        return indexed(file, data, dataset)
    raise BadFile(
        Problem("GM601", "a virtual HDF5 dataset takes its values from other files", hint="gitops-model explain GM601")
    )


def old(file: File, data: bytes, dataset: Dataset, nbytes: int) -> Locator:
    rank, kind = data[1], data[2]
    at = 8
    address = UNDEFINED
    if kind != 0:
        address, at = file.offset(data, at), at + file.offset_size
    dims = tuple(u32(data, at + 4 * i) for i in range(rank))
    at += 4 * rank
    if kind == 0:
        return compact(data[at + 4 : at + 4 + u32(data, at)], nbytes)
    if kind == 1:
        return contiguous(file, address, nbytes, dataset, nbytes)
    return chunked(dataset, dims[:-1], chunk_tree(file, address, rank) if address != UNDEFINED else iter(()))


def compact(content: bytes, nbytes: int) -> Locator:
    if len(content) < nbytes:
        raise BadFile(Problem("GM002", f"a compact HDF5 dataset has {len(content)} bytes, it needs {nbytes}"))
    return Inline(content[:nbytes])


def contiguous(file: File, address: int, size: int, dataset: Dataset, nbytes: int) -> Locator:
    if address == UNDEFINED:
        return Repeated(dataset.fill, prod(dataset.shape))
    if size < nbytes:
        raise BadFile(Problem("GM002", f"an HDF5 dataset has {size} bytes, its shape needs {nbytes}"))
    return Span(file.place(address, nbytes), nbytes)


def chunked(dataset: Dataset, chunk: tuple[int, ...], found: Iterator[Chunk]) -> Locator:
    if len(chunk) != len(dataset.shape) or any(dim < 1 for dim in chunk):
        raise BadFile(Problem("GM002", f"HDF5 chunks of shape {list(chunk)} for a dataset of {list(dataset.shape)}"))
    size = prod(chunk) * dataset.itemsize
    if size > 1 << 30:
        raise BadFile(Problem("GM005", f"an HDF5 chunk of {size} bytes"))
    chunks: dict[tuple[int, ...], Chunk] = {}
    for piece in found:
        if any(at % step or at >= dim for at, step, dim in zip(piece.start, chunk, dataset.shape, strict=True)):
            continue  # outside the present extent: left over from a larger one
        if piece.start in chunks:
            raise BadFile(Problem("GM002", f"two HDF5 chunks begin at {list(piece.start)}"))
        chunks[piece.start] = piece
    ordered = tuple(chunks[start] for start in sorted(chunks))
    return Chunked(dataset.shape, chunk, dataset.itemsize, ordered, dataset.filters, dataset.fill)


def chunk_tree(file: File, address: int, rank: int, depth: int = 0, seen: set[int] | None = None) -> Iterator[Chunk]:
    """The chunks below a B-tree (version 1) node. `rank` counts the element size as a last dimension. (III.A.1)"""
    seen = set() if seen is None else seen
    if depth > LIMIT_DEPTH or address in seen or len(seen) > LIMIT_CHUNKS:
        raise BadFile(Problem("GM002", "a tree of chunks of the HDF5 file runs in circles"))
    seen.add(address)
    head = file.signed(address, 8, b"TREE")
    kind, level, used = head[4], head[5], u16(head, 6)
    if kind != 1:
        raise BadFile(Problem("GM002", "a dataset of the HDF5 file has a tree of names"))
    key = 8 + 8 * rank
    step = key + file.offset_size
    body = file.at(address + 8 + 2 * file.offset_size, used * step)
    for index in range(used):
        at = index * step
        child = file.offset(body, at + key)
        if level:
            yield from chunk_tree(file, child, rank, depth + 1, seen)
        else:
            size, mask = u32(body, at), u32(body, at + 4)
            start = tuple(int.from_bytes(body[at + 8 + 8 * i : at + 16 + 8 * i], "little") for i in range(rank - 1))
            yield Chunk(start, Span(file.place(child, size), size), mask)


def indexed(file: File, data: bytes, dataset: Dataset) -> Locator:
    """Layout version 4: single chunk, implicit, B-tree (version 2) and array indexes."""
    flags, rank, width = data[2], data[3], data[4]
    if not 0 < width <= 8:
        raise BadFile(Problem("GM002", "an HDF5 data layout is damaged"))
    dims = tuple(int.from_bytes(data[5 + width * i : 5 + width * (i + 1)], "little") for i in range(rank))
    chunk = dims[:-1]
    at = 5 + width * rank
    kind, at = data[at], at + 1
    size = prod(chunk) * dataset.itemsize
    if kind == 1:
        mask, stored = 0, size
        if flags & 2:
            stored, mask, at = file.length(data, at), u32(data, at + file.length_size), at + file.length_size + 4
        address = file.offset(data, at)
        if address == UNDEFINED:
            return chunked(dataset, chunk, iter(()))
        span = Span(file.place(address, stored), stored)
        return chunked(dataset, chunk, iter([Chunk((0,) * len(chunk), span, mask)]))
    if kind == 2:
        return chunked(dataset, chunk, implicit(file, file.offset(data, at), chunk, dataset))
    if kind == 5:
        pieces = tree2(file, file.offset(data, at + 6), chunk, size, filtered=bool(dataset.filters))
        return chunked(dataset, chunk, pieces)
    if kind in (3, 4):
        from gitops_model.readers.hdf5.chunk_arrays import array_chunks

        return chunked(dataset, chunk, array_chunks(file, kind, data[at:], chunk, dataset))
    raise BadFile(Problem("GM009", f"HDF5 chunk index {kind} is not known"))


def grid(shape: tuple[int, ...], chunk: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The starts of all chunks in row-major order."""
    counts = [-(-dim // step) for dim, step in zip(shape, chunk, strict=True)]
    if prod(counts) > LIMIT_CHUNKS:
        raise BadFile(Problem("GM005", f"an HDF5 dataset of {prod(counts)} chunks"))
    for number in range(prod(counts)):
        start: list[int] = []
        for count, step in zip(reversed(counts), reversed(chunk), strict=True):
            number, index = divmod(number, count)  # noqa: PLW2901 - the quotient is what is left to spell
            start.append(index * step)
        yield tuple(reversed(start))


def implicit(file: File, address: int, chunk: tuple[int, ...], dataset: Dataset) -> Iterator[Chunk]:
    size = prod(chunk) * dataset.itemsize
    for number, start in enumerate(grid(dataset.shape, chunk)):
        yield Chunk(start, Span(file.place(address + number * size, size), size))


def tree2(file: File, address: int, chunk: tuple[int, ...], size: int, *, filtered: bool) -> Iterator[Chunk]:
    """Record types 10 and 11: address, (size, filter mask,) scaled start per dimension as u64. (III.A.2)"""
    for record in records(file, address):
        rank = len(chunk)
        scaled_at = len(record) - 8 * rank
        start = tuple(
            int.from_bytes(record[scaled_at + 8 * i : scaled_at + 8 * i + 8], "little") * step
            for i, step in enumerate(chunk)
        )
        stored, mask = size, 0
        if filtered:
            stored = int.from_bytes(record[file.offset_size : scaled_at - 4], "little")
            mask = u32(record, scaled_at - 4)
        yield Chunk(start, Span(file.place(file.offset(record, 0), stored), stored), mask)


def filters(data: bytes) -> tuple[str, ...]:
    """The filter pipeline in the order of writing. (IV.A.2.l)"""
    version, count = data[0], data[1]
    at = 8 if version == 1 else 2
    found: list[str] = []
    for _ in range(count):
        number = u16(data, at)
        name_length = 0
        if version == 1 or number >= 256:
            name_length = u16(data, at + 2)
            at += 8
        else:
            at += 6
        values = u16(data, at - 2)
        at += (name_length + 7) // 8 * 8 if version == 1 else name_length
        at += 4 * values + (4 if version == 1 and values % 2 else 0)
        if number not in FILTER_NAMES:
            raise BadFile(Problem("GM009", f"HDF5 filter {OTHER_FILTERS.get(number, number)} is not read"))
        found.append(FILTER_NAMES[number])
    return tuple(found)
