"""The versions of one file, newest first, as `git log --follow` finds them: across renames, on one line of history."""

from typing import NamedTuple

from gitops_model.errors import CouldNotRun
from gitops_model.git.changes import Change, parse_raw
from gitops_model.git.command import Git, failed
from gitops_model.git.entries import Entry

_LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}
_ORDER = ("log", "--no-walk=sorted", "--stdin", "-z", "--format=%H%x01%T%x01%cs%x01%an%x01%s")


class Version(NamedTuple):
    """A commit that brought a version, and the file there. `entry` is None where the commit removed the file.

    `tree` is the commit's root tree, `date` is YYYY-MM-DD.
    """

    commit: str
    tree: str
    date: str
    author: str
    subject: str
    entry: Entry | None


def follow(git: Git, revision: str, path: str) -> list[Version]:
    """Every version of `path` (from the root) that the history of `revision` has. CouldNotRun where there is none."""
    args = ("log", "--follow", "--raw", "-z", "--no-abbrev", "--format=%H", "--find-renames", revision, "--", path)
    result = git.run(*args, env=_LITERAL)
    if result.code:
        raise failed(args, result)
    changes = list(_changes(result.out))
    if not changes:
        raise CouldNotRun(f"{path!r} is in no commit of {revision}", hint="git log --all --oneline -- " + path)
    told = describe(git, [commit for commit, _ in changes])
    return [told[commit]._replace(entry=_entry(change)) for commit, change in changes]


def touching(git: Git, revision: str, paths: set[str]) -> list[str]:
    """The commits of a history that change any of the paths, none before one that follows it."""
    if not paths:
        return []
    args = ("rev-list", "--topo-order", revision, "--", *sorted(paths))
    result = git.run(*args, env=_LITERAL)
    if result.code:
        raise failed(args, result)
    return result.out.decode().split()


def describe(git: Git, commits: list[str]) -> dict[str, Version]:
    """What to say of commits, no entry in it, newest first."""
    result = git.run(*_ORDER, stdin="".join(f"{commit}\n" for commit in commits).encode())
    if result.code:
        raise failed(_ORDER, result)
    found: dict[str, Version] = {}
    for record in result.out.decode("utf-8", "replace").split("\0"):
        fields = record.split("\x01", 4)
        if len(fields) == 5:
            found[fields[0]] = Version(*fields, entry=None)
    return found


def _changes(out: bytes) -> list[tuple[str, Change]]:
    """`HASH` NUL, then `:… STATUS` NUL path NUL and a second path after R and C, again and again."""
    found: list[tuple[str, Change]] = []
    commit = ""
    fields = iter(out.split(b"\0"))
    for field in fields:
        word = field.strip(b"\n")
        if word.startswith(b":"):
            count = 2 if word.split()[4][:1] in (b"R", b"C") else 1
            found += [
                (commit, change) for change in parse_raw(b"\0".join([word, *(next(fields) for _ in range(count))]))
            ]
        elif word:
            commit = word.decode()
    return found


def _entry(change: Change) -> Entry | None:
    return None if change.new_oid is None else Entry(change.new_mode, change.new_oid, change.path)
