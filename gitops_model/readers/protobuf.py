"""A bounded, iterative walk over protobuf's wire format that reads headers, not contents.

https://protobuf.dev/programming-guides/encoding/ is the source: a message is a sequence of fields, each a varint tag
(field number × 8 + wire type) and a value. A field is given as a triple of numbers:

* varint (type 0): tag, value (unsigned, 64 bits), the byte behind it;
* length-delimited (2), fixed64 (1), fixed32 (5): tag, the first byte of the content, the byte behind it;
* a run of fields that all have the same tag (`runs`): minus that tag, the first byte of the run, the byte behind it.

Because the wire type is part of the tag, a known number with an unexpected type compares unequal to every known tag and
is skipped as unknown, as protobuf's own parsers do. Groups (3, 4) are refused.

The bytes come through one window that starts small behind a jump and doubles while the walk goes on sequentially, so
that a content that nobody asks for is neither read nor touched. No length is used before it is compared with what is
really there: a field that leaves its message is GM002, one that leaves the file GM001.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeAlias

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, Problem

Field: TypeAlias = tuple[int, int, int]

VARINT, FIXED64, LEN, FIXED32 = 0, 1, 2, 5

FIXED = {FIXED64: 8, FIXED32: 4}
"""Bytes of the fixed wire types."""

SMALLEST = 4 * 1024
"""Bytes read behind a jump: one page, the header of the next thing."""

LARGEST = 256 * 1024
"""Bytes read at a time while the walk is sequential; beyond that the system call is no longer what costs."""

WHOLE = 64 * 1024
"""A message up to this size is taken apart at once; a larger one field by field."""

MARGIN = 20
"""A tag (at most 10 bytes, padded) and a varint (at most 10) always fit in this."""

MOST_FIELDS = 12_000_000
"""Fields that one file may have in the messages that are taken apart, and what a caller adds to `Wire.count` for the
things that it keeps: at about 25 bytes each this bounds the memory of a description. A run of numbers counts once.
"""

LONGEST_TEXT = 16 * 1024 * 1024
"""Bytes that one text may have to be held in memory."""


def malformed(what: str, where: int, why: str) -> BadFile:
    return BadFile(Problem("GM002", f"malformed {what} at byte {where}: {why}"))


def signed(value: int) -> int:
    """A varint as int64: two's complement."""
    return value - (1 << 64) if value >> 63 else value


def signed32(value: int) -> int:
    """A varint as int32 or enum: protobuf keeps the low 32 bits."""
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def width_of(kind: int) -> int:
    """Bytes of a fixed wire type; ValueError for a group and for what is no wire type."""
    width = FIXED.get(kind)
    if width is None:
        raise ValueError(f"wire type {kind}")
    return width


def varint(data: bytes, i: int) -> tuple[int, int]:
    """The varint at `i` and the index behind it; IndexError where `data` ends, ValueError beyond 10 bytes."""
    value = shift = 0
    while True:
        byte = data[i]
        i += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, i
        shift += 7
        if shift > 63:
            raise ValueError("a varint of more than 10 bytes")


def varints(data: bytes) -> list[int]:
    """The values of a packed field, unsigned; IndexError or ValueError as `varint`."""
    values: list[int] = []
    i, end = 0, len(data)
    while i < end:
        value = data[i]
        i += 1
        if value > 0x7F:
            value, i = varint(data, i - 1)
        values.append(value)
    return values


CONTINUED = bytes(range(0x80, 0x100))
"""The bytes of a varint that are not its last."""


def count_varints(data: bytes) -> int:
    """How many varints whole ones are, without decoding them."""
    return len(data.translate(None, CONTINUED))


def untagged(run: bytes) -> bytes:
    """The varints of a run of unpacked fields with a one-byte tag, as a packed field has them."""
    return b"".join(UNTAGGED.findall(run))


UNTAGGED = re.compile(rb"[\x00-\x7f]([\x80-\xff]{0,9}+[\x00-\x7f])")


@lru_cache
def run_pattern(tag: int) -> re.Pattern[bytes]:
    """Fields of varints with a one-byte tag, one after another. Possessive: it never goes back, nor remembers."""
    return re.compile(rb"(?:" + re.escape(bytes([tag])) + rb"[\x80-\xff]{0,9}+[\x00-\x7f])++")


