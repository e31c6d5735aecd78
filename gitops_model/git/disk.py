"""Opening a file below a folder, component by component: no symbolic link, no FIFO and no device is ever opened."""

import os
import stat

from gitops_model.blob import not_regular
from gitops_model.errors import BadFile, CouldNotRun, Problem
from gitops_model.git.paths import raw

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_below(root: str, name: str, path: str) -> int:
    """Open `name` below `root` one component at a time, so that no symbolic link is followed even if one appears.

    `path` is what messages call it.
    """
    *folders, last = map(raw, name.split("/"))
    try:
        at = os.open(raw(root), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise CouldNotRun(f"{root}: {error.strerror}") from error
    try:
        for folder in folders:
            inner = os.open(folder, _FOLDER, dir_fd=at)
            os.close(at)
            at = inner
        mode = os.stat(last, dir_fd=at, follow_symlinks=False).st_mode
        if not stat.S_ISREG(mode):  # before opening: a device may act when it is opened
            raise BadFile(special(path, not_regular(mode).found or "a special file"))
        return os.open(last, _FILE, dir_fd=at)
    except FileNotFoundError as error:
        raise BadFile(not_there(path)) from error
    except (NotADirectoryError, OSError) as error:
        raise trouble(root, name, path, error) from error
    finally:
        os.close(at)


def trouble(root: str, name: str, path: str, error: OSError) -> BadFile | CouldNotRun:
    """Tell a symbolic link in the way from a plain I/O error."""
    at = root
    for part in name.split("/"):
        at = f"{at}/{part}"
        try:
            mode = os.lstat(raw(at)).st_mode
        except OSError:
            return BadFile(not_there(path))
        if stat.S_ISLNK(mode):
            return BadFile(special(path, "a symbolic link"))
        if not stat.S_ISDIR(mode) and at != f"{root}/{name}":
            return BadFile(not_there(path))
    return CouldNotRun(f"{path}: {error.strerror}")


def not_there(path: str) -> Problem:
    return Problem("GM010", f"the file {path!r} that the model needs is not there", expected=path)


def special(path: str, kind: str) -> Problem:
    return Problem("GM602", f"{path!r} is or goes through {kind}", expected="a regular file", found=kind)
