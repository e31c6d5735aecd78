"""Decoding of values that a file stores piece by piece: protobuf varints, strings, elements of the other byte order."""

import sys
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Span, Strings, Varints
from gitops_model.readers.protobuf import untagged

CHUNK = 1 << 20
"""Bytes read, or produced, at a time."""

Fetch: TypeAlias = Callable[[int, int], bytes]
"""Random access: (offset, length) → bytes."""

TYPECODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


class Cursor:
    """Reads many small spans of one file that mostly lie one after another, without a system call for each."""

    def __init__(self, read: Callable[[Span, int, int], bytes]) -> None:
        self._read = read
        self._file: str | None = None
        self._start = 0
        self._buffer = b""

    def get(self, span: Span, reach: int) -> bytes:
        """The bytes of a span that lies in the `reach` bytes from its offset that are sure to be in the file."""
        begin = span.offset - self._start
        if span.file != self._file or begin < 0 or begin + span.length > len(self._buffer):
            wanted = Span(span.offset, max(span.length, min(reach, CHUNK)), span.file)
            self._buffer = self._read(wanted, 0, wanted.length)
            self._file = span.file
            self._start = span.offset
            begin = 0
        return self._buffer[begin : begin + span.length]

    def each(self, pieces: tuple[Span, ...]) -> Iterator[bytes]:
        """The bytes of each piece; pieces longer than `CHUNK` come in parts."""
        end = max((piece.offset + piece.length for piece in pieces), default=0)
        several_files = len({piece.file for piece in pieces}) > 1
        for piece in pieces:
            if piece.length > CHUNK:
                for offset in range(0, piece.length, CHUNK):
                    yield self._read(piece, offset, min(CHUNK, piece.length - offset))
            else:
                yield self.get(piece, piece.length if several_files else end - piece.offset)


def varints(cursor: Cursor, locator: Varints) -> Iterator[bytes]:
    """Each varint as `width` bytes, little endian, two's complement; GM007 where the value does not fit."""
    waiting: list[bytes] = []
    size = 0
    for part in cursor.each(locator.pieces):
        waiting.append(untagged(part) if locator.tagged else part)
        size += len(waiting[-1])
        if size >= CHUNK:
            whole, rest = _whole(b"".join(waiting))
            waiting = [rest]
            size = len(rest)
            yield widen(whole, locator.width)
    last = b"".join(waiting)
    if last:
        if last[-1] & 0x80:
            raise BadFile(Problem("GM002", "tensor data ends inside a variable-length integer"))
        yield widen(last, locator.width)


def _whole(data: bytes) -> tuple[bytes, bytes]:
    """Split behind the last complete varint."""
    end = len(data)
    while end and data[end - 1] & 0x80:
        end -= 1
        if len(data) - end > 10:
            raise BadFile(Problem("GM002", "a variable-length integer has more than 10 bytes"))
    return data[:end], data[end:]


def widen(data: bytes, width: int) -> bytes:
    """Complete varints → fixed integers of `width` bytes."""
    if data.isascii():
        if width == 1:
            return data
        out = bytearray(len(data) * width)
        out[::width] = data
        return bytes(out)
    values: list[int] = []
    append = values.append
    value = shift = 0
    for byte in data:
        if byte < 0x80:
            append(value | byte << shift)
            value = shift = 0
        else:
            value |= (byte & 0x7F) << shift
            shift += 7
            if shift > 63:
                raise BadFile(Problem("GM002", "a variable-length integer has more than 10 bytes"))
    return _pack(values, width)


def _pack(values: list[int], width: int) -> bytes:
    limit = 1 << 8 * width
    if max(values) >= limit:
        lowest = (1 << 64) - (limit >> 1)  # the least negative number that fits, as 64-bit two's complement
        for index, value in enumerate(values):
            if value >= limit:
                if not lowest <= value < 1 << 64:
                    raise BadFile(Problem("GM007", f"a stored value does not fit an element of {width} bytes"))
                values[index] = value & limit - 1
    packed = array(TYPECODES[width], values)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def strings(cursor: Cursor, locator: Strings) -> Iterator[bytes]:
    """Each string as its length (u64, little endian) and its bytes as they are in the file."""
    waiting: list[bytes] = []
    size = 0
    for piece, data in _lengths(cursor, locator):
        if piece is not None:
            waiting.append(piece.to_bytes(8, "little"))
            size += 8
        waiting.append(data)
        size += len(data)
        if size >= CHUNK:
            yield b"".join(waiting)
            waiting.clear()
            size = 0
    if waiting:
        yield b"".join(waiting)


def _lengths(cursor: Cursor, locator: Strings) -> Iterator[tuple[int | None, bytes]]:
    """Parts of strings, the first part of each with its length."""
    left = 0
    pieces = iter(locator.pieces)
    for data in cursor.each(locator.pieces):
        length = None
        if not left:
            left = length = next(pieces).length
        left -= len(data)
        yield length, data


def swapped(chunks: "Iterable[bytes | bytearray | memoryview]", itemsize: int) -> Iterator[bytes]:
    """Elements of `itemsize` bytes with their bytes reversed."""
    rest = b""
    for chunk in chunks:
        data = rest + bytes(chunk) if rest else bytes(chunk)
        usable = len(data) - len(data) % itemsize
        rest = data[usable:]
        out = bytearray(usable)
        for index in range(itemsize):
            out[index::itemsize] = data[itemsize - 1 - index : usable : itemsize]
        if out:
            yield bytes(out)
    if rest:
        raise BadFile(Problem("GM002", f"tensor data is no whole number of {itemsize}-byte elements"))
