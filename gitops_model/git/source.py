"""The doors through which a model may ask for its other files: below a folder on disk, or in a place of a repository.

Both raise BadFile: GM010 not there, GM601 outside the root, GM602 through a symbolic link or no regular file, GM003
only a pointer is here.
"""

import os
import stat
from typing import TYPE_CHECKING

from gitops_model.blob import Blob, Pointer, not_regular
from gitops_model.errors import BadFile, CouldNotRun, Problem
from gitops_model.git.entries import WORKTREE, Place
from gitops_model.git.lfs import POINTER_LIMIT, parse
from gitops_model.git.lookup import Lookup
from gitops_model.git.paths import raw, resolve

if TYPE_CHECKING:
    from gitops_model.git.repository import Repository

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FolderSource:
    """Files on disk below `root`, for a model that lies in `folder` below it; outside a repository the root is the
    model's own folder."""

    def __init__(self, root: str, folder: str = "") -> None:
        self.root = root
        self.folder = folder

    def open(self, path: str) -> Blob:
        name = resolve(self.folder, path)
        blob = Blob.of_fd(name, open_below(self.root, name, path))
        if blob.size < POINTER_LIMIT and (pointer := parse(blob.head(POINTER_LIMIT))):
            blob.close()
            raise BadFile(not_local(path, pointer))
        return blob


class RepositorySource:
    """Files of one place of a repository, pointers resolved. In the work tree they come from disk, tracked or not."""

    def __init__(self, repository: "Repository", place: Place, folder: str = "") -> None:
        self.repository = repository
        self.place = place
        self.folder = folder
        self._lookup = Lookup(repository, place)

    def open(self, path: str) -> Blob:
        name = resolve(self.folder, path)
        if self.place is WORKTREE:
            blob = self.repository.on_disk(name, path)
        else:
            entry = self._lookup.entry(name)
            if entry is None:
                raise BadFile(self._absent(name, path))
            if not entry.is_regular:
                raise BadFile(special(path, "a symbolic link" if entry.is_symlink else "a submodule"))
            blob = self.repository.blob(entry, self.place)
        if not blob.content_is_local:
            pointer = blob.pointer
            blob.close()
            raise BadFile(not_local(path, pointer))
        return blob

    def _absent(self, name: str, path: str) -> Problem:
        """Why there is no such entry: a folder of the path may be a symbolic link or a submodule."""
        parts = name.split("/")
        for count in range(1, len(parts)):
            entry = self._lookup.entry("/".join(parts[:count]))
            if entry is not None:
                kind = "a symbolic link" if entry.is_symlink else "a submodule" if entry.is_gitlink else "a file"
                return special(path, f"{kind} at {entry.path!r}")
        return not_there(path)


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


def not_local(path: str, pointer: Pointer | None) -> Problem:
    system = pointer.system if pointer else "lfs"
    return Problem(
        "GM003",
        f"{path!r} is a {system} pointer whose content is not here",
        expected="the content",
        found="a pointer",
        hint=f"git lfs pull --include={path!r}" if system == "lfs" else None,
    )
