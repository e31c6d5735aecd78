"""The device code inside a library, object, fatbin or cubin: which images each container holds, nothing decompressed.

A host ELF file keeps containers in `.nv_fatbin` (what the runtime registers) and `__nv_relfatbin` (relocatable device
code that was already linked: not a fallback at run time). A container is a u32 0xBA55ED50, u16 version, u16 header
size, u64 size of what follows, then entries; the next container is 8-aligned. An entry says what it is in its own
header:

    +0  u16 kind (1 PTX, 2 cubin, 8 LTO-IR)   +4  u32 header size     +8  u64 padded payload
    +16 u32 compressed size                   +24 u16 minor, +26 u16 major (PTX: of the ISA)
    +28 u32 architecture                      +40 u64 flags (0x2000 LZ4, 0x8000 zstd, 0x100000 `a`, 0x200000 `f`)
    +56 u64 size before compression

NVIDIA documents only the wrapper (fatbinary_section.h); the rest was measured byte by byte on nvcc 13.0 and against
cuobjdump 13.5 (2026-11-23, 2026-11-24) and agrees with GrigoryEvko/nvopen-tools, n-eiling/cuda-fatbin-decompression
and ZLUDA. Containers and bare cubins that lie in other data sections are found by their marks and say so in `section`
(cuobjdump does not see them). Not seen: PTX kept as a string, and code that is compiled while the program runs.
"""

import re
import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from gitops_model.errors import BadFile, Problem
from gitops_model.gpu.cubin import HEADER as CUBIN_HEADER
from gitops_model.gpu.cubin import PTX_HEAD, is_cubin, looks_like_ptx, read_cubin, read_ptx, read_target
from gitops_model.gpu.elf import MAGIC as ELF_MAGIC
from gitops_model.gpu.elf import SHF_ALLOC, SHF_EXECINSTR, SHT_NOBITS, SHT_PROGBITS, is_elf, read_elf
from gitops_model.gpu.part import Bytes, Part, truncated

MAGIC = 0xBA55ED50
MAGIC_BYTES = MAGIC.to_bytes(4, "little")
SECTIONS = (".nv_fatbin", "__nv_relfatbin")
WRAPPERS = ".nvFatBinSegment"
WRAPPER_SIZE = 24
MAX_IMAGES = 1 << 19
"""Images and containers of one file; the largest library seen has 2,058 and 609."""
MAX_PROBLEMS = 16
MAX_TOOLKITS = 64
"""How many cubins of the newer layout are opened for the toolkit's version; a library is built by one or two."""
FIRST_HEADER, LAST_HEADER = 64, 1 << 16

_CONTAINER = struct.Struct("<IHHQ")
_ENTRY = struct.Struct("<HHIQIIHHI8xQ8xQ")
_KINDS = {1: "ptx", 2: "sass", 8: "ltoir"}
_COMPRESSED = 0x2000 | 0x8000
_ARCH_SPECIFIC, _FAMILY = 0x100000, 0x200000
_KEPT = SHF_ALLOC | SHF_EXECINSTR
_GAP = 4096
_BLOCK = 1 << 20
"""Bytes searched at a time for embedded code."""
_SEEN = 8
_MARK = re.compile(re.escape(MAGIC_BYTES + b"\x01\x00\x10\x00"))
_CUBIN = re.compile(re.escape(ELF_MAGIC + b"\x02\x01\x01") + b"[\x33\x41]")
"""Two searches: for a literal prefix `re` is three times as fast as `bytes.find`, for an alternation it is slow."""


class Image(NamedTuple):
    """One image: `kind` sass | ptx | ltoir, `arch` with its suffix ("90a"), the ISA of PTX, and the toolkit where the
    header of an uncompressed cubin says it (up to CUDA 12.x)."""

    kind: str
    arch: str
    ptx_isa: str | None
    toolkit: str | None


