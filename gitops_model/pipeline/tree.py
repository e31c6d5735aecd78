"""What is checked: the files of a commit, of the index, of a work tree, or of a plain folder, behind one shape."""

import os
import stat
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from typing import Protocol

from gitops_model.blob import Blob, Source
from gitops_model.checks.facts import Here
from gitops_model.errors import BadFile, CouldNotRun, Problem
from gitops_model.git.entries import INDEX, WORKTREE, Entry, Place
from gitops_model.git.paths import folder_of, raw, resolve, text
from gitops_model.git.repository import Repository
from gitops_model.git.source import FolderSource, not_local, not_there, open_below, special

MAX_FILES = 1_000_000
"""Files of a plain folder that are walked; below a home directory or `/` the walk would not be what was meant."""


class Tree(Protocol):
    """Paths are relative to the tree's top, with `/`; folders do not end in one, and "" is the top."""

    in_git: bool
    here: Here

    def entry(self, path: str) -> Entry | None:
        """The file, link or special file at exactly this path; None where there is none or it is a folder."""
        ...

    def below(self, folder: str) -> Iterator[Entry]:
        """Everything in `folder` and below it, sorted by path."""
        ...

    def beside(self, folder: str) -> Iterator[Entry]:
        """What lies in `folder` itself."""
        ...

    def is_folder(self, path: str) -> bool: ...

    def link_above(self, path: str) -> str | None:
        """The first folder on the way to `path` that is a symbolic link."""
        ...

    def blob(self, entry: Entry) -> Blob:
        """The bytes. BadFile GM008 where it is no regular file, GM003 where a partial clone lacks it."""
        ...

    def source(self, folder: str) -> Source: ...

    def how_to_restore(self, path: str) -> str | None:
        """The command that most likely brings back a file that is not there."""
        ...


def read(tree: Tree, path: str) -> bytes | None:
    """The content of a small file; None where there is none."""
    entry = tree.entry(path)
    if entry is None:
        return None
    with tree.blob(entry) as blob:
        return blob.read(0, min(blob.size, 1 << 20))


class GitTree:
    """A place of a repository. Its entries are listed once."""

    in_git = True

    def __init__(self, repository: Repository, place: Place) -> None:
        self.repository = repository
        self.place = place
        self.here = Here(below=repository.prefix)

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        return {entry.path: entry for entry in self.repository.entries(self.place)}

    @cached_property
    def _folders(self) -> dict[str, list[Entry]]:
        folders: dict[str, list[Entry]] = {}
        for path in self._paths:
            folders.setdefault(folder_of(path), []).append(self._entries[path])
        return folders

    @cached_property
    def _paths(self) -> list[str]:
        return sorted(self._entries)

    def entry(self, path: str) -> Entry | None:
        return self._entries.get(path)

    def below(self, folder: str) -> Iterator[Entry]:
        prefix = f"{folder}/" if folder else ""
        start = bisect_left(self._paths, prefix)
        for number in range(start, len(self._paths)):
            path = self._paths[number]
            if not path.startswith(prefix):
                return
            yield self._entries[path]

    def beside(self, folder: str) -> Iterator[Entry]:
        return iter(self._folders.get(folder, ()))

    def is_folder(self, path: str) -> bool:
        return next(self.below(path), None) is not None

    def link_above(self, path: str) -> str | None:
        parts = path.split("/")
        for count in range(1, len(parts)):
            above = self._entries.get("/".join(parts[:count]))
            if above is not None:
                return above.path if above.is_symlink else None
        return None

    def blob(self, entry: Entry) -> Blob:
        try:
            return self.repository.blob(entry, self.place)
        except CouldNotRun as error:
            if self.place is WORKTREE and not os.path.lexists(raw(f"{self.repository.root}/{entry.path}")):
                raise BadFile(not_there(entry.path)) from error  # it vanished since it was listed
            raise

    def source(self, folder: str) -> Source:
        return TreeSource(self, folder)

    def named(self, path: str) -> Entry | None:
        """A file that the user named; in the work tree also one that git ignores, or a special file. None: a folder, or
        nothing at all."""
        if self.place is not WORKTREE:
            return self.entry(path)
        try:
            mode = os.lstat(raw(f"{self.repository.root}/{path}")).st_mode
        except OSError:
            return None
        if stat.S_ISDIR(mode):
            known = self.entry(path)
            return known if known is not None and known.is_gitlink else None
        return self.entry(path) or Entry(mode, None, path)

    def how_to_restore(self, path: str) -> str | None:
        from gitops_model.checks import command

        if self.place is not INDEX and self.place is not WORKTREE:
            return None
        from_here = self.here.path(path)
        if os.path.lexists(raw(f"{self.repository.root}/{path}")):
            return command("git", "add", *(() if self.place is INDEX else ("-f",)), "--", from_here)
        if self.place is WORKTREE and self.repository.entry(INDEX, path) is not None:
            return command("git", "restore", "--", from_here)
        if self.repository.lookup("HEAD") is not None and self.repository.entry("HEAD", path) is not None:
            return command("git", "restore", "--source=HEAD", "--staged", "--worktree", "--", from_here)
        return None


