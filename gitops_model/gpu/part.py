"""A range of a file that is read as if it were a file: a cubin inside a fatbin, a file inside a tar."""

from typing import Protocol

from gitops_model.errors import BadFile, Problem


class Bytes(Protocol):
    """What the readers of this package need of a file; `gitops_model.blob.Blob` is one.

    `read` gives exactly `length` bytes or raises BadFile (GM001).
    """

    @property
    def path(self) -> str: ...
    @property
    def size(self) -> int: ...
    def read(self, offset: int, length: int) -> bytes: ...


class File(Bytes, Protocol):
    """Bytes that hold a descriptor until they are closed."""

    def close(self) -> None: ...


class Part:
    """`size` bytes at `start` of `whole`; a range that does not fit is GM001."""

    __slots__ = ("_start", "_whole", "path", "size")

    def __init__(self, whole: Bytes, start: int, size: int, path: str | None = None) -> None:
        if start < 0 or size < 0 or start + size > whole.size:
            raise BadFile(truncated(whole, start, size))
        self.path = whole.path if path is None else path
        self.size = size
        self._start = start
        self._whole = whole

    def read(self, offset: int, length: int) -> bytes:
        if offset < 0 or length < 0 or offset + length > self.size:
            raise BadFile(truncated(self, offset, length))
        return self._whole.read(self._start + offset, length)

    def close(self) -> None:
        """Nothing to give back: the descriptor is the whole file's."""


def truncated(file: Bytes, offset: int, length: int) -> Problem:
    """GM001 for a structure that points past the end."""
    if not file.size:
        return Problem("GM001", "the file is empty")
    return Problem(
        "GM001",
        f"the file ends at byte {file.size}, but its structure needs {length} bytes at {offset}",
        expected=f"at least {offset + length} bytes",
        found=f"{file.size} bytes",
    )
