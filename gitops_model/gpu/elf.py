"""ELF64 little endian, as far as a compatibility verdict needs it: headers, sections, the dynamic section, notes.

Layout: System V gABI chapter 4 and 5 (refspecs.linuxfoundation.org/elf/gabi4+), notes as in elf(5). Symbols and their
versions are in `symbols.py`. No count, offset or string of the file is trusted: what does not fit is GM001, what
contradicts itself GM002, what is larger than any real file GM005, another kind of ELF GM009. Every step is linear in
what it reads, and what it reads is capped.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from gitops_model.errors import BadFile, Problem
from gitops_model.gpu.part import Bytes, truncated

MAGIC = b"\x7fELF"
EM_CUDA = 190
EM_NAMES = {62: "x86_64", 183: "aarch64", EM_CUDA: "cuda"}
ET_REL, ET_EXEC, ET_DYN = 1, 2, 3

SHT_PROGBITS, SHT_NOTE, SHT_NOBITS, SHT_DYNSYM = 1, 7, 8, 11
SHF_ALLOC, SHF_EXECINSTR = 2, 4
PT_LOAD, PT_DYNAMIC = 1, 2

MAX_SECTIONS = 1 << 16
MAX_SEGMENTS = 1 << 10
MAX_DYNAMIC = 1 << 12
MAX_NAMES = 1 << 24
"""Bytes of the table of section names; a cubin with thousands of kernels has a few MiB."""
MAX_SECTION_NAME = 4096
MAX_STRING = 4096
"""Bytes of a path or soname (PATH_MAX)."""
MAX_NOTES = 1 << 20

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_DYNAMIC = struct.Struct("<qQ")
_NOTE = struct.Struct("<III")


class Section(NamedTuple):
    """One row of the section table; `offset` and `size` are not checked against the file (a NOBITS has no bytes)."""

    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int


class Segment(NamedTuple):
    """One row of the program header table."""

    type: int
    offset: int
    address: int
    size: int


class Elf(NamedTuple):
    """The headers of an ELF64 file. `machine` is e_machine (62 x86_64, 183 aarch64, 190 CUDA)."""

    type: int
    machine: int
    osabi: int
    abi_version: int
    version: int
    flags: int
    sections: tuple[Section, ...]
    segments: tuple[Segment, ...]

    def section(self, name: str) -> Section | None:
        return next((section for section in self.sections if section.name == name), None)


class Dynamic(NamedTuple):
    """What the dynamic section says. `tags` are the entries that hold a number or an address, the first of each."""

    soname: str | None
    needed: tuple[str, ...]
    rpath: tuple[str, ...]
    runpath: tuple[str, ...]
    tags: dict[int, int]


class Note(NamedTuple):
    name: bytes
    type: int
    description: bytes


def is_elf(file: Bytes) -> bool:
    return file.size >= 4 and file.read(0, 4) == MAGIC


def read_elf(file: Bytes) -> Elf:
    """Read the header, the section table and the program headers."""
    if not is_elf(file):
        raise BadFile(Problem("GM009", "this is not an ELF file"))
    if file.size < _HEADER.size:
        raise BadFile(truncated(file, 0, _HEADER.size))
    (
        ident,
        kind,
        machine,
        version,
        _entry,
        phoff,
        shoff,
        flags,
        _ehsize,
        phentsize,
        phnum,
        shentsize,
        shnum,
        strndx,
    ) = _HEADER.unpack(file.read(0, _HEADER.size))
    if ident[4] != 2 or ident[5] != 1:
        width = {1: "32-bit", 2: "64-bit"}.get(ident[4], "of an unknown class")
        order = {1: "little endian", 2: "big endian"}.get(ident[5], "of an unknown byte order")
        raise BadFile(Problem("GM009", f"this is an ELF file, {width} and {order}", expected="64-bit, little endian"))
    sections = _sections(file, shoff, shentsize, shnum, strndx) if shoff else ()
    segments = _segments(file, phoff, phentsize, phnum) if phoff and phnum else ()
    return Elf(kind, machine, ident[7], ident[8], version, flags, sections, segments)


def _sections(file: Bytes, offset: int, entry: int, count: int, names_index: int) -> tuple[Section, ...]:
    if entry != _SECTION.size:
        raise BadFile(
            Problem("GM002", "the section table has rows of a wrong size", expected="64 bytes", found=f"{entry} bytes")
        )
    # More sections than a u16 can count: the true numbers are in row 0 (gABI, "Sections").
    first = _SECTION.unpack(_exactly(file, offset, _SECTION.size))
    count = count or first[5]
    names_index = first[6] if names_index == 0xFFFF else names_index
    if count > MAX_SECTIONS:
        raise BadFile(_limit("sections", MAX_SECTIONS, count))
    rows = list(_SECTION.iter_unpack(_exactly(file, offset, count * _SECTION.size)))
    names = b""
    if names_index:
        if names_index >= count:
            raise BadFile(Problem("GM002", f"the section of names is number {names_index} of {count}"))
        if rows[names_index][5] > MAX_NAMES:
            raise BadFile(_limit("bytes of section names", MAX_NAMES, rows[names_index][5]))
        names = _exactly(file, rows[names_index][4], rows[names_index][5])
    return tuple(
        Section(_name(names, row[0]), row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8]) for row in rows
    )


def _segments(file: Bytes, offset: int, entry: int, count: int) -> tuple[Segment, ...]:
    if entry != _SEGMENT.size:
        raise BadFile(
            Problem("GM002", "the program headers have a wrong size", expected="56 bytes", found=f"{entry} bytes")
        )
    if count > MAX_SEGMENTS:
        raise BadFile(_limit("program headers", MAX_SEGMENTS, count))
    rows = _SEGMENT.iter_unpack(_exactly(file, offset, count * _SEGMENT.size))
    return tuple(Segment(row[0], row[2], row[3], row[5]) for row in rows)


def _name(table: bytes, offset: int) -> str:
    """A name of a table; one that is not ended or too long is cut, since no rule looks for such a name."""
    return table[offset : offset + MAX_SECTION_NAME].split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def read_section(file: Bytes, section: Section, limit: int) -> bytes:
    """The bytes of a section of at most `limit` bytes (GM005)."""
    if section.type == SHT_NOBITS:
        return b""
    if section.size > limit:
        raise BadFile(_limit(f"bytes in section {section.name}", limit, section.size))
    return _exactly(file, section.offset, section.size)


def file_offset(elf: Elf, address: int, length: int) -> int:
    """Where the bytes of a virtual address are in the file (GM002 when no loadable segment holds them)."""
    for segment in elf.segments:
        if (
            segment.type == PT_LOAD
            and segment.address <= address
            and address + length <= segment.address + segment.size
        ):
            return segment.offset + address - segment.address
    raise BadFile(Problem("GM002", f"no loadable segment holds {length} bytes at address {address:#x}"))


# --- the dynamic section -------------------------------------------------------------------------------------------
DT_NEEDED, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_SONAME, DT_RPATH, DT_RUNPATH = 1, 4, 5, 6, 10, 14, 15, 29
DT_GNU_HASH, DT_VERSYM, DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM = (
    0x6FFFFEF5,
    0x6FFFFFF0,
    0x6FFFFFFC,
    0x6FFFFFFD,
    0x6FFFFFFE,
    0x6FFFFFFF,
)


def read_dynamic(file: Bytes, elf: Elf) -> Dynamic | None:
    """The dynamic section as the loader finds it (program header PT_DYNAMIC), or None for a file without one."""
    segment = next((segment for segment in elf.segments if segment.type == PT_DYNAMIC), None)
    if segment is None:
        return None
    if segment.size > MAX_DYNAMIC * _DYNAMIC.size:
        raise BadFile(_limit("dynamic entries", MAX_DYNAMIC, segment.size // _DYNAMIC.size))
    tags: dict[int, int] = {}
    texts: dict[int, list[int]] = {DT_NEEDED: [], DT_SONAME: [], DT_RPATH: [], DT_RUNPATH: []}
    data = _exactly(file, segment.offset, segment.size - segment.size % _DYNAMIC.size)
    for tag, value in _DYNAMIC.iter_unpack(data):
        if tag == 0:
            break
        if tag in texts:
            texts[tag].append(value)
        else:
            tags.setdefault(tag, value)
    if not any(texts.values()):
        return Dynamic(None, (), (), (), tags)
    if DT_STRTAB not in tags or DT_STRSZ not in tags:
        raise BadFile(Problem("GM002", "the dynamic section has names but no table of strings"))
    size = tags[DT_STRSZ]
    start = file_offset(elf, tags[DT_STRTAB], size)

    def string(offset: int) -> str:
        if offset >= size:
            raise BadFile(Problem("GM002", f"a dynamic string is at {offset} of {size}"))
        text = _exactly(file, start + offset, min(MAX_STRING + 1, size - offset))
        end = text.find(b"\0")
        if end < 0:
            raise BadFile(Problem("GM002", f"a dynamic string has no end within {MAX_STRING} bytes"))
        return text[:end].decode("utf-8", "backslashreplace")

    def paths(tag: int) -> tuple[str, ...]:
        return tuple(part for offset in texts[tag] for part in string(offset).split(":") if part)

    return Dynamic(
        soname=string(texts[DT_SONAME][0]) if texts[DT_SONAME] else None,
        needed=tuple(dict.fromkeys(string(offset) for offset in texts[DT_NEEDED])),
        rpath=paths(DT_RPATH),
        runpath=paths(DT_RUNPATH),
        tags=tags,
    )


# --- notes ---------------------------------------------------------------------------------------------------------
def read_notes(file: Bytes, section: Section) -> Iterator[Note]:
    """The notes of one section of type SHT_NOTE; what follows a note that does not fit is left out."""
    data = read_section(file, section, MAX_NOTES)
    step = 8 if section.alignment == 8 else 4
    at = 0
    while at + _NOTE.size <= len(data):
        name_size, size, kind = _NOTE.unpack_from(data, at)
        name_end = at + _NOTE.size + name_size
        description = name_end + -name_end % step
        if description + size > len(data):
            return
        yield Note(data[at + _NOTE.size : name_end].rstrip(b"\0"), kind, data[description : description + size])
        at = description + size + -size % step


def _exactly(file: Bytes, offset: int, length: int) -> bytes:
    if offset + length > file.size:
        raise BadFile(truncated(file, offset, length))
    return file.read(offset, length)


def _limit(what: str, limit: int, found: int) -> Problem:
    return Problem("GM005", f"too many {what}", expected=f"at most {limit}", found=str(found))
