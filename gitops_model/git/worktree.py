"""When the file in the work tree may stand for a blob: no spool file of a gigabyte, and twice the speed."""

import os
from typing import TYPE_CHECKING

from gitops_model.blob import Blob, Pointer
from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.git.changes import DIFF_FILES, touched
from gitops_model.git.digest import digest
from gitops_model.git.disk import open_below
from gitops_model.git.entries import Entry

if TYPE_CHECKING:
    from gitops_model.git.command import Git
    from gitops_model.git.repository import Repository

_CONVERSIONS = ("filter", "ident", "working-tree-encoding")
"""Attributes under which a file of the same size may differ from its blob. Line ends change the size, so that
comparing it is enough."""


_LISTED = ("ls-files", "-s", "-v", "-z", "--")
_ATTRIBUTES = ("check-attr", "-z", *_CONVERSIONS, "--")


def expect_unmodified(git: "Git", path: str) -> None:
    """Start asking git what `unmodified` will want to know of a path."""
    for command in (_ATTRIBUTES, DIFF_FILES):
        git.expect(*command, path)


def unmodified(repository: "Repository", entry: Entry, size: int, *, filtered: bool = False) -> int | None:
    """A descriptor of the work-tree file at the entry's path, if its bytes are certainly the blob's; else None.

    They are when the index holds this very id, git's own comparison (its stat data, and its content where that is
    racy) says unmodified, nobody told git to assume so, no conversion applies, and the size is `size`. With
    `filtered`, the file is the smudged content of a pointer, and the filter must be LFS's.
    """
    if repository.root is None or entry.oid is None:
        return None
    try:
        fd = open_below(repository.root, entry.path, entry.path)
    except (BadFile, CouldNotRun):
        return None
    try:
        if os.fstat(fd).st_size == size and _is_index_entry(repository, entry, filtered):
            kept, fd = fd, -1
            return kept
        return None
    finally:
        if fd >= 0:
            os.close(fd)


def smudged(repository: "Repository", blob: Blob, pointer: Pointer) -> int | None:
    """A descriptor of the work-tree file at the path of a pointer's blob, if it is the content pointed to; else None.

    Where the index cannot vouch for it (another place, or stat data out of date), a file of the right size is hashed.
    """
    if repository.root is None or pointer.size is None or pointer.algorithm != "sha256":
        return None
    fd = unmodified(repository, Entry(0o100644, blob.oid, blob.path), pointer.size, filtered=True)
    if fd is not None:
        return fd
    try:
        content = Blob.of_fd(blob.path, open_below(repository.root, blob.path, blob.path))
    except (BadFile, CouldNotRun):
        return None
    with content:
        if content.size == pointer.size and digest(content, "sha256") == pointer.digest:
            return content.duplicate()
    return None


def _is_index_entry(repository: "Repository", entry: Entry, filtered: bool) -> bool:
    git = repository.git
    listed = git.run(*_LISTED, entry.path)
    # "H" is plain; lower case is assume-unchanged, "S" skip-worktree: there git would not look at the file.
    expected = f" {entry.oid} 0\t".encode()
    if not listed.out.startswith(b"H ") or expected not in listed.out or listed.out.count(b"\0") != 1:
        return False
    attributes = git.run(*_ATTRIBUTES, entry.path).out.split(b"\0")
    values = dict(zip(attributes[1::3], attributes[2::3], strict=False))
    conversions = {name: value for name, value in values.items() if value not in (b"unspecified", b"unset")}
    if conversions != ({b"filter": b"lfs"} if filtered else {}):
        return False
    try:
        return not touched(git, (entry.path,))
    except CouldNotRun:
        return False
