"""A forward reader over a blob: small reads from a buffer, lengths checked before anything is read."""

from struct import unpack

from gitops_model.blob import Blob
from gitops_model.errors import BadFile

BUFFER = 1 << 16


class Cursor:
    """Reads from `offset` on. Every method raises BadFile GM001 where the file ends too early."""

    def __init__(self, blob: Blob, offset: int = 0, *, big_endian: bool = False) -> None:
        self.blob = blob
        self.big_endian = big_endian
        self._order = ">" if big_endian else "<"
        self._buffer = b""
        self._start = offset
        self._at = 0

    @property
    def offset(self) -> int:
        return self._start + self._at

    def take(self, length: int) -> bytes:
        at = self._at
        part = self._buffer[at : at + length]
        if len(part) == length:
            self._at = at + length
            return part
        here = self._start + at
        if here + length > self.blob.size:
            raise BadFile(self.blob.truncated(here, length))
        self._buffer = self.blob.read(here, min(max(length, BUFFER), self.blob.size - here))
        self._start, self._at = here, length
        return self._buffer[:length]

    def skip(self, length: int) -> int:
        """Step over `length` bytes; returns where they begin."""
        here = self._start + self._at
        if length < 0 or here + length > self.blob.size:
            raise BadFile(self.blob.truncated(here, length))
        if self._at + length <= len(self._buffer):
            self._at += length
        else:
            self._buffer, self._start, self._at = b"", here + length, 0
        return here

    def u32(self) -> int:
        return unpack(self._order + "I", self.take(4))[0]

    def u64(self) -> int:
        return unpack(self._order + "Q", self.take(8))[0]

    def number(self, code: str, size: int) -> int | float:
        """One number by its `struct` code."""
        return unpack(self._order + code, self.take(size))[0]
