"""Paths as git has them: bytes with `/`, held as text; and the rules for a path that stands *inside* a file."""

import re

from gitops_model.errors import BadFile, Problem

_NO_BYTES = "[\ud800-\udc7f\udd00-\udfff]"
"""Halves of characters that stand for no byte: JSON and YAML can spell them, no file is called so."""


def text(raw: bytes) -> str:
    """Bytes of a path as text; what is not UTF-8 becomes surrogates and comes back the same, whatever the locale."""
    return raw.decode("utf-8", "surrogateescape")


def raw(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def folder_of(path: str) -> str:
    """The folder of a path, "" for the root."""
    return path.rpartition("/")[0]


def resolve(folder: str, path: str) -> str:
    """The path from the root that `path`, written in a file of `folder`, means.

    `..` is taken by name, which is right because no symbolic link is ever followed. GM601 when it is absolute, leaves
    the root, or enters a `.git`.
    """
    if not path or "\0" in path or re.search(_NO_BYTES, path):
        raise BadFile(Problem("GM601", f"{path!r} is no path of a file", found=repr(path)))
    if path.startswith("/"):
        raise BadFile(Problem("GM601", f"the path {path!r} is absolute", expected="a relative path", found=path))
    parts = folder.split("/") if folder else []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            if not parts:
                raise BadFile(
                    Problem(
                        "GM601", f"the path {path!r} leaves the repository", expected="a path inside it", found=path
                    )
                )
            parts.pop()
        elif part.lower() == ".git":
            raise BadFile(Problem("GM601", f"the path {path!r} reaches into .git", found=path))
        else:
            parts.append(part)
    if path.rpartition("/")[2] in ("", ".", ".."):
        raise BadFile(Problem("GM602", f"the path {path!r} names a folder", expected="a regular file", found=path))
    return "/".join(parts)
