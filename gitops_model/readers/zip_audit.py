"""What makes a zip archive dangerous or damaged beyond its directory: overlaps, bombs, wrong contents (GM606).

Reads every byte of the archive once, so it is for `check`, not for `show` or `record`.
"""

from collections.abc import Iterator
from zlib import crc32, decompressobj, error

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Span
from gitops_model.readers.zip import DEFLATED, STORED, Archive, Entry, trick

LARGEST_RATIO = 200
"""Deflate cannot do better than 1032:1; weights never come near this."""

FREE = 64 * 1024 * 1024
"""Bytes that an entry may inflate to whatever its ratio."""

MOST = 20


def audit(archive: Archive) -> list[Problem]:
    """At most MOST problems; the first ones in the order of the directory."""
    found: list[Problem] = []
    for problem in problems(archive):
        found.append(problem)
        if len(found) == MOST:
            break
    return found


def problems(archive: Archive) -> Iterator[Problem]:
    end, before = 0, ""
    for entry in sorted(archive.all, key=lambda item: item.offset):
        if entry.encrypted or entry.method not in (STORED, DEFLATED):
            continue
        try:
            span = archive.place(entry)
        except BadFile as bad:
            yield bad.problem
            continue
        if archive.start + entry.offset < end:
            yield trick(f"entries {before!r} and {entry.name!r} share bytes of the file")
            continue
        end, before = span.offset + span.length, entry.name
        if entry.method == DEFLATED and entry.size > FREE and entry.size > LARGEST_RATIO * max(1, entry.packed):
            yield trick(f"entry {entry.name!r} would inflate from {entry.packed} to {entry.size} bytes: a bomb")
            continue
        yield from content(archive, entry, span)


def content(archive: Archive, entry: Entry, span: Span) -> Iterator[Problem]:
    """Size and CRC-32 of what the entry really holds."""
    crc, size = 0, 0
    inflater = decompressobj(-15) if entry.method == DEFLATED else None
    try:
        for window in archive.blob.windows(span.offset, span.length):
            if inflater is None:
                crc, size = crc32(window, crc), size + len(window)
                continue
            piece: bytes | bytearray | memoryview = window
            while piece:
                out = inflater.decompress(piece, 1 << 20)
                crc, size = crc32(out, crc), size + len(out)
                if size > entry.size:
                    yield trick(f"entry {entry.name!r} inflates to more than the {entry.size} bytes it claims")
                    return
                piece = inflater.unconsumed_tail
    except error:
        yield trick(f"entry {entry.name!r} is no valid deflate stream")
        return
    if size != entry.size:
        yield trick(f"entry {entry.name!r} holds {size} bytes, the directory says {entry.size}")
    elif crc != entry.crc:
        yield Problem(
            "GM606",
            f"entry {entry.name!r} does not match its checksum: the file was damaged or changed",
            expected=f"CRC-32 {entry.crc:08x}",
            found=f"CRC-32 {crc:08x}",
        )
