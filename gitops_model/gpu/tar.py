"""A tar archive as a tree of its regular files: an index of where they lie, nothing extracted, no link followed.

Layout: POSIX pax interchange format (IEEE Std 1003.1, `pax`) and GNU long names. An archive that names a file twice is
refused, since two readers would not agree on which one counts.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from gitops_model.errors import BadFile, Problem
from gitops_model.gpu.part import Bytes, Part, truncated

BLOCK = 512
MAX_MEMBERS = 1 << 16
MAX_HEADER = 1 << 20
"""Bytes of one extended header; real ones hold a path."""

_REGULAR, _LINKS = (b"0", b"\0", b"7"), (b"1", b"2")


class Member(NamedTuple):
    name: str
    offset: int
    size: int


class Link(NamedTuple):
    """A symbolic link, or a hard link (then the target is a path of the archive)."""

    name: str
    target: str
    hard: bool


class Tar:
    """The regular files of an archive by their paths (`gitops_model.gpu.tree.Tree`)."""

    def __init__(self, file: Bytes) -> None:
        self._file = file
        self._members: dict[str, Member] = {}
        for member in members(file):
            if isinstance(member, Link):
                continue
            if member.name in self._members:
                raise BadFile(Problem("GM002", f"the archive holds {member.name} twice"))
            self._members[member.name] = member

    def open(self, path: str) -> Part | None:
        member = self._members.get(path)
        return None if member is None else Part(self._file, member.offset, member.size, path)

    def names(self, path: str) -> tuple[str, ...]:
        prefix = f"{path}/" if path else ""
        return tuple(sorted({name[len(prefix) :].split("/")[0] for name in self._members if name.startswith(prefix)}))


def is_tar(head: bytes) -> bool:
    return len(head) >= BLOCK and head[257:262] == b"ustar" and _sum_fits(head[:BLOCK])


def members(file: Bytes, limit: int | None = None) -> Iterator[Member | Link]:
    """Regular files and links in the order of the archive; directories and devices are passed over."""
    limit = MAX_MEMBERS if limit is None else limit
    at, headers = 0, 0
    long_name: str | None = None
    long_link: str | None = None
    pax: dict[str, str] = {}
    while True:
        if at == file.size and headers:
            return  # no closing blocks: tolerated, as by every tar
        if at + BLOCK > file.size:
            raise BadFile(truncated(file, at, BLOCK))
        head = file.read(at, BLOCK)
        if not any(head):
            return
        headers += 1
        if headers > limit:
            raise BadFile(Problem("GM005", "too many files in the archive", expected=f"at most {limit}"))
        if not _sum_fits(head):
            raise BadFile(Problem("GM002", f"the archive has a broken header at byte {at}"))
        kind = head[156:157]
        size = _size(head, pax if kind in _REGULAR else {}, at)
        if at + BLOCK + size > file.size:
            raise BadFile(truncated(file, at + BLOCK, size))
        data = at + BLOCK
        at = data + size + -size % BLOCK
        if kind in (b"L", b"x", b"g", b"K"):
            if size > MAX_HEADER:
                raise BadFile(Problem("GM005", "an extended header of the archive is too large"))
            if kind in (b"L", b"K"):
                text = _text(file.read(data, size))
                long_name, long_link = (text, long_link) if kind == b"L" else (long_name, text)
            elif kind == b"x":
                pax = _records(file.read(data, size), data)
            continue
        if kind in _REGULAR:
            yield Member(_inside(pax.get("path") or long_name or _name(head)), data, size)
        elif kind in _LINKS:
            target = pax.get("linkpath") or long_link or _text(head[157:257])
            yield Link(_inside(pax.get("path") or long_name or _name(head)), target, kind == b"1")
        long_name, long_link, pax = None, None, {}


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _size(head: bytes, pax: dict[str, str], at: int) -> int:
    size = _number(head[124:136])
    if "size" in pax:
        size = int(pax["size"]) if re.fullmatch(r"[0-9]{1,19}", pax["size"]) else -1
    if size < 0:
        raise BadFile(_broken(at))
    return size


def _inside(name: str) -> str:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or not parts:
        raise BadFile(Problem("GM002", f"the archive holds a file under the path {name!r}"))
    return "/".join(parts)


def _sum_fits(head: bytes) -> bool:
    """The header's checksum: the sum of its bytes with the field itself as spaces; old writers summed signed chars."""
    told = _number(head[148:156])
    plain = sum(head) - sum(head[148:156]) + 8 * 32
    return told in (plain, plain - 256 * sum(byte > 127 for byte in head[:148] + head[156:]))


def _number(field: bytes) -> int:
    """Octal digits, or GNU's base 256 with the top bit set; -1 when it is neither."""
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big") if field[0] == 0x80 else -1
    digits = field.strip(b"\0 ")
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        return -1


def _name(head: bytes) -> str:
    name = head[:100].split(b"\0", 1)[0]
    prefix = head[345:500].split(b"\0", 1)[0] if head[257:263] == b"ustar\0" else b""
    return (prefix + b"/" + name if prefix else name).decode("utf-8", "surrogateescape")


def _records(data: bytes, at: int) -> dict[str, str]:
    """Pax records: `LENGTH KEY=VALUE\\n`, the length counting the whole record."""
    found: dict[str, str] = {}
    place = 0
    while place < len(data):
        space = data.find(b" ", place, place + 12)
        length = data[place:space]
        if space < 0 or not length.isdigit() or not space < place + int(length) <= len(data):
            raise BadFile(_broken(at))
        end = place + int(length)
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        if not equals or data[end - 1 : end] != b"\n":
            raise BadFile(_broken(at))
        found[key.decode("utf-8", "surrogateescape")] = value.decode("utf-8", "surrogateescape")
        place = end
    return found


def _broken(at: int) -> Problem:
    return Problem("GM002", f"the archive has a broken header near byte {at}")
