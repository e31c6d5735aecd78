"""Repeated numbers of a message, packed or not: how many there are, and where, without holding them.

Protobuf lets a repeated number come as any mixture of single fields and packed pieces, so a list of `Field`s stands for
it here: single numbers, packed pieces, and the runs of `Wire.runs` (a negative tag).
"""

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Inline, Joined, Locator, Span, Strided, Varints
from gitops_model.readers.protobuf import (
    FIXED,
    LARGEST,
    LEN,
    WHOLE,
    Field,
    Wire,
    count_varints,
    malformed,
    signed,
    untagged,
    varints,
)

SINGLE, PACKED, RUN = range(3)


class Located(NamedTuple):
    """`least` and `most` differ where the numbers were too many to be counted."""

    data: Locator
    least: int
    most: int


def form(field: Field) -> int:
    return RUN if field[0] < 0 else PACKED if field[0] & 7 == LEN else SINGLE


def joined(pieces: list[Locator]) -> Locator:
    return pieces[0] if len(pieces) == 1 else Joined(tuple(pieces))


def varint_list(wire: Wire, fields: Iterable[Field], width: int, *, count_all: bool = False) -> Located:
    """Varints that stand for integers of `width` bytes.

    Packed pieces beyond a window are weights, which nobody reads before they are hashed: unless `count_all` asks for
    it, only bounds of their number are known.
    """
    pieces: list[Locator] = []
    least = most = 0
    for kind, group in groupby(fields, form):
        if kind == SINGLE:
            values = [value for _, value, _ in group]
            pieces.append(Inline(b"".join(narrow(value, width) for value in values)))
            least += len(values)
            most += len(values)
            continue
        spans: list[Span] = []
        for _, start, end in group:
            if start == end:
                continue
            spans.append(Span(start, end - start))
            if kind == RUN:
                number = count_varints(wire.bytes(start, end)) // 2
            elif count_all or end - start <= WHOLE:
                number = count_packed(wire, start, end)
            else:
                check_end(wire, start, end)
                least += -(-(end - start) // 10)
                most += end - start
                continue
            least += number
            most += number
        if spans:
            pieces.append(Varints(tuple(spans), width, kind == RUN))
    return Located(joined(pieces), least, most)


def narrow(value: int, width: int) -> bytes:
    """One varint as an integer of `width` bytes; GM007 where it does not fit, signed or unsigned."""
    number = value if value < 1 << 8 * width else signed(value)
    if not -(1 << 8 * width - 1) <= number < 1 << 8 * width:
        raise BadFile(Problem("GM007", f"a stored value does not fit an element of {width} bytes"))
    return (number & (1 << 8 * width) - 1).to_bytes(width, "little")


def count_packed(wire: Wire, start: int, end: int) -> int:
    check_end(wire, start, end)
    if end - start <= LARGEST:
        return count_varints(wire.bytes(start, end))
    return sum(count_varints(wire.blob.read(at, min(LARGEST, end - at))) for at in range(start, end, LARGEST))


def check_end(wire: Wire, start: int, end: int) -> None:
    if wire.bytes(end - 1, end)[0] > 0x7F:
        raise malformed("packed field", start, "it ends inside a number")


def fixed_list(wire: Wire, fields: Iterable[Field], width: int) -> tuple[Locator, int]:
    """fixed32 or fixed64 values of `width` bytes: where they are, and how many bytes that is."""
    pieces: list[Locator] = []
    nbytes = 0
    for kind, group in groupby(fields, form):
        if kind == SINGLE:
            data = b"".join([wire.bytes(start, end) for _, start, end in group])
            pieces.append(Inline(data))
            nbytes += len(data)
            continue
        for _, start, end in group:
            if kind == PACKED:
                if (end - start) % width:
                    raise malformed("packed field", start, f"{end - start} bytes are no multiple of {width}")
                pieces.append(Span(start, end - start))
                nbytes += end - start
            else:
                count = (end - start) // (width + 1)
                pieces.append(Strided(Span(start, end - start), 1, 1, (count, width), (width + 1, 1)))
                nbytes += count * width
    return joined(pieces), nbytes


def numbers(wire: Wire, fields: Iterable[Field], what: str) -> list[int]:
    """The varints themselves, unsigned."""
    values: list[int] = []
    for field in fields:
        _, start, end = field
        kind = form(field)
        if kind == SINGLE:
            values.append(start)
        elif kind == PACKED:
            values += wire.numbers(start, end, what)
        else:
            values += varints(untagged(wire.bytes(start, end)))
    return values


def fixed_bytes(wire: Wire, fields: Iterable[Field]) -> bytes:
    """The bytes of fixed32 or fixed64 values, one after another."""
    parts: list[bytes] = []
    for field in fields:
        tag, start, end = field
        data = wire.bytes(start, end)
        if form(field) == RUN:
            width = FIXED[-tag & 7]
            data = b"".join([data[i + 1 : i + 1 + width] for i in range(0, len(data), width + 1)])
        parts.append(data)
    return b"".join(parts)
