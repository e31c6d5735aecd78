"""Bounded reads of one file's bytes, and the only door through which a reader may ask for another file.

A `Blob` is a sequence of bytes of known size that came from a work tree, an index, a commit or a spool file. Bytes of
regular files are mapped in windows and dropped behind the reader (MADV_DONTNEED), because mapped pages count as
resident: hashing a 1 GiB file must not take 1 GiB of memory.
"""

import mmap
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple, Protocol, Self

from gitops_model.errors import BadFile, CouldNotRun, Problem

WINDOW = 16 * 1024 * 1024
"""Bytes mapped at a time: the smallest window at which BLAKE3 on all cores runs at full speed (benchmarks/)."""

PAGE = mmap.ALLOCATIONGRANULARITY


class Pointer(NamedTuple):
    """What a Git LFS, DVC or git-xet pointer says about content that is somewhere else."""

    system: str
    """`lfs`, `dvc` or `xet`."""
    algorithm: str
    digest: str
    size: int | None


class Blob:
    """Random access to the bytes of one file. `path` is for messages; `oid` is git's id where known.

    `pointer` is set when git stores a pointer: with `content_is_local` the bytes here are the content it points to,
    otherwise they are the pointer's own.
    """

    def __init__(
        self,
        path: str,
        size: int,
        *,
        data: bytes | None = None,
        fd: int = -1,
        oid: str | None = None,
        pointer: Pointer | None = None,
        content_is_local: bool = True,
    ) -> None:
        self.path = path
        self.size = size
        self.oid = oid
        self.pointer = pointer
        self.content_is_local = content_is_local
        self._data = data
        self._fd = fd
        self._map: mmap.mmap | None = None
        self._view: memoryview | None = None
        self._lock = threading.Lock()
        self._written: int | None = None

    @classmethod
    def of_bytes(cls, path: str, data: bytes, *, oid: str | None = None) -> "Blob":
        return cls(path, len(data), data=data, oid=oid)

    @classmethod
    def of_fd(cls, path: str, fd: int, *, oid: str | None = None) -> "Blob":
        """Take over an open descriptor of a regular file (anything else is GM008)."""
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            os.close(fd)
            raise BadFile(not_regular(info.st_mode))
        blob = cls(path, info.st_size, fd=fd, oid=oid)
        blob._written = info.st_mtime_ns
        return blob

    @classmethod
    def of_file(
        cls,
        filename: str | os.PathLike[str],
        path: str | None = None,
        *,
        follow: bool = True,
    ) -> "Blob":
        """Open a file that the user named. A FIFO or a device is refused before anything could block.

        `follow` False refuses a symbolic link as the last component.
        """
        name = os.fspath(filename)
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
        try:
            mode = os.stat(name, follow_symlinks=follow).st_mode
            if not stat.S_ISREG(mode):
                raise BadFile(not_regular(mode))
            return cls.of_fd(path or name, os.open(name, flags))
        except FileNotFoundError as error:
            raise CouldNotRun(f"{path or name}: no such file") from error
        except OSError as error:
            raise CouldNotRun(f"{path or name}: {error.strerror}") from error

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes at `offset`; GM001 when the file ends before that."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise BadFile(self.truncated(offset, length))
        if self._data is not None:
            return self._data[offset : offset + length]
        parts: list[bytes] = []
        while length:
            part = os.pread(self._fd, min(length, WINDOW), offset)
            if not part:
                raise BadFile(self.truncated(offset, length))
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def head(self, length: int) -> bytes:
        """The first `length` bytes, or fewer where the file is shorter."""
        return self.read(0, min(length, self.size))

    def windows(
        self, offset: int, length: int, step: int = WINDOW, *, mapped: bool = True
    ) -> Iterator[bytes | bytearray | memoryview]:
        """The bytes as views of at most `step` (plus alignment) bytes, each valid until the next one is asked for.

        `mapped` False reads into one buffer instead: one request at a time, in order, as a spinning disk wants it.
        """
        if offset < 0 or length < 0 or offset + length > self.size:
            raise BadFile(self.truncated(offset, length))
        if not length:
            return
        if self._data is not None:
            yield memoryview(self._data)[offset : offset + length]
        elif length <= PAGE * 16:  # a map costs two system calls and page faults; a copy of 64 KiB is cheaper
            yield self.read(offset, length)
        elif mapped:
            yield from self._maps(offset, length, step)
        else:
            yield from self._copies(offset, length, step)

    def _maps(self, offset: int, length: int, step: int) -> Iterator[bytes | bytearray | memoryview]:
        """Slices of one map of the file, whose pages are let go of behind the reader.

        One map, not one per window: mapping and unmapping stop the page faults of every other thread. And no advice:
        MADV_WILLNEED, MADV_SEQUENTIAL and MAP_POPULATE read a cold file at half the speed of plain faults, and leave it
        in the page cache in small folios, so that whoever maps it later pays too (measured, Linux 6.18).
        """
        if self._view is None and not self._map_all():
            yield from self._copies(offset, length, step)
            return
        assert self._map is not None
        assert self._view is not None
        end = offset + length
        while offset < end:
            start = offset - offset % PAGE
            stop = min(end, start + step)
            if os.fstat(self._fd).st_size < stop:  # it has become shorter: to touch what is gone kills the process
                raise BadFile(self.truncated(offset, stop - offset))
            part = self._view[offset:stop]
            try:
                yield part
            finally:
                with suppress(BufferError):  # somebody reads on from a slice of it
                    part.release()
                self._map.madvise(mmap.MADV_DONTNEED, start, stop - start)
            offset = stop

    def _map_all(self) -> bool:
        """Map the file; False where the address space does not allow it (`ulimit -v`)."""
        with self._lock:
            if self._view is None:
                try:
                    self._map = mmap.mmap(self._fd, self.size, access=mmap.ACCESS_READ)
                except ValueError as error:  # shorter than when it was opened
                    raise BadFile(self.truncated(0, self.size)) from error
                except (OSError, OverflowError):
                    return False
                self._view = memoryview(self._map)
        return True

    def _copies(self, offset: int, length: int, step: int) -> Iterator[memoryview]:
        buffer = memoryview(bytearray(min(step, length)))
        end = offset + length
        while offset < end:
            wanted = min(len(buffer), end - offset)
            filled = 0
            while filled < wanted:
                got = os.preadv(self._fd, [buffer[filled:wanted]], offset + filled)
                if not got:
                    raise BadFile(self.truncated(offset, end - offset))
                filled += got
            yield buffer[:wanted]
            offset += wanted

    def truncated(self, offset: int, length: int) -> Problem:
        if not self.size:
            return Problem("GM001", "the file is empty")
        return Problem(
            "GM001",
            f"the file ends at byte {self.size}, but its structure needs {length} bytes at {offset}",
            expected=f"at least {offset + length} bytes",
            found=f"{self.size} bytes",
        )

    def changed(self) -> bool:
        """Whether somebody wrote to the file since it was opened, so that what was read is no one version of it."""
        if self._written is None:
            return False
        info = os.fstat(self._fd)
        return (info.st_size, info.st_mtime_ns) != (self.size, self._written)

    def duplicate(self) -> int:
        """Another descriptor of the same open file, for an owner of its own."""
        return os.dup(self._fd)

    def close(self) -> None:
        if self._view is not None and self._map is not None:
            with suppress(BufferError):  # the map goes when the last slice of it does
                self._view.release()
                self._map.close()
            self._view = self._map = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Source(Protocol):
    """Opens the other files that a model names. `path` is relative to the folder of the model, as written in the file.

    Raises BadFile: GM010 it is not there, GM601 it would leave the repository, GM602 it goes through a symbolic link
    or is no regular file.
    """

    def open(self, path: str) -> Blob: ...


class NoSource:
    """A source that opens nothing (textconv, `show --no-digests` of a lone blob)."""

    def open(self, path: str) -> Blob:
        raise BadFile(Problem("GM010", f"external data {path!r} is not read here"))


def not_regular(mode: int) -> Problem:
    kinds = {
        stat.S_IFDIR: "a directory",
        stat.S_IFIFO: "a FIFO",
        stat.S_IFCHR: "a character device",
        stat.S_IFBLK: "a block device",
        stat.S_IFSOCK: "a socket",
        stat.S_IFLNK: "a symbolic link",
    }
    kind = kinds.get(stat.S_IFMT(mode), "a special file")
    return Problem(
        "GM008",
        f"this is {kind}, not a regular file",
        expected="a regular file",
        found=kind,
    )
