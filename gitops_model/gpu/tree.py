"""A folder of files that may be looked into: site-packages, the unpacked root of an image, a release."""

import errno
import os
from collections.abc import Iterable, Iterator
from typing import Protocol

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, CouldNotRun, Problem
from gitops_model.gpu.part import Bytes, File, Part

MAX_NAMES = 1 << 16
"""Names looked at in one folder, and folders walked."""


class Tree(Protocol):
    """Paths are relative to the tree, with `/`. Whoever gets a file closes it."""

    def open(self, path: str) -> File | None:
        """The file, or None where there is none or it would be outside the tree."""
        ...

    def names(self, path: str) -> tuple[str, ...]:
        """The names in a folder, sorted; empty where there is none."""
        ...


class Loose:
    """Single files under the names they were given, as a flat tree; whoever opened them closes them."""

    def __init__(self, files: Iterable[Bytes]) -> None:
        self._files = {file.path: file for file in files}

    def open(self, path: str) -> Part | None:
        file = self._files.get(path)
        return None if file is None else Part(file, 0, file.size)

    def names(self, path: str) -> tuple[str, ...]:
        return () if path else tuple(sorted(self._files))


class Folder:
    """A tree on disk. Symbolic links are followed as long as they stay inside, as libraries are named through them."""

    def __init__(self, root: str) -> None:
        if not os.path.isdir(root):
            raise CouldNotRun(f"{root}: no such folder")
        self._root = os.path.realpath(root)

    def open(self, path: str) -> Blob | None:
        place = self._inside(path)
        if place is None or not os.path.isfile(place):
            return None
        return Blob.of_file(place, path)

    def names(self, path: str) -> tuple[str, ...]:
        place = self._inside(path)
        if place is None:
            return ()
        try:
            with os.scandir(place) as entries:
                names: list[str] = []
                for entry in entries:
                    if len(names) == MAX_NAMES:
                        raise BadFile(Problem("GM005", f"too many names in {path}", expected=f"at most {MAX_NAMES}"))
                    names.append(entry.name)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                return ()
            raise CouldNotRun(f"{path}: {error.strerror}") from error
        return tuple(sorted(names))

    def walk(self) -> Iterator[str]:
        """Every regular file below, sorted within each folder; links are passed over: what they name comes anyway."""
        folders = [""]
        seen = 0
        while folders:
            folder = folders.pop()
            for name in self.names(folder):
                path = f"{folder}/{name}" if folder else name
                place = os.path.join(self._root, path)
                if os.path.islink(place):
                    continue
                if os.path.isdir(place):
                    seen += 1
                    if seen > MAX_NAMES:
                        raise BadFile(Problem("GM005", "too many folders", expected=f"at most {MAX_NAMES}"))
                    folders.append(path)
                elif os.path.isfile(place):
                    yield path

    def _inside(self, path: str) -> str | None:
        if "\0" in path:
            return None
        place = os.path.realpath(os.path.join(self._root, path.lstrip("/")))
        return place if place == self._root or place.startswith(self._root.rstrip("/") + "/") else None
