"""Committing very few paths: the objects are made here and given to git as a pack, which costs a third of fast-import.

The loose objects are git's own work (`git unpack-objects`): permissions, compression, fsync and object format are as
the repository has them.
"""

import hashlib
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from gitops_model.git.command import Git, failed
from gitops_model.git.entries import FOLDER, REGULAR
from gitops_model.git.paths import raw
from gitops_model.git.trees import Item, Trees

LIMIT_PATHS = 16
LIMIT_BYTES = 16 << 20
"""Beyond either, fast-import writes a pack that stays one; up to here there are at most some dozens of objects."""

COMMIT, TREE, BLOB = 1, 2, 3

Edits = Mapping[str, "bytes | str | None"]


class Base(NamedTuple):
    """What the commit stands on: its root tree (None: nothing yet), where trees are read, and how ids are made."""

    root: str | None
    trees: Trees
    object_format: str


class Commit(NamedTuple):
    """What a commit says besides its tree; `who` is `Name <address> seconds zone`."""

    parents: tuple[str, ...]
    who: str
    message: str


def fits(edits: Edits) -> bool:
    size = sum(len(content) for content in edits.values() if content is not None)
    return len(edits) <= LIMIT_PATHS and size <= LIMIT_BYTES


def commit(git: Git, base: Base, edits: Edits, what: Commit) -> str:
    """The id of a new commit whose tree is the base's with each path holding these bytes, this object, or nothing."""
    pack = _Pack(base.object_format)
    paths = {tuple(raw(path).split(b"/")): content for path, content in edits.items()}
    tree = _edited(pack, base.trees, base.root, paths)
    head = [f"tree {tree or pack.add(TREE, b'')}", *(f"parent {parent}" for parent in what.parents)]
    text = "\n".join([*head, f"author {what.who}", f"committer {what.who}", "", what.message])
    oid = pack.add(COMMIT, raw(text))
    args = ("unpack-objects", "-q")
    result = git.run(*args, stdin=pack.finished())
    if result.code:
        raise failed(args, result)
    return oid


def _edited(
    pack: "_Pack", trees: Trees, tree: str | None, edits: Mapping[tuple[bytes, ...], bytes | str | None]
) -> str | None:
    """The id of a tree after edits below it; None where nothing is left. Notes lie a few levels deep."""
    items = dict(trees.items(tree)) if tree is not None else {}
    below: dict[bytes, dict[tuple[bytes, ...], bytes | str | None]] = {}
    for (name, *rest), content in edits.items():
        if rest:
            below.setdefault(name, {})[tuple(rest)] = content
        elif content is None:
            items.pop(name, None)
        else:
            items[name] = Item(REGULAR | 0o644, content if isinstance(content, str) else pack.add(BLOB, content))
    for name, inner in below.items():
        old = items.get(name)
        new = _edited(pack, trees, old.oid if old is not None and old.is_tree else None, inner)
        if new is not None:
            items[name] = Item(FOLDER, new)
        elif old is not None and old.is_tree:
            del items[name]
    if not items:
        return None
    rows = sorted(items.items(), key=lambda row: row[0] + b"/" if row[1].is_tree else row[0])
    return pack.add(TREE, b"".join(b"%o %s\0%s" % (item.mode, name, bytes.fromhex(item.oid)) for name, item in rows))


class _Pack:
    """A pack of whole objects. (gitformat-pack)"""

    def __init__(self, object_format: str) -> None:
        self._new = hashlib.sha256 if object_format == "sha256" else hashlib.sha1
        self._deflate = zlib.compress
        self._parts: dict[str, bytes] = {}

    def add(self, kind: int, content: bytes) -> str:
        name = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob"}[kind]
        oid = self._new(b"%s %d\0%s" % (name, len(content), content)).hexdigest()
        size, first = len(content) >> 4, kind << 4 | len(content) & 15
        head = bytearray()
        while size:  # seven bits a byte, the lowest first; a set top bit says that more follow
            head.append(first | 0x80)
            first, size = size & 0x7F, size >> 7
        head.append(first)
        self._parts[oid] = bytes(head) + self._deflate(content, 1)
        return oid

    def finished(self) -> bytes:
        body = b"PACK" + (2).to_bytes(4, "big") + len(self._parts).to_bytes(4, "big") + b"".join(self._parts.values())
        return body + self._new(body).digest()
