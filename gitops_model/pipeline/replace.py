"""Replacing a small file of the user's in one step, without ever writing through a symbolic link."""

import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager

from gitops_model.errors import CouldNotRun
from gitops_model.git.paths import raw

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def replace(root: str, path: str, before: bytes, after: bytes) -> None:
    """Write `after` over the file `path` below `root`, whose content must still be `before`.

    The new file takes the old one's permissions and appears whole or not at all. CouldNotRun when the file changed
    meanwhile, is no regular file, or lies behind a symbolic link.
    """
    with _parent(root, path) as (folder, name):
        try:
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError as error:
            raise CouldNotRun(f"{path}: cannot be opened: {error.strerror}") from error
        with open(fd, "rb") as stream:
            mode = os.fstat(fd).st_mode
            if not stat.S_ISREG(mode) or stream.read(len(before) + 1) != before:
                raise CouldNotRun(f"{path} changed while it was read", hint="run the command again")
        _put(folder, name, after, stat.S_IMODE(mode), path, over=True)


def create(root: str, path: str, content: bytes, *, over: bool = False) -> None:
    """Write a new file; with `over` it may replace a regular file. CouldNotRun when there is one already."""
    with _parent(root, path) as (folder, name):
        try:
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        except FileNotFoundError:
            mode = None
        if mode is not None and not over:
            raise CouldNotRun(f"{path} is there already", hint="add --force to replace it")
        if mode is not None and not stat.S_ISREG(mode):
            raise CouldNotRun(f"{path} is not a regular file, and is not replaced")
        _put(folder, name, content, 0o666 & ~_umask() if mode is None else stat.S_IMODE(mode), path, over=over)


def _put(folder: int, name: bytes, content: bytes, mode: int, path: str, *, over: bool) -> None:
    temporary = b".%s.%s" % (name[:200], secrets.token_hex(8).encode())
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            with open(fd, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fchmod(fd, mode)
                os.fsync(fd)
            if over:
                os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            else:  # a link, unlike a rename, fails when somebody else was faster
                os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
                os.unlink(temporary, dir_fd=folder)
        except BaseException:
            os.unlink(temporary, dir_fd=folder)
            raise
    except OSError as error:
        raise CouldNotRun(f"{path}: cannot be written: {error.strerror}") from error


@contextmanager
def _parent(root: str, path: str) -> Generator[tuple[int, bytes]]:
    """A descriptor of the folder that holds `path`, reached without following a link below `root`, and the name."""
    *folders, name = map(raw, path.split("/"))
    at = -1
    try:
        try:
            at = os.open(raw(root), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            for folder in folders:
                inner = os.open(folder, _FOLDER, dir_fd=at)
                os.close(at)
                at = inner
        except OSError as error:
            raise CouldNotRun(f"{path}: cannot be opened: {error.strerror}") from error
        yield at, name
    finally:
        if at >= 0:
            os.close(at)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
