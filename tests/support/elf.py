"""Writes small shared libraries byte by byte: what a test needs to say about NEEDED, symbols, versions and notes."""

import struct
from typing import NamedTuple


class Sym(NamedTuple):
    """`library` is the soname that an undefined symbol names; a symbol without it and `defined` False is loose."""

    name: str
    version: str | None = None
    library: str | None = None
    defined: bool = False
    weak: bool = False


class _Strings:
    def __init__(self) -> None:
        self.data = b"\0"

    def __call__(self, text: str | None) -> int:
        at = len(self.data)
        self.data += (text or "").encode() + b"\0"
        return at


def library(
    soname: str | None = None,
    *,
    needed: tuple[str, ...] = (),
    rpath: str | None = None,
    runpath: str | None = None,
    symbols: tuple[Sym, ...] = (),
    hashed: str = "sysv",
    notes: tuple[tuple[str, bytes, int, bytes], ...] = (),
    sections: tuple[tuple[str, bytes], ...] = (),
    machine: int = 62,
) -> bytes:
    """`hashed`: sysv, gnu or none; `notes`: (section, owner, type, description); `sections`: further (name, bytes)."""
    strings = _Strings()
    rows = [(1, strings(name)) for name in needed]
    rows += [(tag, strings(text)) for tag, text in ((14, soname), (15, rpath), (29, runpath)) if text is not None]
    ordered = [symbol for symbol in symbols if not symbol.defined] + [symbol for symbol in symbols if symbol.defined]

    index = 2
    defined: dict[str, int] = {}
    wanted: dict[tuple[str, str], int] = {}
    for symbol in ordered:
        if symbol.version is None:
            continue
        if symbol.defined:
            if symbol.version not in defined:
                defined[symbol.version] = index
                index += 1
        elif (str(symbol.library), symbol.version) not in wanted:
            wanted[str(symbol.library), symbol.version] = index
            index += 1

    table, versym = bytes(24), struct.pack("<H", 0)
    for symbol in ordered:
        info = (2 if symbol.weak else 1) << 4 | 2
        table += struct.pack("<IBBHQQ", strings(symbol.name), info, 0, 1 if symbol.defined else 0, 0x1000, 0)
        number = 1
        if symbol.version is not None:
            number = defined[symbol.version] if symbol.defined else wanted[str(symbol.library), symbol.version]
        versym += struct.pack("<H", number)
    count = len(ordered) + 1

    parts: list[tuple[int, bytes]] = [(6, table), (0x6FFFFFF0, versym)]
    if wanted:
        parts.append((0x6FFFFFFE, _verneed(wanted, strings)))
    if defined:
        parts.append((0x6FFFFFFC, _verdef(defined, soname, strings)))
    if hashed == "sysv":
        parts.append((4, struct.pack("<IIII", 1, count, 0, 0) + bytes(4 * count)))
    elif hashed == "gnu":
        first = 1 + sum(not symbol.defined for symbol in ordered)
        chain = b"".join(struct.pack("<I", 0x10 | (at == count - 1)) for at in range(first, count))
        bucket = first if first < count else 0
        parts.append((0x6FFFFEF5, struct.pack("<IIIIQI", 1, first if first < count else 1, 1, 0, 0, bucket) + chain))
    parts.append((5, strings.data))

    at = 64 + 2 * 56
    body = b""
    for tag, data in parts:
        body += bytes(-len(body) % 8)
        rows.append((tag, at + len(body)))
        body += data
    rows += [(10, len(strings.data)), (0, 0)]
    body += bytes(-len(body) % 8)
    dynamic = at + len(body)
    body += b"".join(struct.pack("<qQ", *row) for row in rows)
    size = len(rows) * 16

    names = _Strings()
    headers = bytes(64)
    symbols_at = next(value for tag, value in rows if tag == 6)
    headers += struct.pack("<IIQQQQIIQQ", names(".dynsym"), 11, 2, symbols_at, symbols_at, len(table), 0, 0, 8, 24)
    for name, kind, data in (
        *((section, 7, _note(owner, kind, text)) for section, owner, kind, text in notes),
        *((section, 1, data) for section, data in sections),
    ):
        body += bytes(-(at + len(body)) % 8)
        headers += struct.pack("<IIQQQQIIQQ", names(name), kind, 2, 0, at + len(body), len(data), 0, 0, 4, 0)
        body += data
    own = names(".shstrtab")
    headers += struct.pack("<IIQQQQIIQQ", own, 3, 0, 0, at + len(body), len(names.data), 0, 0, 1, 0)
    body += names.data
    body += bytes(-(at + len(body)) % 8)
    end = at + len(body)
    number = len(headers) // 64
    head = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01" + bytes(9), 3, machine, 1, 0, 64, end, 0, 64, 56, 2, 64, number, number - 1,
    )  # fmt: skip
    segments = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, end, end, 4096)
    segments += struct.pack("<IIQQQQQQ", 2, 6, dynamic, dynamic, dynamic, size, size, 8)
    return head + segments + body + headers


def _verneed(wanted: dict[tuple[str, str], int], strings: _Strings) -> bytes:
    files = list(dict.fromkeys(library for library, _ in wanted))
    data = b""
    for library in files:
        versions = [(version, index) for (name, version), index in wanted.items() if name == library]
        last = library == files[-1]
        step = 16 + 16 * len(versions)
        data += struct.pack("<HHIII", 1, len(versions), strings(library), 16, 0 if last else step)
        for version, index in versions:
            data += struct.pack("<IHHII", 0, 0, index, strings(version), 0 if version == versions[-1][0] else 16)
    return data


def _verdef(defined: dict[str, int], soname: str | None, strings: _Strings) -> bytes:
    data = struct.pack("<HHHHIII", 1, 1, 1, 1, 0, 20, 28) + struct.pack("<II", strings(soname or "base"), 0)
    for version, index in defined.items():
        last = version == list(defined)[-1]
        data += struct.pack("<HHHHIII", 1, 0, index, 1, 0, 20, 0 if last else 28)
        data += struct.pack("<II", strings(version), 0)
    return data


def _note(owner: bytes, kind: int, description: bytes) -> bytes:
    name = owner + b"\0"
    data = struct.pack("<III", len(name), len(description), kind) + name + bytes(-len(name) % 4)
    return data + description + bytes(-len(description) % 4)
