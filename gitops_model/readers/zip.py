"""Zip archives, read for what they are: a table of entries with their places in the file.

Ours, because the standard library's reader hides what a reviewer must know (duplicate names, local headers that
disagree, encrypted entries) and gives no offsets to map. Layout after PKWARE's APPNOTE.TXT 6.3.10, sections 4.3-4.5.
Only stored (0) and deflated (8) entries are read; others are listed.
"""

from collections.abc import Iterator
from struct import unpack_from
from typing import NamedTuple

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Deflated, Span

END = b"PK\x05\x06"
END64_LOCATOR = b"PK\x06\x07"
END64 = b"PK\x06\x06"
CENTRAL = b"PK\x01\x02"
LOCAL = b"PK\x03\x04"

LIMIT_ENTRIES = 1_000_000
LIMIT_INFLATED = 256 * 1024 * 1024
"""Largest entry that is inflated into memory (a description, never weights)."""

UNKNOWN32 = 0xFFFFFFFF
ENCRYPTED = 0x1
STORED, DEFLATED = 0, 8


class Entry(NamedTuple):
    """One row of the central directory. `offset` is where the local header begins, `packed`/`size` are bytes."""

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    offset: int

    @property
    def encrypted(self) -> bool:
        return bool(self.flags & ENCRYPTED)


class Archive:
    """The entries of a zip by name, in the order of the directory; `problems` are tricks seen there (GM606)."""

    def __init__(self, blob: Blob, entries: list[Entry], start: int, directory: int) -> None:
        self.blob = blob
        self.start = start
        """Bytes in front of the first entry (a self-extracting stub); offsets in the directory count from here."""
        self.directory = directory
        self.all = entries
        self.entries: dict[str, Entry] = {}
        self.problems: list[Problem] = []
        for entry in entries:
            if entry.name in self.entries:
                self.problems.append(trick(f"two entries are named {entry.name!r}: readers differ in which they take"))
            self.entries[entry.name] = entry  # the last one wins, as in Python's zipfile and torch's miniz
            if entry.encrypted:
                self.problems.append(trick(f"entry {entry.name!r} is encrypted and cannot be checked"))
            if leaves(entry.name):
                self.problems.append(trick(f"entry {entry.name!r} would be unpacked outside its folder"))

    @classmethod
    def open(cls, blob: Blob) -> "Archive":
        """Read the directory at the end of the file. BadFile: GM001 no end record (cut short), GM002, GM005."""
        tail_at = max(0, blob.size - 65557)
        tail = blob.read(tail_at, blob.size - tail_at)
        at = tail.rfind(END)
        while at >= 0 and (at + 22 > len(tail) or at + 22 + unpack_from("<H", tail, at + 20)[0] != len(tail)):
            at = tail.rfind(END, 0, at)
        if at < 0:
            raise BadFile(
                Problem(
                    "GM001",
                    "the zip archive has no directory at its end: the file is cut short",
                    found=f"{blob.size} bytes",
                )
            )
        count, size, offset = unpack_from("<HII", tail, at + 10)
        end = tail_at + at
        count, size, offset, end = end64(blob, end, (count, size, offset))
        start = end - size - offset
        if start < 0 or offset + start + size > blob.size:
            raise BadFile(malformed("the zip directory lies outside the file"))
        if count > LIMIT_ENTRIES or count * 46 > size:
            code = "GM005" if count > LIMIT_ENTRIES else "GM002"
            raise BadFile(Problem(code, f"the zip directory claims {count} entries in {size} bytes"))
        directory = offset + start
        return cls(blob, list(rows(blob.read(directory, size), count)), start, directory)

    def place(self, entry: Entry) -> Span:
        """Where the entry's (packed) bytes are. The local header must agree with the directory: GM002 otherwise."""
        if entry.encrypted:
            raise BadFile(trick(f"entry {entry.name!r} is encrypted"))
        head_at = self.start + entry.offset
        if head_at + 30 > self.directory:
            raise BadFile(malformed(f"entry {entry.name!r} begins outside the archive"))
        # The name and what follows it in one read: most have no more in front of their content.
        head = self.blob.read(head_at, min(30 + len(entry.name), self.directory - head_at))
        if head[:4] != LOCAL:
            raise BadFile(malformed(f"entry {entry.name!r} has no local header at byte {head_at}"))
        flags, method = unpack_from("<HH", head, 6)
        name_length, extra_length = unpack_from("<HH", head, 26)
        offset = head_at + 30 + name_length + extra_length
        if offset + entry.packed > self.directory:
            raise BadFile(malformed(f"entry {entry.name!r} ends outside the archive"))
        name = head[30 : 30 + name_length]
        if len(name) != name_length:
            name = self.blob.read(head_at + 30, name_length)
        if method != entry.method or decode(name, flags) != entry.name:
            raise BadFile(trick(f"the local header of {entry.name!r} disagrees with the directory"))
        return Span(offset, entry.packed)

    def locate(self, entry: Entry, offset: int = 0, length: int | None = None) -> Span | Deflated:
        """A locator for `length` bytes at `offset` of the entry's content. GM002 when they are not all in it."""
        length = entry.size - offset if length is None else length
        if offset < 0 or length < 0 or offset + length > entry.size:
            raise BadFile(
                malformed(f"{length} bytes at {offset} are not in entry {entry.name!r} of {entry.size} bytes")
            )
        span = self.place(entry)
        if entry.method == STORED:
            if entry.packed != entry.size:
                raise BadFile(malformed(f"stored entry {entry.name!r} has two sizes: {entry.packed} and {entry.size}"))
            return Span(span.offset + offset, length)
        if entry.method == DEFLATED:
            return Deflated(span, offset, length, entry.size)
        raise BadFile(Problem("GM009", f"entry {entry.name!r} is packed by method {entry.method}, which is not read"))

    def begin(self, entry: Entry, length: int) -> bytes:
        """The first `length` bytes of the entry's content, or fewer where it is shorter."""
        where = self.locate(entry)
        length = min(length, entry.size)
        if isinstance(where, Span):
            return self.blob.read(where.offset, length)
        packed = self.blob.read(where.packed.offset, min(where.packed.length, length + 1024))
        return inflate(entry, packed, length)

    def read(self, entry: Entry, limit: int = LIMIT_INFLATED) -> bytes:
        """The entry's content in memory, at most `limit` bytes (GM005 above)."""
        if entry.size > limit:
            raise BadFile(Problem("GM005", f"entry {entry.name!r} has {entry.size} bytes, the limit is {limit}"))
        where = self.locate(entry)
        if isinstance(where, Span):
            return self.blob.read(where.offset, where.length)
        packed = self.blob.read(where.packed.offset, where.packed.length)
        content = inflate(entry, packed, entry.size + 1)
        if len(content) != entry.size:
            raise BadFile(trick(f"entry {entry.name!r} does not inflate to the {entry.size} bytes it claims"))
        return content


