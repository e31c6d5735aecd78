"""Does the next commit touch a model, a manifest, or a file that a manifest lists? Two git processes at most.

Everything is as the index has it. Names are compared without reading any model: endings are those of the FORMATS table
(suffixes.py, generated), and for other files the manifests of the index are searched for their names.
"""

import os

from .suffixes import SUFFIXES

MOST_NAMES = 1000
"""Changed files beyond which searching the manifests for each name is no quicker than checking them all."""

STAGED = (
    *("git", "diff", "--cached", "--raw", "-z", "--no-renames", "--no-relative", "--no-color", "--no-ext-diff"),
    *("--ignore-submodules=all", "-O/dev/null"),
)
SEARCH = ("git", "grep", "--cached", "--quiet", "--text", "--fixed-strings", "--threads=1")
MANIFESTS = (":(top,glob)**/model.yaml", ":(top,glob)**/*.model.yaml")


class GitFailed(Exception):
    """git ended with a code that means failure; it has said why on standard error."""


def staged_paths() -> list[bytes]:
    """Every path that the next commit adds, changes or deletes; a rename is one of each."""
    code, out = git(*STAGED)
    if code:
        raise GitFailed(code)
    fields = out.split(b"\0")
    return [path for head, path in zip(fields[::2], fields[1::2], strict=False) if head.startswith(b":")]


def concerns_models(paths: list[bytes]) -> bool:
    """Whether any of the paths is a model or a manifest, or may stand in a manifest."""
    if any(is_model(path) or is_manifest(path) for path in paths):
        return True
    return bool(paths) and (len(paths) > MOST_NAMES or listed(paths))


def is_model(path: bytes) -> bool:
    return path.lower().removesuffix(b".dvc").endswith(SUFFIXES)


def is_manifest(path: bytes) -> bool:
    name = path.rpartition(b"/")[2]
    return name == b"model.yaml" or name.endswith(b".model.yaml")


def listed(paths: list[bytes]) -> bool:
    """Whether a manifest in the index holds the name of one of the files.

    A quoted YAML string may spell a name with escapes, or break it at a blank: a manifest with a backslash counts, and
    of a name only its longest part without a blank is looked for.
    """
    names = {max(path.rpartition(b"/")[2].split(), key=len, default=b"\\") for path in paths}
    patterns = [word for name in sorted({b"\\", *names}) for word in (b"-e", name)]
    code, _ = git(*SEARCH, *patterns, "--", *MANIFESTS)
    if code > 1:
        raise GitFailed(code)
    return code == 0


def git(*words: str | bytes) -> tuple[int, bytes]:
    """(exit code, standard output). `subprocess` takes longer to import than git to run."""
    reader, writer = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_CLOSE, reader), (os.POSIX_SPAWN_CLOSE, writer)]
    try:
        pid = os.posix_spawnp("git", words, os.environ, file_actions=actions)
    except OSError as error:
        os.close(reader)
        os.close(writer)
        raise GitFailed(f"git cannot be started: {error.strerror}") from error
    os.close(writer)
    parts: list[bytes] = []
    while part := os.read(reader, 1 << 16):
        parts.append(part)
    os.close(reader)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), b"".join(parts)
