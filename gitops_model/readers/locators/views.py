"""Views: the elements of a strided window over a storage, gathered in C order and in bounded pieces."""

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Literal

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Strided
from gitops_model.readers.locators.pieces import Fetch

BLOCK = 8 << 20
"""Bytes of a view that are put together at a time."""

TYPECODES: dict[int, Literal["B", "H", "I", "Q"]] = {1: "B", 2: "H", 4: "I", 8: "Q"}


def contiguous(locator: Strided) -> tuple[int, int] | None:
    """(offset, length) in bytes of a view that is a plain run of its base; None for any other."""
    shape, strides = simplified(locator.shape, locator.strides)
    size = prod(shape)
    if size and (strides not in ((), (1,)) or locator.start < 0):
        return None
    return locator.start * locator.itemsize if size else 0, size * locator.itemsize


def simplified(shape: tuple[int, ...], strides: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The same walk with as few dimensions as possible: those of size 1 go, and neighbours that run on are one."""
    dims: list[int] = []
    steps: list[int] = []
    for size, stride in zip(shape, strides, strict=True):
        if size == 1:
            continue
        if dims and steps[-1] == stride * size:
            dims[-1] *= size
            steps[-1] = stride
        else:
            dims.append(size)
            steps.append(stride)
    return tuple(dims), tuple(steps)


def strided(fetch: Fetch, size: int, locator: Strided) -> Iterator[bytes | bytearray]:
    """The elements of the view in C order. `size` is that of the base in bytes; GM002 when the view leaves it."""
    width, start, shape, strides = words(locator)
    shape, strides = simplified(shape, strides)
    if 0 in shape:
        return
    low, high = extent(shape, strides)
    if start + low < 0 or (start + high + 1) * width > size:
        raise BadFile(Problem("GM002", "a tensor reaches beyond the storage that it is a view of"))
    for begin, dims in blocks(start, shape, strides, max(1, BLOCK // width)):
        yield gather(fetch, width, begin, dims, strides[len(strides) - len(dims) :])


def words(locator: Strided) -> tuple[int, int, tuple[int, ...], tuple[int, ...]]:
    """(width, start, shape, strides) in machine words: an element that is none (complex128) is a row of several."""
    width = locator.itemsize
    if width in TYPECODES:
        return width, locator.start, locator.shape, locator.strides
    word = next(size for size in (8, 4, 2, 1) if width % size == 0)
    many = width // word
    return word, locator.start * many, (*locator.shape, many), (*(step * many for step in locator.strides), 1)


def extent(shape: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, int]:
    """The lowest and the highest element that a view touches, relative to its start."""
    low = sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True) if stride < 0)
    high = sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True) if stride > 0)
    return low, high


def blocks(
    start: int, shape: tuple[int, ...], strides: tuple[int, ...], limit: int
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Cut a view along its outer dimensions into (start, shape of the rest) of at most `limit` elements, in order."""
    inner = len(shape)
    size = 1
    while inner and size * shape[inner - 1] <= limit:
        inner -= 1
        size *= shape[inner]
    if not inner:
        yield start, shape
        return
    cut = inner - 1
    rows = max(1, limit // size)
    for flat in range(prod(shape[:cut])):
        base = start
        for axis in range(cut - 1, -1, -1):
            flat, index = divmod(flat, shape[axis])  # noqa: PLW2901 - the rest of the walk's number
            base += index * strides[axis]
        for row in range(0, shape[cut], rows):
            yield base + row * strides[cut], (min(rows, shape[cut] - row), *shape[inner:])


def gather(fetch: Fetch, width: int, start: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> bytes | bytearray:
    """One block. Where the touched stretch is dense it is read once; else every line is read by itself."""
    count = prod(shape)
    low, high = extent(shape, strides)
    dense = high - low + 1 <= 2 * count + 1024
    stretch = fetch((start + low) * width, (high - low + 1) * width) if dense else b""
    out = bytearray(count * width)
    if not shape:
        return stretch
    target = memoryview(out).cast(TYPECODES[width])
    source = memoryview(stretch).cast(TYPECODES[width])
    # The line runs along the longest dimension of a dense block, along the closest steps of a scattered one.
    line = max(range(len(shape)), key=lambda axis: shape[axis] if dense else -abs(strides[axis]))
    steps = [prod(shape[axis + 1 :]) for axis in range(len(shape))]
    others = [axis for axis in range(len(shape)) if axis != line]
    for outer in product(*(range(shape[axis]) for axis in others)):
        into = sum(index * steps[axis] for index, axis in zip(outer, others, strict=True))
        begin = sum(index * strides[axis] for index, axis in zip(outer, others, strict=True))
        put = slice(into, into + (shape[line] - 1) * steps[line] + 1, steps[line])
        if dense:
            target[put] = _line(source, begin - low, shape[line], strides[line])
        else:
            target[put] = _far_line(fetch, width, start + begin, shape[line], strides[line])
    return out


def _line(source: memoryview, begin: int, count: int, stride: int) -> memoryview:
    if stride == 0:
        return memoryview(bytes(source[begin : begin + 1]) * count).cast(TYPECODES[source.itemsize])
    end = begin + count * stride
    return source[begin : end if end >= 0 else None : stride]


def _far_line(fetch: Fetch, width: int, begin: int, count: int, stride: int) -> memoryview:
    """A line of a scattered block, read by itself: as one stretch, or element by element when far apart."""
    code = TYPECODES[width]
    if abs(stride) * width <= 4096:
        low = min(begin, begin + (count - 1) * stride)
        stretch = memoryview(fetch(low * width, ((count - 1) * abs(stride) + 1) * width)).cast(code)
        return _line(stretch, begin - low, count, stride)
    data = b"".join(fetch((begin + index * stride) * width, width) for index in range(count))
    return memoryview(data).cast(code)