def inflate(entry: Entry, packed: bytes, limit: int) -> bytes:
    """At most `limit` bytes of a raw deflate stream."""
    from zlib import decompressobj, error

    try:
        return decompressobj(-15).decompress(packed, max(limit, 1))
    except error as cause:
        raise BadFile(malformed(f"entry {entry.name!r} is no valid deflate stream")) from cause


def rows(directory: bytes, count: int) -> Iterator[Entry]:
    at = 0
    size = len(directory)
    for _ in range(count):
        if at + 46 > size or directory[at : at + 4] != CENTRAL:
            raise BadFile(malformed("the zip directory is damaged"))
        flags, method, crc, packed, length = unpack_from("<8xHH4xIII", directory, at)
        name_length, extra_length, comment_length = unpack_from("<HHH", directory, at + 28)
        offset = unpack_from("<I", directory, at + 42)[0]
        name_at = at + 46
        extra_at = name_at + name_length
        at = extra_at + extra_length + comment_length
        if at > size:
            raise BadFile(malformed("the zip directory is damaged"))
        if UNKNOWN32 in (packed, length, offset):
            length, packed, offset = extra64(directory[extra_at : extra_at + extra_length], length, packed, offset)
        yield Entry(decode(directory[name_at:extra_at], flags), method, flags, crc, packed, length, offset)


def extra64(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """The 64-bit values of the zip64 extra field (id 1), which holds only those that did not fit, in this order."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = unpack_from("<HH", extra, at)
        if kind == 1:
            field = extra[at + 4 : at + 4 + length]
            values = [unpack_from("<Q", field, i)[0] for i in range(0, len(field) - 7, 8)]
            try:
                size = values.pop(0) if size == UNKNOWN32 else size
                packed = values.pop(0) if packed == UNKNOWN32 else packed
                offset = values.pop(0) if offset == UNKNOWN32 else offset
            except IndexError:
                break
            return size, packed, offset
        at += 4 + length
    raise BadFile(malformed("an entry of the zip directory lacks its 64-bit sizes"))


def end64(blob: Blob, end: int, short: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Count, size, offset and place of the zip64 end record; the short values stand where there is none.

    torch writes the record even when the short values would do.
    """
    if end < 20:
        return *short, end
    locator = blob.read(end - 20, 20)
    if locator[:4] != END64_LOCATOR:
        return *short, end
    claimed = unpack_from("<Q", locator, 8)[0]
    # The record lies directly in front of its locator, unless it has an extensible part; its own offset may count
    # from a stub in front of the archive, so the place that must match is tried first.
    for place in (end - 20 - 56, claimed):
        if 0 <= place <= end - 20 - 56:
            record = blob.read(place, 56)
            if record[:4] == END64:
                count, size, offset = unpack_from("<QQQ", record, 32)
                return count, size, offset, place
    raise BadFile(malformed("the zip64 end record is missing"))


def decode(name: bytes, flags: int) -> str:
    """UTF-8 with flag bit 11, else code page 437, as the format says; both keep different bytes apart."""
    try:
        return name.decode("utf-8" if flags & 0x800 or name.isascii() else "cp437")
    except UnicodeDecodeError:
        return name.decode("latin-1")


def leaves(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name


def malformed(message: str) -> Problem:
    return Problem("GM002", message)


def trick(message: str) -> Problem:
    return Problem("GM606", message, hint="gitops-model explain GM606")
