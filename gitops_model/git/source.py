"""The doors through which a model may ask for its other files: below a folder on disk, or in a place of a repository.

Both raise BadFile: GM010 not there, GM601 outside the root, GM602 through a symbolic link or no regular file, GM003
only a pointer is here.
"""

from typing import TYPE_CHECKING

from gitops_model.blob import Blob, Pointer
from gitops_model.errors import BadFile, Problem
from gitops_model.git.disk import not_there, open_below, special
from gitops_model.git.entries import WORKTREE, Place
from gitops_model.git.lookup import Lookup
from gitops_model.git.paths import resolve
from gitops_model.git.pointers import LIMIT, parse

if TYPE_CHECKING:
    from gitops_model.git.repository import Repository


class FolderSource:
    """Files on disk below `root`, for a model that lies in `folder` below it; outside a repository the root is the
    model's own folder."""

    def __init__(self, root: str, folder: str = "") -> None:
        self.root = root
        self.folder = folder

    def open(self, path: str) -> Blob:
        name = resolve(self.folder, path)
        blob = Blob.of_fd(name, open_below(self.root, name, path))
        if blob.size < LIMIT and (pointer := parse(blob.head(LIMIT))):
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
            entry = self._lookup.content(name)
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


def not_local(path: str, pointer: Pointer | None) -> Problem:
    system = pointer.system if pointer else "lfs"
    fetch = {
        "lfs": f"git lfs pull --include={path!r}",
        "dvc": f"dvc pull {path!r}",
        "xet": f"git xet checkout -- {path!r}",
    }
    return Problem(
        "GM003",
        f"{path!r} is a {system} pointer whose content is not here",
        expected="the content",
        found="a pointer",
        hint=fetch.get(system),
    )


__all__ = ["FolderSource", "RepositorySource", "not_local", "not_there", "open_below", "special"]
