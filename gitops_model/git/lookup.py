"""Looking up many paths at one place: a model may name a hundred thousand other files."""

from typing import TYPE_CHECKING

from gitops_model.git.dvc_names import SUFFIX
from gitops_model.git.entries import Entry, Place

if TYPE_CHECKING:
    from gitops_model.git.repository import Repository

FEW = 4
"""Lookups that ask git for one path; after that all are listed once."""


class Lookup:
    """The entries of a place by path, as the place was when it was first looked at: make a new one per task."""

    def __init__(self, repository: "Repository", place: Place, tree: str | None = None) -> None:
        """`tree` is the id of the place's root tree, where it is known already."""
        self.repository = repository
        self.place = place
        self._asked = 0
        self._tree = tree
        self._all: dict[str, Entry] | None = None

    def entry(self, path: str) -> Entry | None:
        """The file, symbolic link or submodule at exactly this path."""
        if isinstance(self.place, str):
            if self._tree is None:
                self._tree = self.repository.resolve(self.place, "tree")
            return self.repository.trees.find(self._tree, path)
        if self._all is None:
            self._asked += 1
            if self._asked <= FEW:
                return self.repository.entry(self.place, path)
            self._all = {entry.path: entry for entry in self.repository.entries(self.place)}
        return self._all.get(path)

    def content(self, path: str) -> Entry | None:
        """What holds the content of the file at `path`: its own entry, or that of the `.dvc` file beside it."""
        return self.entry(path) or self.entry(path + SUFFIX)
