"""FlatBuffers, read by random access: tables, vectors and strings, each bounds-checked (the "Internals" document).

An offset that points behind the end of the file is GM001: builders write buffers back to front, so a cut file keeps its
root and loses what the root points to.
"""

from struct import unpack_from

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, Problem

CHUNK = 1 << 16
CHUNKS = 64

LIMIT_VECTOR = 4_000_000
"""Most items of a vector that is walked."""


class Buffer:
    """Small reads at any place, from a few cached chunks of the file."""

    def __init__(self, blob: Blob) -> None:
        self.blob = blob
        self._chunks: dict[int, bytes] = {}

    def at(self, offset: int, length: int) -> bytes:
        """`length` bytes, at most a chunk."""
        if offset < 0:
            raise BadFile(Problem("GM002", "an offset of the FlatBuffer points in front of the file"))
        number, start = divmod(offset, CHUNK)
        chunk = self._chunks.get(number)
        if chunk is None:
            if number * CHUNK >= self.blob.size:
                raise BadFile(self.blob.truncated(offset, length))
            if len(self._chunks) >= CHUNKS:
                self._chunks.pop(next(iter(self._chunks)))
            chunk = self.blob.read(number * CHUNK, min(CHUNK, self.blob.size - number * CHUNK))
            self._chunks[number] = chunk
        part = chunk[start : start + length]
        if len(part) == length:
            return part
        return self.blob.read(offset, length)

    def number(self, code: str, offset: int) -> int:
        return unpack_from("<" + code, self.at(offset, SIZES[code]))[0]

    def root(self) -> "Table":
        return Table(self, self.number("I", 0))


SIZES = {"b": 1, "B": 1, "?": 1, "H": 2, "h": 2, "i": 4, "I": 4, "f": 4, "q": 8, "Q": 8, "d": 8}


class Table:
    """One table: fields by their id in the schema. A missing field gives the default."""

    __slots__ = ("buffer", "offset", "slots")

    def __init__(self, buffer: Buffer, offset: int) -> None:
        self.buffer = buffer
        self.offset = offset
        vtable = offset - buffer.number("i", offset)
        size = buffer.number("H", vtable)
        if size < 4 or size % 2:
            raise BadFile(Problem("GM002", f"the FlatBuffer table at byte {offset} has a damaged field list"))
        raw = buffer.at(vtable, size)
        self.slots: tuple[int, ...] = unpack_from(f"<{size // 2 - 2}H", raw, 4)

    def place(self, field: int) -> int:
        """Where the field's inline value is; 0 when it is not there."""
        slot = self.slots[field] if field < len(self.slots) else 0
        return self.offset + slot if slot else 0

    def number(self, field: int, code: str, default: int = 0) -> int:
        place = self.place(field)
        return self.buffer.number(code, place) if place else default

    def follow(self, field: int) -> int:
        """The place that the field's offset points to; 0 when it is not there."""
        place = self.place(field)
        return place + self.buffer.number("I", place) if place else 0

    def table(self, field: int) -> "Table | None":
        place = self.follow(field)
        return Table(self.buffer, place) if place else None

    def vector(self, field: int, itemsize: int) -> tuple[int, int]:
        """(offset of the first item, count); (0, 0) when it is not there. All items lie within the file."""
        place = self.follow(field)
        if not place:
            return 0, 0
        count = self.buffer.number("I", place)
        if place + 4 + count * itemsize > self.buffer.blob.size:
            raise BadFile(self.buffer.blob.truncated(place + 4, count * itemsize))
        return place + 4, count

    def numbers(self, field: int, code: str) -> tuple[int, ...]:
        size = SIZES[code]
        offset, count = self.vector(field, size)
        if count > LIMIT_VECTOR:
            raise BadFile(Problem("GM005", f"a vector of {count} numbers in the FlatBuffer"))
        return unpack_from(f"<{count}{code}", self.buffer.blob.read(offset, count * size)) if count else ()

    def tables(self, field: int) -> list["Table"]:
        offset, count = self.vector(field, 4)
        if count > LIMIT_VECTOR:
            raise BadFile(Problem("GM005", f"a vector of {count} tables in the FlatBuffer"))
        places = (offset + 4 * index for index in range(count))
        return [Table(self.buffer, place + self.buffer.number("I", place)) for place in places]

    def text(self, field: int) -> str:
        offset, count = self.vector(field, 1)
        if count > 1 << 20:
            raise BadFile(Problem("GM005", f"a text of {count} bytes in the FlatBuffer"))
        return self.buffer.blob.read(offset, count).decode("utf-8", "backslashreplace") if count else ""

    def raw(self, skip: tuple[int, ...] = ()) -> bytes:
        """The inline values of a table of numbers: field id and bytes up to the next field, in order of their ids."""
        places = sorted(slot for slot in self.slots if slot)
        parts: list[bytes] = []
        for field, slot in enumerate(self.slots):
            if slot and field not in skip:
                after = next((place for place in places if place > slot), slot + 8)
                value = self.buffer.at(
                    self.offset + slot, min(after - slot, 8, self.buffer.blob.size - self.offset - slot)
                )
                parts.append(b"%d=%s" % (field, value.rstrip(b"\0").hex().encode()))
        return b" ".join(parts)
