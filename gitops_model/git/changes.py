"""What changed between two places, from `git diff --raw -z`: deletions, type changes and symbolic links included."""

from collections.abc import Mapping
from typing import NamedTuple

from gitops_model.errors import CouldNotRun
from gitops_model.git.command import RAW_DIFF, Git, failed
from gitops_model.git.environment import for_this
from gitops_model.git.paths import text


class Change(NamedTuple):
    """One path. `status` is git's letter: A added, M modified, D deleted, T type changed, U in conflict, R renamed.

    A mode is 0 and an id None where there is no file; the id is None as well for a work-tree file that git did not
    hash. `old_path` is set for a rename or copy.
    """

    status: str
    old_mode: int
    new_mode: int
    old_oid: str | None
    new_oid: str | None
    path: str
    old_path: str | None = None


class Range(NamedTuple):
    """Two revisions to compare; with `merge_base` the old side is their merge base (`A...B`)."""

    old: str
    new: str
    merge_base: bool = False


def parse_range(word: str) -> Range | None:
    """`A..B` and `A...B`, an omitted side being HEAD; None when the word is no range."""
    old, dots, new = word.partition("...")
    if dots:
        return Range(old or "HEAD", new or "HEAD", merge_base=True)
    old, dots, new = word.partition("..")
    return Range(old or "HEAD", new or "HEAD") if dots else None


def parse_raw(out: bytes) -> list[Change]:
    """`:100644 100755 OLD NEW S` NUL path NUL, and a second path after R and C."""
    changes: list[Change] = []
    fields = iter(out.split(b"\0"))
    for head in fields:
        if not head.startswith(b":"):
            continue
        old_mode, new_mode, old_oid, new_oid, status = head[1:].split()
        path = text(next(fields))
        old_path = None
        letter = status[:1].decode()
        if letter in "RC":
            old_path, path = path, text(next(fields))
        changes.append(
            Change(letter, int(old_mode, 8), int(new_mode, 8), known(old_oid), known(new_oid), path, old_path)
        )
    return changes


def known(oid: bytes) -> str | None:
    """The id as text; None for git's all-zero id."""
    return oid.decode() if oid.strip(b"0") else None


def staged(folder: str, environ: Mapping[str, str]) -> list[Change]:
    """What `git commit` is about to change, for a hook that may need nothing else: one process, nothing opened."""
    args = (*RAW_DIFF, "--cached")
    result = Git(folder, for_this(environ)).run(*args)
    if result.code:
        raise failed(args, result)
    return parse_raw(result.out)


def diff(
    git: Git,
    *,
    staged: bool = False,
    old: str | None = None,
    new: str | None = None,
    merge_base: bool = False,
    paths: tuple[str, ...] = (),
    renames: bool = False,
) -> list[Change]:
    """As `git diff`: index → work tree, `staged` HEAD (or `old`) → index, `old` → work tree, `old` → `new`."""
    if new is not None and (staged or old is None):
        raise CouldNotRun("two sides are needed to compare with a revision")
    args = [*RAW_DIFF]
    if renames:
        args.append("--find-renames")
    if staged:
        args.append("--cached")
    if merge_base and new is not None:
        args.append("--merge-base")
    args += [side for side in (old, new) if side is not None]
    return parse_raw(git.out(*args, "--", *paths))


def touched(git: Git, paths: tuple[str, ...] = ()) -> set[str]:
    """Work-tree files that differ from the index, or may: a file whose stat data is out of date counts as touched.

    `git diff-files`, since `git diff` would read such files whole into memory to find out.
    """
    return {change.path for change in parse_raw(git.out(*DIFF_FILES, *paths))}


DIFF_FILES = (
    "-c",
    "core.bigFileThreshold=1m",
    "diff-files",
    "--raw",
    "-z",
    "--no-abbrev",
    "--no-renames",
    "--no-relative",
    "--ignore-submodules=none",
    "-O/dev/null",
    "--",
)
"""The command that says it; paths follow."""
