"""Arrays stored in chunks (HDF5), put together band by band: the rows that one row of chunks covers.

Memory is one band and one chunk; a band of more than LIMIT_BAND bytes is GM005.
"""

from collections.abc import Callable, Iterator
from itertools import product
from math import prod

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Chunk, Chunked, Span

LIMIT_BAND = 256 * 1024 * 1024

Fetch = Callable[[Span, int, int], bytes]


def bands(locator: Chunked, fetch: Fetch) -> Iterator[bytearray]:
    """The elements in C order, one band after another. Raises BadFile GM002 for a chunk that is not what it claims."""
    shape, chunk, itemsize = locator.shape, locator.chunk, locator.itemsize
    row = prod(shape[1:]) * itemsize
    height = chunk[0]
    if height * row > LIMIT_BAND + row or row > LIMIT_BAND:
        raise BadFile(Problem("GM005", f"a row of chunks covers {height * row} bytes"))
    by_band: dict[int, list[Chunk]] = {}
    for piece in locator.chunks:
        by_band.setdefault(piece.start[0], []).append(piece)
    full = prod(chunk) * itemsize
    for top in range(0, shape[0], height):
        rows = min(height, shape[0] - top)
        band = bytearray(locator.fill) * (rows * row // itemsize) if any(locator.fill) else bytearray(rows * row)
        for piece in by_band.get(top, ()):
            packed = fetch(piece.packed, 0, piece.packed.length)
            content = unfiltered(packed, locator, piece.mask, full)
            lay(band, content, piece.start, locator, rows)
        yield band


def lay(band: bytearray, content: bytes, start: tuple[int, ...], locator: Chunked, rows: int) -> None:
    """Copy the part of a chunk that lies inside the array to its place in the band."""
    shape, chunk, itemsize = locator.shape, locator.chunk, locator.itemsize
    extent = [rows, *(min(c, s - at) for c, s, at in zip(chunk[1:], shape[1:], start[1:], strict=True))]
    run = extent[-1] * itemsize
    band_steps = steps((rows, *shape[1:]), itemsize)
    chunk_steps = steps(chunk, itemsize)
    origin = sum(at * step for at, step in zip(start[1:], band_steps[1:], strict=True))
    for index in product(*(range(count) for count in extent[:-1])):
        target = origin + sum(i * step for i, step in zip(index, band_steps, strict=False))
        source = sum(i * step for i, step in zip(index, chunk_steps, strict=False))
        band[target : target + run] = content[source : source + run]


def steps(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Bytes from one index to the next per dimension, in C order."""
    found: list[int] = []
    step = itemsize
    for dim in reversed(shape):
        found.append(step)
        step *= dim
    return tuple(reversed(found))


def unfiltered(packed: bytes, locator: Chunked, mask: int, full: int) -> bytes:
    """A chunk's elements: the filters undone, last one first, without those that its mask skips."""
    content = packed
    for index, name in reversed(list(enumerate(locator.filters))):
        if mask >> index & 1:
            continue
        if name == "deflate":
            content = inflated(content, full + 4)
        elif name == "shuffle":
            content = unshuffled(content, locator.itemsize)
        else:  # fletcher32: the checksum stands behind
            content = content[:-4]
    if len(content) != full:
        raise BadFile(Problem("GM002", f"an HDF5 chunk has {len(content)} bytes, its shape needs {full}"))
    return content


def inflated(packed: bytes, limit: int) -> bytes:
    from zlib import decompressobj, error

    try:
        return decompressobj().decompress(packed, limit)
    except error as cause:
        raise BadFile(Problem("GM002", "an HDF5 chunk is no valid zlib stream")) from cause


def unshuffled(content: bytes, itemsize: int) -> bytes:
    count = len(content) // itemsize
    whole = bytearray(content)
    for index in range(itemsize):
        whole[index : count * itemsize : itemsize] = content[index * count : (index + 1) * count]
    return bytes(whole)


def repeated(value: bytes, times: int, step: int) -> Iterator[bytes]:
    """One element over and over, in pieces of at most about `step` bytes."""
    if not value:
        return
    block = max(1, min(times, step // len(value)))
    piece = value * block
    while times >= block:
        yield piece
        times -= block
    if times:
        yield value * times