@dataclass(slots=True)
class Scan:
    """The containers of a file in their order. `problems` not empty means: there may be more than is listed here.

    `containers` maps (section, images) to how many containers have exactly these, since a library has hundreds alike.
    `toolkits` are the CUDA versions of the compilers of what the runtime registers, as far as uncompressed cubins say.
    `wrappers` counts the registrations in the file (None where it has no such section).
    """

    path: str
    containers: Counter[tuple[str, tuple[Image, ...]]] = field(default_factory=Counter[tuple[str, tuple[Image, ...]]])
    toolkits: set[str] = field(default_factory=set[str])
    wrappers: int | None = None
    problems: list[Problem] = field(default_factory=list[Problem])

    def counts(self) -> dict[tuple[str, str], int]:
        """How many images there are per (kind, arch), sorted."""
        counts: Counter[tuple[str, str]] = Counter()
        for (_, images), number in self.containers.items():
            for image in images:
                counts[image.kind, image.arch] += number
        return dict(sorted(counts.items()))

    def note(self, problem: Problem) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)


def checked(kind: str, arch: int, suffix: str, ptx_isa: str | None, toolkit: str | None = None) -> Image:
    """An image with an architecture and ISA as there are (`sm_35` to `sm_121`, ISA 1.0 to 9.5); else GM002."""
    if not 10 <= arch <= 999 or (ptx_isa is not None and not re.fullmatch(r"[0-9]{1,2}\.[0-9]{1,2}", ptx_isa)):
        isa = f", PTX ISA {ptx_isa}" if ptx_isa is not None else ""
        raise BadFile(Problem("GM002", f"an image of device code is for no architecture there is: {arch}{suffix}{isa}"))
    return Image(kind, f"{arch}{suffix}", ptx_isa, toolkit)


def is_fatbin(head: bytes) -> bool:
    return head[:4] == MAGIC_BYTES


def scan(file: Bytes) -> Scan:
    """Find the device code of any of the known files. A file of another kind, and any trouble, is in `problems`."""
    found = Scan(file.path)
    try:
        _scan(file, found)
    except BadFile as error:
        found.note(error.problem)
    return found


def _scan(file: Bytes, found: Scan) -> None:
    head = file.read(0, min(PTX_HEAD, file.size))
    if is_fatbin(head):
        _Walk(file, found).section("", 0, file.size)
    elif is_cubin(head):
        target = read_cubin(file)
        if target.toolkit:
            found.toolkits.add(target.toolkit)
        found.containers["", (checked("sass", target.arch, target.suffix, None, target.toolkit),)] += 1
    elif is_elf(file):
        elf = read_elf(file)
        if not elf.sections:
            found.note(Problem("GM009", "the file has no section table: its device code cannot be found"))
        walk = _Walk(file, found)
        for section in elf.sections:
            if section.type == SHT_NOBITS:
                continue
            if section.name == WRAPPERS:
                found.wrappers = (found.wrappers or 0) + section.size // WRAPPER_SIZE
                continue
            registered = section.name in SECTIONS
            if registered or (section.type == SHT_PROGBITS and section.flags & _KEPT == SHF_ALLOC):
                if section.offset + section.size > file.size:
                    found.note(truncated(file, section.offset, section.size))
                start, end = (min(place, file.size) for place in (section.offset, section.offset + section.size))
                (walk.section if registered else walk.embedded)(section.name, start, end)
        registered = sum(number for (name, _), number in found.containers.items() if name in SECTIONS)
        if found.wrappers is not None and found.wrappers > registered:
            found.note(
                Problem(
                    "GM002",
                    "the file registers more fatbin containers than it has",
                    expected=str(found.wrappers),
                    found=str(registered),
                )
            )
    elif looks_like_ptx(head):
        ptx = read_ptx(file)
        found.containers["", (checked("ptx", ptx.arch, ptx.suffix, ptx.isa),)] += 1
    elif not head:
        raise BadFile(truncated(file, 0, 1))
    else:
        raise BadFile(Problem("GM009", "this is no library, fatbin, cubin or PTX text"))


