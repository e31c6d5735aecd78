"""Tags: listing, reading the message of an annotated one, making one."""

from typing import NamedTuple

from gitops_model.errors import CouldNotRun
from gitops_model.git.command import Git, failed

_FORMAT = "%(refname)%00%(objecttype)%00%(objectname)%00%(*objectname)%00%(*objecttype)"
LIMIT = 1 << 20
"""Bytes of a tag object that are read."""


class Tag(NamedTuple):
    """`oid` is what the ref holds; `commit` where that leads, None for a tag on something else."""

    name: str
    oid: str
    commit: str | None
    is_annotated: bool


def tags(git: Git) -> list[Tag]:
    """All tags, by name."""
    found: list[Tag] = []
    for line in git.out("for-each-ref", f"--format={_FORMAT}", "refs/tags").split(b"\n"):
        if not line:
            continue
        name, kind, oid, inner, inner_kind = line.decode("utf-8", "surrogateescape").split("\0")
        annotated = kind == "tag"
        commit = inner if inner_kind == "commit" else oid if kind == "commit" else None
        found.append(Tag(name.removeprefix("refs/tags/"), oid, commit, annotated))
    return found


def message(git: Git, tag: Tag) -> str:
    """What the tag object says below its head; "" for a tag that is none."""
    if not tag.is_annotated:
        return ""
    content = git.out("cat-file", "tag", tag.oid)[:LIMIT].decode("utf-8", "replace")
    return content.partition("\n\n")[2]


def create(git: Git, name: str, commit: str, text: str) -> None:
    """An annotated tag, signed if the user's configuration says so. CouldNotRun when there is one, or no identity."""
    args = ("tag", "--annotate", "--cleanup=verbatim", "--file=-", "--", name, commit)
    result = git.run(*args, stdin=text.encode("utf-8", "surrogateescape"))
    if result.code:
        if "tell me who you are" in result.error or "empty ident" in result.error:
            raise CouldNotRun(
                "git does not know who makes the tag", hint="git config user.name 'YOUR NAME' (and user.email)"
            )
        raise failed(args, result)


def dirty(git: Git) -> list[str]:
    """The tracked files whose index or work tree differs from HEAD."""
    out = git.out("status", "--porcelain=v1", "-z", "--untracked-files=no", "--ignore-submodules=none")
    fields = iter(out.split(b"\0"))
    paths: list[str] = []
    for field in fields:
        if field:
            paths.append(field[3:].decode("utf-8", "surrogateescape"))
            if field[:1] in b"RC":
                next(fields, None)  # where it was
    return paths
