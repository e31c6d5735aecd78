"""Walking the tree objects of commits: one path costs microseconds, where `git ls-tree` costs a process."""

from typing import TYPE_CHECKING, NamedTuple

from gitops_model.errors import CouldNotRun
from gitops_model.git.entries import FOLDER, Entry
from gitops_model.git.paths import raw, text

if TYPE_CHECKING:
    from gitops_model.git.objects import Objects

LIMIT = 64 * 1024 * 1024
"""Bytes of a tree object; a folder of a million files has about that."""

KEPT = 4096
"""Parsed trees that are kept."""


class Item(NamedTuple):
    mode: int
    oid: str

    @property
    def is_tree(self) -> bool:
        return self.mode == FOLDER


class Trees:
    """Tree objects by id, parsed once. `id_length` is 20 or 32 bytes."""

    def __init__(self, objects: "Objects", id_length: int) -> None:
        self._objects = objects
        self._id_length = id_length
        self._parsed: dict[str, dict[bytes, Item]] = {}

    def items(self, oid: str) -> dict[bytes, Item]:
        """What a tree holds, by name, in git's order. CouldNotRun where the clone lacks it."""
        known = self._parsed.get(oid)
        if known is None:
            data = self._objects.read(oid, LIMIT)
            if data is None:
                raise CouldNotRun(
                    f"the tree {oid} is not in this clone", hint="git fetch --refetch --no-filter, or: --unshallow"
                )
            if len(self._parsed) >= KEPT:
                self._parsed.clear()
            known = self._parsed[oid] = parse(data, self._id_length)
        return known

    def find(self, root: str, path: str) -> Entry | None:
        """The file, symbolic link or submodule at exactly this path; None for a folder or nothing."""
        *folders, name = raw(path).split(b"/")
        tree = self._descend(root, folders)
        item = self.items(tree).get(name) if tree is not None else None
        return Entry(item.mode, item.oid, path) if item is not None and not item.is_tree else None

    def folder(self, root: str, path: str) -> list[Entry]:
        """What lies directly in a folder ("" is the root), folders left out."""
        tree = self._descend(root, raw(path).split(b"/") if path else [])
        prefix = f"{path}/" if path else ""
        items = self.items(tree).items() if tree is not None else ()
        return [Entry(item.mode, item.oid, prefix + text(name)) for name, item in items if not item.is_tree]

    def _descend(self, root: str, folders: list[bytes]) -> str | None:
        tree = root
        for name in folders:
            item = self.items(tree).get(name)
            if item is None or not item.is_tree:
                return None
            tree = item.oid
        return tree


def parse(data: bytes, id_length: int) -> dict[bytes, Item]:
    """A raw tree object: `MODE NAME` NUL ID, again and again."""
    items: dict[bytes, Item] = {}
    at = 0
    while at < len(data):
        blank = data.index(b" ", at)
        end = data.index(b"\0", blank)
        after = end + 1 + id_length
        items[data[blank + 1 : end]] = Item(int(data[at:blank], 8), data[end + 1 : after].hex())
        at = after
    return items