class _Walk:
    """One pass over the containers of a file; limits hold for the file, not for each section."""

    def __init__(self, file: Bytes, found: Scan) -> None:
        self._file = file
        self._found = found
        self._images: dict[Image, Image] = {}
        self._sets: dict[tuple[Image, ...], tuple[Image, ...]] = {}
        self._left = MAX_IMAGES
        self._bytes = file.size
        self._opened = 0
        self._registered = True

    def section(self, name: str, at: int, end: int) -> None:
        """Containers one behind another; what is none and no padding is a problem."""
        self._registered = True
        self._claim(end - at)
        while at < end:
            if end - at < _CONTAINER.size:
                self._rest(at, end)
                return
            marked = self._file.read(at, 4) == MAGIC_BYTES
            at = self._container(name, at, end) if marked else self._next(at, end)

    def embedded(self, name: str, at: int, end: int) -> None:
        """Containers and bare cubins that lie among other data, as in libcufft 12.5 (18,227 of them in `.data`)."""
        self._registered = False
        self._claim(end - at)
        for base in range(at, end, _BLOCK):
            if base + _BLOCK <= at:
                continue
            block = self._file.read(base, min(_BLOCK + _SEEN, end - base))
            for place in sorted(hit.start() for mark in (_MARK, _CUBIN) for hit in mark.finditer(block)):
                where = base + place
                if where < at or place >= _BLOCK:
                    continue
                self._count()
                if block[place] == ELF_MAGIC[0]:
                    at = self._cubin(name, where, end)
                elif where % 8 == 0 and self._plausible(where, end):
                    at = self._container(name, where, end)

    def _container(self, name: str, at: int, end: int) -> int:
        """Take one container; gives where the next may start."""
        _, version, header, size = _CONTAINER.unpack(self._file.read(at, _CONTAINER.size))
        self._count()
        if version != 1 or header < _CONTAINER.size:
            self._found.note(
                Problem("GM009", f"a fatbin container is of version {version} with a header of {header} bytes")
            )
            return end
        start, stop = at + header, at + header + size
        if stop > end:
            self._found.note(
                Problem(
                    "GM001",
                    f"the fatbin container at byte {at} reaches past its section or file",
                    expected=f"{size} bytes",
                    found=f"{max(0, end - start)} bytes",
                )
            )
        images = tuple(self._entries(start, min(stop, end)))
        self._found.containers[name, self._sets.setdefault(images, images)] += 1
        return stop + -stop % 8

    def _plausible(self, at: int, end: int) -> bool:
        """Whether what has the mark of a container among other data also fits and starts with an entry."""
        _, _, header, size = _CONTAINER.unpack(self._file.read(at, _CONTAINER.size))
        at += header
        if at + size > end or size < FIRST_HEADER:
            return False
        kind, _, entry, payload, *_ = _ENTRY.unpack(self._file.read(at, FIRST_HEADER))
        return kind in _KINDS and FIRST_HEADER <= entry <= LAST_HEADER and 0 < payload <= size - entry

    def _cubin(self, name: str, at: int, end: int) -> int:
        try:
            target = read_target(self._file.read(at, min(CUBIN_HEADER, end - at)))
            image = checked("sass", target.arch, target.suffix, None, target.toolkit)
        except BadFile:
            return at + 8  # bytes that only begin like one
        if target.toolkit is None:
            try:
                whole = read_cubin(Part(self._file, at, end - at))
                image = image._replace(arch=f"{whole.arch}{whole.suffix}")
            except BadFile as error:
                self._found.note(error.problem)
        images = (self._images.setdefault(image, image),)
        self._found.containers[name, self._sets.setdefault(images, images)] += 1
        return at + FIRST_HEADER

    def _entries(self, at: int, end: int) -> list[Image]:
        images: list[Image] = []
        while at < end:
            if end - at < FIRST_HEADER:
                self._rest(at, end)
                break
            head = self._file.read(at, min(FIRST_HEADER, end - at))
            kind, _, header, payload, packed, _, minor, major, arch, flags, _raw = _ENTRY.unpack(head)
            if not FIRST_HEADER <= header <= LAST_HEADER or not payload or at + header + payload > end:
                self._found.note(
                    Problem(
                        "GM002",
                        f"the fatbin entry at byte {at} does not fit into its container",
                        expected=f"at most {end - at} bytes",
                        found=f"a header of {header} and a payload of {payload} bytes",
                    )
                )
                break
            self._count()
            name = _KINDS.get(kind)
            if name is None:
                self._found.note(Problem("GM009", f"a fatbin image is of an unknown kind ({kind})"))
            elif packed > payload:
                self._found.note(Problem("GM002", f"the fatbin entry at byte {at} is packed into more than it has"))
            else:
                isa = f"{major}.{minor}" if name == "ptx" else None
                suffix = "a" if flags & _ARCH_SPECIFIC else "f" if flags & _FAMILY else ""
                image = self._image(name, arch, suffix, isa)
                if image is not None and name == "sass" and not flags & _COMPRESSED:
                    image = self._bare(image, at + header, payload)
                if image is not None:
                    images.append(self._images.setdefault(image, image))
            at += header + payload
        return images

    def _image(self, kind: str, arch: int, suffix: str, isa: str | None) -> Image | None:
        try:
            return checked(kind, arch, suffix, isa)
        except BadFile as error:
            self._found.note(error.problem)
            return None

    def _bare(self, image: Image, at: int, size: int) -> Image | None:
        """A cubin that is not compressed is looked into: it must be what the entry says, and may name its toolkit."""
        try:
            target = read_target(self._file.read(at, min(CUBIN_HEADER, size)))
            found = f"{target.arch}{target.suffix}"
            if found not in (image.arch, image.arch.rstrip("af")):
                raise BadFile(
                    Problem(
                        "GM002",
                        f"a fatbin entry and its cubin at byte {at} disagree",
                        expected=f"sm_{image.arch}",
                        found=f"sm_{found}",
                    )
                )
            toolkit = target.toolkit
            if toolkit is None and self._opened < MAX_TOOLKITS:
                self._opened += 1
                toolkit = read_cubin(Part(self._file, at, size)).toolkit
        except BadFile as error:
            self._found.note(error.problem)
            return None
        if toolkit and self._registered:
            self._found.toolkits.add(toolkit)
        return image._replace(toolkit=target.toolkit)

    def _next(self, at: int, end: int) -> int:
        """The next container behind bytes that are none: zeros are padding, anything else is a problem."""
        start, clean = at, True
        at += -at % 8
        while at < end:
            block = self._file.read(at, min(_GAP, end - at))
            found = block.find(MAGIC_BYTES)
            while found >= 0 and found % 8:
                found = block.find(MAGIC_BYTES, found + 1)
            if clean and block[: found if found >= 0 else len(block)].strip(b"\0"):
                clean = False
                self._found.note(Problem("GM002", f"the bytes at {start} are no fatbin container"))
            if found >= 0:
                return at + found
            at += len(block)
        return end

    def _rest(self, at: int, end: int) -> None:
        if any(self._file.read(at, min(end - at, FIRST_HEADER))):
            self._found.note(Problem("GM001", f"a fatbin ends in {end - at} bytes that are no whole entry"))

    def _claim(self, size: int) -> None:
        """Sections that lie over one another must not make the work more than the file is large."""
        self._bytes -= size
        if self._bytes < 0:
            raise BadFile(Problem("GM002", "the sections of the file lie over one another"))

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise BadFile(Problem("GM005", "too many images of device code", expected=f"at most {MAX_IMAGES}"))