def run_end(tag: int, data: bytes, i: int, stop: int) -> int:
    """The index behind the last whole field of a run of `tag` that begins at `i` (`i` itself: there is none)."""
    if tag & 7 == VARINT:
        match = run_pattern(tag).match(data, i, stop)
        return match.end() if match else i
    width = FIXED[tag & 7] + 1
    tags = data[i : i + (stop - i) // width * width : width]
    return i + width * (len(tags) - len(tags.lstrip(bytes([tag]))))


class Wire:
    """The fields of the messages in one blob. `base` and `limit` bound the window `data`; `count` is what was spent."""

    __slots__ = ("_step", "base", "blob", "count", "data", "limit")

    def __init__(self, blob: Blob) -> None:
        self.blob = blob
        self.data = b""
        self.base = self.limit = 0
        self.count = 0
        self._step = SMALLEST

    def fields(self, start: int, end: int, what: str, *, root: bool = False) -> Iterable[Field]:
        """The fields of the message at `start`; `end` is known to be inside the file. `root`: the file itself."""
        if self.base > start or end > self.limit:
            if end - start > WHOLE:
                return self._stream(start, end, what, root)
            self._fill(start, end - start)
        return self._scan(start, end, what, root)[0]

    def runs(self, start: int, end: int, what: str, lists: frozenset[int]) -> Iterator[Field]:
        """The fields of a message in which lists of unpacked numbers may be long.

        Numbers with a tag of `lists` (one-byte tags of varints and fixed32) come as runs of at most `LARGEST` bytes,
        without a look at the single one: `(-tag, first byte, byte behind)`, whole fields with their tags.
        """
        return self._stream(start, end, what, False, lists)

    def bytes(self, start: int, end: int) -> bytes:
        """A copy of some bytes of the file (at most `LONGEST_TEXT`: GM005)."""
        if self.base <= start and end <= self.limit:
            return self.data[start - self.base : end - self.base]
        if end - start > LONGEST_TEXT:
            raise BadFile(
                Problem(
                    "GM005",
                    f"a text of {end - start} bytes at byte {start}",
                    expected=f"at most {LONGEST_TEXT} bytes",
                    found=f"{end - start} bytes",
                )
            )
        if end - start <= WHOLE:
            self._fill(start, end - start)
            return self.data[: end - start]
        return self.blob.read(start, end - start)

    def numbers(self, start: int, end: int, what: str) -> list[int]:
        """The values of a packed field of varints, unsigned."""
        try:
            values = varints(self.bytes(start, end))
        except (IndexError, ValueError):
            raise malformed(what, start, "a packed field is broken") from None
        self._spend(len(values))
        return values

    def _fill(self, start: int, need: int) -> None:
        """Move the window to `start`; it then holds at least `need` bytes (or all up to the end of the file)."""
        ahead = self.base < start <= self.limit
        self._step = min(self._step * 2, LARGEST) if ahead else SMALLEST
        length = min(max(self._step, need), self.blob.size - start)
        self.data = self.blob.read(start, length)
        self.base = start
        self.limit = start + length

    def _spend(self, fields: int) -> None:
        self.count += fields
        if self.count > MOST_FIELDS:
            raise self._too_many()

    def _too_many(self) -> BadFile:
        return BadFile(
            Problem(
                "GM005",
                f"the file has too many parts: the limit is reached before byte {self.limit}",
                expected=f"at most {MOST_FIELDS} fields and parts",
            )
        )

    def _stream(
        self, start: int, end: int, what: str, root: bool, lists: frozenset[int] = frozenset()
    ) -> Iterator[Field]:
        """The fields of a large message, a window at a time; the window may be moved between two of them."""
        position = start
        while position < end:
            if position < self.base or (position + MARGIN >= self.limit and self.limit < end):
                self._fill(position, MARGIN)
            batch, position = self._scan(position, end, what, root, lists)
            yield from batch

    def _scan(
        self, start: int, end: int, what: str, root: bool, lists: frozenset[int] = frozenset()
    ) -> tuple[list[Field], int]:
        """The fields that begin in the window, and the byte behind them. This loop is where parsing spends its time."""
        fields: list[Field] = []
        add = fields.append
        data, base = self.data, self.base
        i, stop = start - base, end - base
        last = stop if self.limit >= end else len(data) - MARGIN
        at = i
        try:
            while i < last:
                at = i
                tag = data[i]
                i += 1
                if tag > 0x7F:
                    tag, i = varint(data, at)
                kind = tag & 7
                value = data[i]
                if kind == LEN:
                    i += 1
                    if value > 0x7F:
                        value, i = varint(data, i - 1)
                    first = i
                    i += value
                    if i > stop:
                        raise self._overrun("" if root else what, base + at, (base + first, value), end)
                    add((tag, base + first, base + i))
                elif tag in lists and (behind := run_end(tag, data, at, min(len(data), stop))) > at:
                    i = behind
                    add((-tag, base + at, base + i))
                elif kind == VARINT:
                    i += 1
                    if value > 0x7F:
                        value, i = varint(data, i - 1)
                    add((tag, value, base + i))
                else:
                    first = i
                    i += width_of(kind)
                    add((tag, base + first, base + i))
                if tag < 8 or tag > 0xFFFFFFFF:
                    raise ValueError(f"field number {tag >> 3}")
        except IndexError:
            i = stop + 1
        except ValueError as error:
            raise malformed(what, base + at, str(error)) from None
        if i > stop:
            raise self._overrun("" if root else what, base + at, (end, 1), end)
        self._spend(len(fields))
        return fields, base + i

    def _overrun(self, what: str, where: int, need: tuple[int, int], end: int) -> BadFile:
        """A field at `where` needs bytes (first, how many), but its message (or, for "", the file) ends at `end`."""
        first, length = need
        if not what:
            return BadFile(self.blob.truncated(first, length))
        return malformed(what, where, f"a field needs {length} bytes at {first}, but the message ends at {end}")