class Folder:
    """Files on disk below `root`, outside any repository. No symbolic link is followed below it."""

    in_git = False

    def __init__(self, root: str, above: str = "") -> None:
        self.root = root
        self.here = Here(above)

    def entry(self, path: str) -> Entry | None:
        if self.link_above(path) is not None:
            return None
        try:
            mode = os.lstat(raw(f"{self.root}/{path}")).st_mode
        except (OSError, ValueError):
            return None
        return None if stat.S_ISDIR(mode) else Entry(mode, None, path)

    def below(self, folder: str) -> Iterator[Entry]:
        found: list[Entry] = []
        waiting = [folder]
        while waiting:
            for entry, is_folder in self._scan(waiting.pop()):
                if is_folder:
                    waiting.append(entry.path)
                else:
                    found.append(entry)
            if len(found) > MAX_FILES:
                raise CouldNotRun(f"{self.root}: there are more than {MAX_FILES} files below it")
        yield from sorted(found, key=lambda entry: entry.path)

    def beside(self, folder: str) -> Iterator[Entry]:
        if folder and (self.link_above(folder + "/x") or not self.is_folder(folder)):
            return iter(())
        return (entry for entry, is_folder in self._scan(folder) if not is_folder)

    def is_folder(self, path: str) -> bool:
        try:
            return stat.S_ISDIR(os.lstat(raw(f"{self.root}/{path}")).st_mode)
        except (OSError, ValueError):
            return False

    def _scan(self, folder: str) -> list[tuple[Entry, bool]]:
        found: list[tuple[Entry, bool]] = []
        top = f"{self.root}/{folder}" if folder else self.root
        try:
            with os.scandir(raw(top)) as items:
                for item in items:
                    name = text(item.name)
                    path = f"{folder}/{name}" if folder else name
                    mode = item.stat(follow_symlinks=False).st_mode
                    if name != ".git":
                        found.append((Entry(mode, None, path), stat.S_ISDIR(mode)))
        except OSError as error:
            raise CouldNotRun(f"{top}: {error.strerror}") from error
        return sorted(found)

    def link_above(self, path: str) -> str | None:
        parts = path.split("/")
        for count in range(1, len(parts)):
            above = "/".join(parts[:count])
            try:
                if stat.S_ISLNK(os.lstat(raw(f"{self.root}/{above}")).st_mode):
                    return above
            except (OSError, ValueError):
                return None
        return None

    def blob(self, entry: Entry) -> Blob:
        try:
            return Blob.of_fd(entry.path, open_below(self.root, entry.path, entry.path))
        except BadFile as error:
            # what a model's reference calls GM602 is GM008 for the file itself
            raise BadFile(error.problem._replace(code="GM008")) from error

    def source(self, folder: str) -> Source:
        return FolderSource(self.root, folder)

    def how_to_restore(self, path: str) -> str | None:  # noqa: ARG002 - no history, no way back
        return None


class TreeSource:
    """The door to a model's other files that asks the tree's own list: a model may name a hundred thousand of them."""

    def __init__(self, tree: Tree, folder: str) -> None:
        self._tree = tree
        self._folder = folder

    def open(self, path: str) -> Blob:
        blob = self._tree.blob(self.find(path))
        if not blob.content_is_local:
            pointer = blob.pointer
            blob.close()
            raise BadFile(not_local(path, pointer))
        return blob

    def find(self, path: str) -> Entry:
        """The file that `path` means, unopened; BadFile as for `open`."""
        name = resolve(self._folder, path)
        link = self._tree.link_above(name)
        if link is not None:
            raise BadFile(special(path, f"the symbolic link {link!r}"))
        entry = self._tree.entry(name) or self._tree.entry(f"{name}.dvc")
        if entry is None:
            raise BadFile(not_there(path))
        if not entry.is_regular:
            raise BadFile(special(path, "a symbolic link" if entry.is_symlink else "a special file"))
        return entry


def special_entry(entry: Entry, here: Here) -> Problem | None:
    """What is wrong with a model file by its mode alone: a link (GM116), or no regular file at all (GM008).

    `here` is the tree's, for the command that helps.
    """
    from gitops_model.blob import not_regular
    from gitops_model.checks import command

    if entry.is_regular:
        return None
    if entry.is_symlink:
        path = command(here.path(entry.path))
        hint = f'cp --remove-destination "$(readlink -f {path})" {path}'
        return Problem(
            "GM116", "the model file is a symbolic link", None, None, "a regular file", "a symbolic link", hint
        )
    if entry.is_gitlink:
        return Problem("GM008", "this is a submodule, not a regular file", None, None, "a regular file", "a submodule")
    return not_regular(entry.mode)
