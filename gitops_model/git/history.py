"""Every version that a file ever had, from all commits that are here (a shallow clone ends where it ends)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gitops_model.git.changes import parse_raw
from gitops_model.git.command import Git, failed
from gitops_model.git.entries import Entry

_GLOB = {"GIT_LITERAL_PATHSPECS": "0"}
"""Patterns are wanted here, and here only."""


class Version(NamedTuple):
    """An entry and a commit that brought it."""

    commit: str
    entry: Entry


def commits(git: Git, patterns: Iterable[str]) -> list[str]:
    """The commits of branches, tags and remotes that touch paths matching the pathspecs, oldest first.

    Other refs are left out: notes, stashes of tools, and what else holds no history of files.
    """
    args = ("rev-list", "--branches", "--tags", "--remotes", "HEAD", "--full-history", "--reverse", "--", *patterns)
    result = git.run(*args, env=_GLOB)
    if result.code:
        if "ambiguous argument 'HEAD'" in result.error or "bad revision 'HEAD'" in result.error:
            return []  # nothing is committed yet
        raise failed(args, result)
    return result.out.decode().split()


def versions(git: Git, suffixes: Iterable[str]) -> Iterator[Version]:
    """Each regular file with one of the name endings, once per blob and path, with the commit that brought it.

    Merges are compared with each parent, so that what only a merge brought is seen as well.
    """
    patterns = [f":(top,icase,glob)**/*{suffix}" for suffix in suffixes]
    listed = commits(git, patterns)
    if not listed or not patterns:
        return
    args = ("diff-tree", "--stdin", "-r", "-m", "--root", "--raw", "-z", "--no-abbrev", "--no-renames", "--", *patterns)
    result = git.run(*args, stdin="".join(f"{commit}\n" for commit in listed).encode(), env=_GLOB)
    if result.code:
        raise failed(args, result)
    seen: set[tuple[str, str]] = set()
    for commit, raw in _per_commit(result.out):
        for change in parse_raw(raw):
            key = (change.new_oid or "", change.path)
            if change.new_oid is not None and key not in seen:
                seen.add(key)
                entry = Entry(change.new_mode, change.new_oid, change.path)
                if entry.is_regular:
                    yield Version(commit, entry)


def _per_commit(out: bytes) -> Iterator[tuple[str, bytes]]:
    """Cut the output of `diff-tree --stdin -z` at its commit lines: an id and, for a merge, `(from PARENT)`."""
    commit = ""
    fields: list[bytes] = []
    paths = 0  # paths that belong to the last head: never mistaken for a commit line
    for field in out.split(b"\0"):
        if paths:
            paths -= 1
            fields.append(field)
        elif field.startswith(b":"):
            paths = 1
            fields.append(field)
        elif field:
            if fields:
                yield commit, b"\0".join(fields)
            commit, fields = field.split()[0].decode(), []
    if fields:
        yield commit, b"\0".join(fields)
