"""What a place holds: the files of a commit, of the index, or of the work tree."""

from enum import Enum
from typing import NamedTuple, TypeAlias

from gitops_model.git.paths import text

FOLDER = 0o040000
REGULAR = 0o100000
SYMLINK = 0o120000
GITLINK = 0o160000


class Special(Enum):
    """The two places that are no revision."""

    INDEX = "index"
    WORKTREE = "work tree"


INDEX = Special.INDEX
WORKTREE = Special.WORKTREE

Place: TypeAlias = str | Special
"""A revision (anything that names a commit), the index, or the work tree."""


class Entry(NamedTuple):
    """A file at a place. `oid` is None for a work-tree file that is not, or not exactly, what the index holds."""

    mode: int
    oid: str | None
    path: str

    @property
    def is_regular(self) -> bool:
        return self.mode & 0o170000 == REGULAR

    @property
    def is_symlink(self) -> bool:
        return self.mode & 0o170000 == SYMLINK  # on disk a link has permission bits, in git it has none

    @property
    def is_gitlink(self) -> bool:
        """A submodule: git holds a commit's id and nothing else."""
        return self.mode == GITLINK


def parse_index(out: bytes) -> list[Entry]:
    """`git ls-files -s -z`, also with -v; paths in conflict (stage 1 to 3) are left out: no commit can hold them."""
    entries: list[Entry] = []
    for record in out.split(b"\0"):
        head, _, path = record.partition(b"\t")
        fields = head.split()[-3:]
        if len(fields) == 3 and fields[2] == b"0":
            entries.append(Entry(int(fields[0], 8), fields[1].decode(), text(path)))
    return entries


def parse_conflicts(out: bytes) -> set[str]:
    """The paths of `git ls-files -s -z`, also with -v, that a merge left in conflict."""
    paths: set[str] = set()
    for record in out.split(b"\0"):
        head, _, path = record.partition(b"\t")
        if len(head.split()) >= 3 and not head.endswith(b" 0"):
            paths.add(text(path))
    return paths


def parse_tree(out: bytes) -> list[Entry]:
    """`git ls-tree -r -z`."""
    entries: list[Entry] = []
    for record in out.split(b"\0"):
        head, _, path = record.partition(b"\t")
        fields = head.split()
        if len(fields) == 3:
            entries.append(Entry(int(fields[0], 8), fields[2].decode(), text(path)))
    return entries
