"""Dynamic symbols of an ELF file with their versions: what it defines and what it expects of which library.

Layout: gABI "Symbol Table"; GNU hash and symbol versions as in the Linux Standard Base, "Symbol Versioning"
(refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from gitops_model.errors import BadFile, Problem
from gitops_model.gpu.elf import (
    DT_GNU_HASH,
    DT_HASH,
    DT_STRSZ,
    DT_STRTAB,
    DT_SYMTAB,
    DT_VERDEF,
    DT_VERNEED,
    DT_VERSYM,
    SHT_DYNSYM,
    Dynamic,
    Elf,
    file_offset,
)
from gitops_model.gpu.part import Bytes, truncated

MAX_SYMBOLS = 1 << 22
MAX_STRINGS = 1 << 28
MAX_VERSIONS = 1 << 15
"""A version index has 15 bits."""
MAX_NAME = 1 << 16
CHUNK = 1 << 12
"""Symbols read at a time."""

_SYMBOL = struct.Struct("<IBBHQQ")
_VERNEED = struct.Struct("<HHIII")
_VERNAUX = struct.Struct("<IHHII")
_VERDEF = struct.Struct("<HHHHIII")
_GNU_HASH = struct.Struct("<IIII")

_WEAK, _LOCAL = 2, 0
_VER_FLG_WEAK = 2


class Symbol(NamedTuple):
    """`version` is None for an unversioned symbol. `library` is the soname that an undefined one names, if it does."""

    name: str
    version: str | None
    library: str | None
    defined: bool
    weak: bool


class NeededVersion(NamedTuple):
    """The file wants `library` to have `version`; the loader refuses to start when it lacks one that is not weak."""

    library: str
    version: str
    weak: bool


class Versions(NamedTuple):
    """Version index → what it stands for."""

    needed: dict[int, NeededVersion]
    defined: dict[int, str]


def read_versions(file: Bytes, elf: Elf, dynamic: Dynamic) -> Versions:
    strings = _Strings(file, elf, dynamic)
    needed: dict[int, NeededVersion] = {}
    defined: dict[int, str] = {}
    if DT_VERNEED in dynamic.tags:
        at = file_offset(elf, dynamic.tags[DT_VERNEED], _VERNEED.size)
        while True:
            _version, count, library, first, following = _unpack(file, _VERNEED, at)
            entry = at + first
            for _ in range(count):
                _hash, flags, index, name, step = _unpack(file, _VERNAUX, entry)
                if len(needed) >= MAX_VERSIONS or index & 0x7FFF in needed:
                    raise BadFile(Problem("GM002", "the table of needed symbol versions repeats itself"))
                needed[index & 0x7FFF] = NeededVersion(
                    strings.at(library), strings.at(name), bool(flags & _VER_FLG_WEAK)
                )
                if not step:
                    break
                entry += step
            if not following:
                break
            at += following
    if DT_VERDEF in dynamic.tags:
        at = file_offset(elf, dynamic.tags[DT_VERDEF], _VERDEF.size)
        while True:
            _version, _flags, index, _count, _hash, first, following = _unpack(file, _VERDEF, at)
            name = struct.unpack("<I", _exactly(file, at + first, 4))[0]
            if index & 0x7FFF in defined:
                raise BadFile(Problem("GM002", "the table of defined symbol versions repeats itself"))
            defined[index & 0x7FFF] = strings.at(name)
            if not following:
                break
            at += following
    return Versions(needed, defined)


def read_symbols(file: Bytes, elf: Elf, dynamic: Dynamic) -> Iterator[Symbol]:
    """Every global or weak dynamic symbol, in the order of the file."""
    if DT_SYMTAB not in dynamic.tags:
        return
    count = _count(file, elf, dynamic)
    if count > MAX_SYMBOLS:
        raise BadFile(Problem("GM005", "too many dynamic symbols", expected=f"at most {MAX_SYMBOLS}", found=str(count)))
    strings = _Strings(file, elf, dynamic)
    versions = read_versions(file, elf, dynamic)
    table = file_offset(elf, dynamic.tags[DT_SYMTAB], count * _SYMBOL.size)
    indices = file_offset(elf, dynamic.tags[DT_VERSYM], count * 2) if DT_VERSYM in dynamic.tags else None
    for start in range(0, count, CHUNK):
        number = min(CHUNK, count - start)
        rows = _SYMBOL.iter_unpack(_exactly(file, table + start * _SYMBOL.size, number * _SYMBOL.size))
        if indices is None:
            index_row: tuple[int, ...] = (1,) * number
        else:
            index_row = struct.unpack(f"<{number}H", _exactly(file, indices + start * 2, number * 2))
        for (name, info, _other, section, _value, _size), versym in zip(rows, index_row, strict=True):
            binding = info >> 4
            if not name or binding == _LOCAL:
                continue
            index = versym & 0x7FFF
            if section:
                version, library = versions.defined.get(index) if index > 1 else None, None
            else:
                want = versions.needed.get(index)
                version, library = (want.version, want.library) if want else (None, None)
            yield Symbol(strings.at(name), version, library, bool(section), binding == _WEAK)


def _count(file: Bytes, elf: Elf, dynamic: Dynamic) -> int:
    """How many dynamic symbols there are: the dynamic section does not say, so the hash tables must (as in glibc).

    GNU ld writes an empty GNU hash with a first symbol of 1 even when undefined symbols follow: the section table,
    where there is one, can only add.
    """
    tags = dynamic.tags
    count = next(
        (
            section.size // _SYMBOL.size
            for section in elf.sections
            if section.type == SHT_DYNSYM and section.address == tags[DT_SYMTAB]
        ),
        0,
    )
    if DT_HASH in tags:
        at = file_offset(elf, tags[DT_HASH], 8)
        return max(count, struct.unpack("<II", _exactly(file, at, 8))[1])
    if DT_GNU_HASH not in tags:
        return count
    at = file_offset(elf, tags[DT_GNU_HASH], _GNU_HASH.size)
    buckets, first, bloom, _shift = _unpack(file, _GNU_HASH, at)
    if buckets > MAX_SYMBOLS:
        raise BadFile(Problem("GM005", "too many hash buckets", expected=f"at most {MAX_SYMBOLS}", found=str(buckets)))
    at += _GNU_HASH.size + bloom * 8
    last = max(struct.unpack(f"<{buckets}I", _exactly(file, at, buckets * 4)), default=0)
    if last < first:
        return max(count, first)
    at += buckets * 4 + (last - first) * 4
    while last < MAX_SYMBOLS:
        length = min(4 * CHUNK, file.size - at) & ~3
        if length <= 0:
            break
        block = _exactly(file, at, length)
        for (value,) in struct.iter_unpack("<I", block):
            last += 1
            if value & 1:
                return max(count, last)
        at += len(block)
    raise BadFile(Problem("GM002", "the last chain of the GNU hash table has no end"))


class _Strings:
    """The dynamic strings. The total of what is handed out is bounded: a table can be named a million times."""

    def __init__(self, file: Bytes, elf: Elf, dynamic: Dynamic) -> None:
        size = dynamic.tags.get(DT_STRSZ, 0)
        if size > MAX_STRINGS:
            raise BadFile(
                Problem("GM005", "too many bytes of names", expected=f"at most {MAX_STRINGS}", found=str(size))
            )
        start = file_offset(elf, dynamic.tags.get(DT_STRTAB, 0), size)
        self._data = _exactly(file, start, size)
        self._budget = 8 * size + 4096

    def at(self, offset: int) -> str:
        end = self._data.find(b"\0", offset, offset + MAX_NAME)
        if end < 0 or offset >= len(self._data):
            raise BadFile(Problem("GM002", "the name of a symbol or version does not end"))
        self._budget -= end - offset
        if self._budget < 0:
            raise BadFile(Problem("GM005", "the names of the symbols are longer than their table allows"))
        return self._data[offset:end].decode("utf-8", "backslashreplace")


def _unpack(file: Bytes, layout: struct.Struct, offset: int) -> tuple[int, ...]:
    return layout.unpack(_exactly(file, offset, layout.size))


def _exactly(file: Bytes, offset: int, length: int) -> bytes:
    if offset + length > file.size:
        raise BadFile(truncated(file, offset, length))
    return file.read(offset, length)
