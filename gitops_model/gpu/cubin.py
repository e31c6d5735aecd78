"""Device code that stands alone: a cubin (an ELF file for EM_CUDA) and PTX text.

A cubin keeps its architecture in e_flags. Up to CUDA 12.x that is bits 7:0 with 0x800 for an `a` target (OSABI 0x33);
for sm_100 and newer since 12.8, and for all since 13.0, it is bits 15:8 (OSABI 0x41), where 12.8 and 12.9 say `a` as
0x8 and 13.x in the section `.nv.compat`. The older layout holds the toolkit in e_version; the newer one has the note
`.note.nv.tkinfo` with the command line. Constants: llvm/include/llvm/BinaryFormat/ELF.h; the rest measured on ptxas
11.7 to 13.5 (2026-11-23). A cubin for a family target (`sm_100f`) says plain `sm_100` everywhere but in the command
line of that note.
"""

import re
import struct
from typing import NamedTuple

from gitops_model.errors import BadFile, Problem
from gitops_model.gpu.elf import EM_CUDA, MAGIC, SHT_NOTE, Section, read_elf, read_notes, read_section
from gitops_model.gpu.part import Bytes

HEADER = 52
"""Bytes of a cubin that `read_target` needs."""
OSABI_OLD, OSABI_NEW = 0x33, 0x41
COMPAT_SECTION, TOOL_SECTION = ".nv.compat", ".note.nv.tkinfo"
PTX_HEAD = 1 << 16
"""How far into a PTX text its `.version` and `.target` are looked for; only comments may stand before them."""

_SHORT, _ARCH_SPECIFIC = 2, 9
"""A record of `.nv.compat`: format 2 (one value byte), tag 9 (1 = `a` target)."""


class Target(NamedTuple):
    """`arch` as in `sm_90a`: number and suffix. `toolkit` as "13.0", None where the bytes at hand do not say."""

    arch: int
    suffix: str
    toolkit: str | None


class Ptx(NamedTuple):
    arch: int
    suffix: str
    isa: str


def read_target(head: bytes) -> Target:
    """The target of a cubin by its first `HEADER` bytes; GM002 when they are no cubin's.

    For the newer layout the suffix and toolkit are elsewhere (`read_cubin`).
    """
    if len(head) < HEADER or head[:6] != MAGIC + b"\x02\x01":
        raise BadFile(Problem("GM002", "this is no cubin: it has no 64-bit ELF header"))
    machine, version = struct.unpack_from("<HI", head, 18)
    (flags,) = struct.unpack_from("<I", head, 48)
    if machine != EM_CUDA:
        raise BadFile(Problem("GM002", f"this is no cubin: the ELF header is for machine {machine}", expected="190"))
    if head[7] == OSABI_OLD:
        return Target(flags & 0xFF, "a" if flags & 0x800 else "", f"{version // 10}.{version % 10}")
    if head[7] == OSABI_NEW:
        return Target(flags >> 8 & 0xFF, "a" if flags & 0x8 else "", None)
    raise BadFile(Problem("GM009", f"the cubin is of an unknown kind (OSABI {head[7]:#x})"))


def is_cubin(head: bytes) -> bool:
    return len(head) >= 20 and head[:4] == MAGIC and struct.unpack_from("<H", head, 18)[0] == EM_CUDA


def read_cubin(file: Bytes) -> Target:
    """The target of a whole cubin, with what its sections say."""
    target = read_target(file.read(0, min(HEADER, file.size)))
    if target.toolkit is not None:
        return target
    suffix, toolkit = target.suffix, None
    for section in read_elf(file).sections:
        if section.name == COMPAT_SECTION and not suffix:
            suffix = "a" if _is_arch_specific(read_section(file, section, 1 << 16)) else ""
        elif section.name == TOOL_SECTION and section.type == SHT_NOTE:
            toolkit, family = _tool(file, section)
            suffix = suffix or family
    return Target(target.arch, suffix, toolkit)


def _is_arch_specific(records: bytes) -> bool:
    """Whether `.nv.compat` has the record 02 09 with value 1.

    Formats 2 and 3 hold their value in the record's two last bytes; format 4 is followed by as many bytes as they say.
    """
    at = 0
    while at + 4 <= len(records):
        form, tag, value = struct.unpack_from("<BBH", records, at)
        if form == _SHORT and tag == _ARCH_SPECIFIC:
            return value & 0xFF == 1
        at += 4 + (value if form == 4 else 0)
    return False


def _tool(file: Bytes, section: Section) -> tuple[str | None, str]:
    """The toolkit's version and "f" for a family target, from the tool's own version line and command line."""
    for note in read_notes(file, section):
        text = note.description
        release = re.search(rb"release (\d{1,3}\.\d{1,3}), V", text)
        family = re.search(rb"-arch[ =]sm_\d{1,4}f\b", text)
        return (release[1].decode() if release else None), ("f" if family else "")
    return None, ""


# --- PTX -----------------------------------------------------------------------------------------------------------
_COMMENT = re.compile(rb"\s+|//[^\n]*(?:\n|\Z)|/\*(?:[^*]|\*(?!/))*\*/")
_VERSION = re.compile(rb"\.version[ \t]+(\d{1,3}\.\d{1,3})\b")
_TARGET = re.compile(rb"\.target[ \t]+(?:sm|compute)_(\d{1,4})([af]?)\b")


def looks_like_ptx(head: bytes) -> bool:
    """Whether a text begins, after comments, with the `.version` directive that every PTX module must start with."""
    return _VERSION.match(head, _after_comments(head, 0)) is not None


def read_ptx(file: Bytes) -> Ptx:
    """The target of a PTX text: its first two directives (PTX ISA, "Source Format": `.version`, then `.target`)."""
    head = file.read(0, min(PTX_HEAD, file.size))
    version = _VERSION.match(head, _after_comments(head, 0))
    if version is None:
        raise BadFile(Problem("GM002", "this is no PTX: it does not start with .version"))
    target = _TARGET.match(head, _after_comments(head, version.end()))
    if target is None:
        raise BadFile(Problem("GM002", "the PTX has no .target behind its .version"))
    return Ptx(int(target[1]), target[2].decode(), version[1].decode())


def _after_comments(text: bytes, at: int) -> int:
    while (match := _COMMENT.match(text, at)) is not None:
        at = match.end()
    return at
