"""The file: superblock, addresses, bounded reads. Roman numerals in comments name chapters of the specification.

Every address is relative to the superblock (so a file inside an archive reads like one of its own) and is checked
against the bytes that are there. What leaves the file (external links, external storage, virtual sources) is refused.
"""

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, Problem

MAGIC = b"\x89HDF\r\n\x1a\n"

UNDEFINED = (1 << 64) - 1
PAGE = 4096
PAGES = 256
"""Structure is read in pages, of which so many are kept: one object is looked at in a dozen places close together."""

LIMIT_BLOCK = 64 * 1024 * 1024
"""Largest piece of structure (a header chunk, a heap, an attribute) that is read at once."""


class File:
    """A bounded view of the HDF5 file that begins at byte `base` of the blob and has at most `size` bytes."""

    def __init__(self, blob: Blob, base: int = 0, size: int | None = None) -> None:
        self.blob = blob
        self.base = base
        self.size = (blob.size - base) if size is None else size
        self.whole = size is None
        self.offset_size = self.length_size = 8
        self._undefined = UNDEFINED
        self.visits = 0
        self._pages: dict[int, bytes] = {}
        self.root = self.superblock()

    def at(self, address: int, length: int) -> bytes:
        """`length` bytes of structure at an address of the file."""
        if length > LIMIT_BLOCK:
            raise BadFile(Problem("GM005", f"a piece of HDF5 structure claims {length} bytes"))
        if address < 0 or address + length > self.size:
            raise BadFile(self.cut(address, length))
        self.visits += 1
        if self.visits > 2_000_000:
            raise BadFile(Problem("GM005", "the HDF5 structure has more than two million parts"))
        start = self.base + address
        number, begin = divmod(start, PAGE)
        if begin + length > PAGE:
            return self.blob.read(start, length)
        page = self._pages.get(number)
        if page is None:
            if len(self._pages) == PAGES:
                self._pages.clear()
            page = self._pages[number] = self.blob.read(start - begin, min(PAGE, self.blob.size - start + begin))
        return page[begin : begin + length]

    def cut(self, address: int, length: int) -> Problem:
        if self.whole:
            return self.blob.truncated(self.base + address, length)
        return Problem("GM002", f"the HDF5 file inside ends before {length} bytes at {address}")

    def place(self, address: int, length: int) -> int:
        """The offset in the blob of data at an address; it must all be there."""
        if address + length > self.size:
            raise BadFile(self.cut(address, length))
        return self.base + address

    def superblock(self) -> int:
        """Read it; returns the address of the root group's object header. (II.A)"""
        head = self.at(0, min(self.size, 96))
        if head[:8] != MAGIC[: len(head[:8])]:
            raise BadFile(Problem("GM004", "this is no HDF5 file", expected="\\x89HDF"))
        if len(head) < 48:
            raise BadFile(self.cut(0, 48))
        version = head[8]
        if version in (0, 1):
            if len(head) < 96:
                raise BadFile(self.cut(0, 96))
            self.sizes(head[13], head[14])
            at = 24 if version == 0 else 28
            fields = [self.number(head, at + i * self.offset_size, self.offset_size) for i in range(6)]
            base, _, end, _, _, root = fields
        elif version in (2, 3):
            self.sizes(head[9], head[10])
            fields = [self.number(head, 12 + i * self.offset_size, self.offset_size) for i in range(4)]
            base, _, end, root = fields
        else:
            raise BadFile(Problem("GM009", f"HDF5 superblock version {version} is not known", expected="0 to 3"))
        if base not in (0, UNDEFINED):
            raise BadFile(Problem("GM009", f"the HDF5 file has a user block of {base} bytes, which is not read"))
        if end > self.size:
            raise BadFile(self.cut(0, end))
        return root

    def sizes(self, offsets: int, lengths: int) -> None:
        if offsets not in (2, 4, 8) or lengths not in (2, 4, 8):
            raise BadFile(Problem("GM002", f"HDF5 addresses of {offsets} and lengths of {lengths} bytes"))
        self.offset_size, self.length_size = offsets, lengths
        self._undefined = (1 << 8 * offsets) - 1

    def number(self, data: bytes, at: int, size: int) -> int:
        """A little-endian number of `size` bytes; all ones is UNDEFINED. GM002 where `data` ends before it."""
        raw = data[at : at + size]
        if len(raw) != size:
            raise BadFile(Problem("GM002", "a piece of HDF5 structure is shorter than its fields"))
        value = int.from_bytes(raw, "little")
        return UNDEFINED if size == self.offset_size and value == self._undefined else value

    def offset(self, data: bytes, at: int) -> int:
        raw = data[at : at + self.offset_size]
        if len(raw) != self.offset_size:
            raise BadFile(Problem("GM002", "a piece of HDF5 structure is shorter than its fields"))
        value = int.from_bytes(raw, "little")
        return UNDEFINED if value == self._undefined else value

    def length(self, data: bytes, at: int) -> int:
        return int.from_bytes(data[at : at + self.length_size], "little")

    def signed(self, address: int, length: int, magic: bytes) -> bytes:
        """A block that begins with its four-letter signature."""
        block = self.at(address, length)
        if block[:4] != magic:
            raise BadFile(Problem("GM002", f"no {magic.decode()} block at address {address} of the HDF5 file"))
        return block


def u16(data: bytes, at: int) -> int:
    try:
        return data[at] | data[at + 1] << 8
    except IndexError as error:
        raise BadFile(Problem("GM002", "a piece of HDF5 structure is shorter than its fields")) from error


def u32(data: bytes, at: int) -> int:
    raw = data[at : at + 4]
    if len(raw) != 4:
        raise BadFile(Problem("GM002", "a piece of HDF5 structure is shorter than its fields"))
    return int.from_bytes(raw, "little")
