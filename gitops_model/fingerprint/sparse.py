"""The canonical bytes of a sparse tensor: linear indices as int64, ascending, then the values in that order."""

import sys
from array import array
from collections.abc import Iterator
from itertools import chain, pairwise
from math import prod

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import ELEMENT_BITS, Sparse, Tensor
from gitops_model.readers.bytes import Chunk, TensorBytes

SORT_LIMIT = 1 << 24
"""Elements of a sparse tensor in another order that are sorted in memory."""


def sparse_parts(tensor: Tensor, locator: Sparse, data: TensorBytes) -> Iterator[Chunk]:
    """Indices, then values; never the dense tensor. GM002 for an index that is outside or there twice."""
    if _ascending(tensor, locator, data):
        for rows in _linear(tensor, locator, data):
            yield _little(rows)
        yield from data.chunks(locator.values)
        return
    yield from _sorted(tensor, locator, data)


def _ascending(tensor: Tensor, locator: Sparse, data: TensorBytes) -> bool:
    last = -1
    count = 0
    for rows in _linear(tensor, locator, data):
        if rows and (rows[0] <= last or any(a >= b for a, b in pairwise(rows))):
            return False
        last = rows[-1] if rows else last
        count += len(rows)
    if count != locator.nnz:
        raise BadFile(_bad(tensor, f"has {count} indices for {locator.nnz} values"))
    return True


def _linear(tensor: Tensor, locator: Sparse, data: TensorBytes) -> "Iterator[array[int]]":
    """The linear indices, in the order of the file, some at a time."""
    limit = prod(tensor.shape)
    rank = locator.rank
    rest = b""
    width = 8 * rank
    for chunk in data.chunks(locator.indices, 1 << 20):
        block = rest + bytes(chunk)
        usable = len(block) - len(block) % width
        rest = block[usable:]
        numbers = array("q", block[:usable])
        if sys.byteorder == "big":
            numbers.byteswap()
        if rank > 1:
            numbers = _flat(tensor, numbers, rank)
        if numbers and not (min(numbers) >= 0 and max(numbers) < limit):
            raise BadFile(_bad(tensor, "has an index outside its shape"))
        yield numbers
    if rest:
        raise BadFile(_bad(tensor, "has indices that are no whole rows"))


def _flat(tensor: Tensor, numbers: "array[int]", rank: int) -> "array[int]":
    if rank != len(tensor.shape):
        raise BadFile(_bad(tensor, f"has indices of {rank} numbers for {len(tensor.shape)} dimensions"))
    flat = array("q", bytes(len(numbers) // rank * 8))
    for axis, size in enumerate(tensor.shape):
        column = numbers[axis::rank]
        if column and not (min(column) >= 0 and max(column) < size):
            raise BadFile(_bad(tensor, "has an index outside its shape"))
        flat = array("q", (place * size + index for place, index in zip(flat, column, strict=True)))
    return flat


def _sorted(tensor: Tensor, locator: Sparse, data: TensorBytes) -> Iterator[Chunk]:
    bits = ELEMENT_BITS.get(tensor.dtype, 0)
    if locator.nnz > SORT_LIMIT or not bits or bits % 8:
        raise BadFile(Problem("GM005", f"sparse tensor {tensor.name!r} has too many elements out of order"))
    width = bits // 8
    indices = list(chain.from_iterable(_linear(tensor, locator, data)))
    values = b"".join(bytes(chunk) for chunk in data.chunks(locator.values))
    if len(indices) != locator.nnz or len(values) != locator.nnz * width:
        raise BadFile(_bad(tensor, "has another number of indices than of values"))
    order = sorted(range(len(indices)), key=indices.__getitem__)
    if any(indices[a] == indices[b] for a, b in pairwise(order)):
        raise BadFile(_bad(tensor, "has an index twice"))
    yield _little(array("q", [indices[at] for at in order]))
    yield b"".join(values[at * width : at * width + width] for at in order)


def _little(numbers: "array[int]") -> bytes:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _bad(tensor: Tensor, what: str) -> Problem:
    return Problem("GM002", f"sparse tensor {tensor.name!r} {what}")
