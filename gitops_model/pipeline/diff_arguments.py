"""What the words of `diff` mean, as git would read them, with files beside revisions."""

import os
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gitops_model.errors import CouldNotRun

if TYPE_CHECKING:
    from gitops_model.git.repository import Repository


class TwoFiles(NamedTuple):
    """Compare `[REV:]PATH` with `[REV:]PATH`."""

    before: str
    after: str


class TwoStates(NamedTuple):
    """Compare as `git diff`: `old` and `new` are revisions (None: the index or the work tree); paths from the root."""

    old: str | None = None
    new: str | None = None
    staged: bool = False
    merge_base: bool = False
    paths: tuple[str, ...] = ()


Comparison: TypeAlias = TwoFiles | TwoStates


def understand(
    words: list[str],
    after_dashes: list[str] | None,
    repository: "Repository | None",
    cwd: str,
    *,
    staged: bool = False,
    no_index: bool = False,
) -> Comparison:
    """Tell revisions from paths. CouldNotRun where a word is both, or neither."""
    if no_index:
        names = [*words, *(after_dashes or ())]
        if len(names) != 2 or staged:
            raise CouldNotRun("--no-index compares two files")
        return TwoFiles(*names)
    bare = repository is not None and repository.is_bare  # HEAD is there a file of git's own, and no model
    files = [_is_there(word, cwd) for word in words]
    revisions = [_is_revision(word, repository) for word in words]
    if after_dashes is None and not staged and len(words) == 2 and all(map(_is_file, words, [cwd] * 2)):
        if not any(revisions):
            return TwoFiles(*words)
        if not bare:
            raise ambiguous(next(word for word, revision in zip(words, revisions, strict=True) if revision))
    specs = [_is_blob(word, repository) for word in words]
    if after_dashes is None and not staged and len(words) == 2 and any(specs):
        if all(spec or there for spec, there in zip(specs, files, strict=True)):
            return TwoFiles(*words)
        raise neither(words[[s or t for s, t in zip(specs, files, strict=True)].index(False)], repository)
    if repository is None:
        raise CouldNotRun("there is no repository here: outside one, diff compares two files")
    leading: list[str] = []
    rest = list(words)
    while rest and _is_revision(rest[0], repository):
        if after_dashes is None and not bare and _is_there(rest[0], cwd):
            raise ambiguous(rest[0])
        leading.append(rest.pop(0))
    if after_dashes is not None and rest:
        raise CouldNotRun(f"{rest[0]!r} names no revision", hint="git log --oneline --all")
    for word in rest:
        if not _is_there(word, cwd):
            raise neither(word, repository)
    paths = tuple(from_root(word, repository) for word in (*rest, *(after_dashes or ())))
    return _states(leading, staged, paths)


def neither(word: str, repository: "Repository | None") -> CouldNotRun:
    revision, colon, path = word.partition(":")
    if colon and repository is not None and repository.lookup(revision) is not None:
        return CouldNotRun(f"{path!r} is not in {revision}")
    return CouldNotRun(
        f"{word!r} is neither a revision nor a file here", hint="put -- before the name of a file that is gone"
    )


def ambiguous(word: str) -> CouldNotRun:
    return CouldNotRun(
        f"{word!r} is both a revision and a file",
        hint="put -- after the revisions or before the files; --no-index compares two files",
    )


def _states(revisions: list[str], staged: bool, paths: tuple[str, ...]) -> TwoStates:
    from gitops_model.git.changes import parse_range

    if len(revisions) > 2:
        raise CouldNotRun(f"{len(revisions)} revisions: diff compares two states")
    for word in revisions:
        span = parse_range(word)
        if span is not None:
            if len(revisions) > 1 or staged:
                raise CouldNotRun(f"{word} names two states by itself")
            return TwoStates(span.old, span.new, merge_base=span.merge_base, paths=paths)
    if staged and len(revisions) == 2:
        raise CouldNotRun("--staged compares the index with one revision")
    old, new = [*revisions, None, None][:2]
    return TwoStates(old, new, staged, paths=paths)


def from_root(word: str, repository: "Repository") -> str:
    """A path as the caller wrote it, relative to where they stand, as a path from the top of the repository."""
    root = repository.root or ""
    full = os.path.normpath(os.path.join(root, repository.prefix, word))
    if os.path.isabs(word):
        folder, name = os.path.split(os.path.normpath(word))
        full = os.path.join(os.path.realpath(folder), name)
    path = os.path.relpath(full, root)
    if path == os.pardir or path.startswith(os.pardir + os.sep):
        raise CouldNotRun(f"{word} is outside the repository at {root}")
    return "" if path == os.curdir else path


def _is_there(word: str, cwd: str) -> bool:
    return os.path.lexists(os.path.join(cwd, word))


def _is_file(word: str, cwd: str) -> bool:
    return _is_there(word, cwd) and not os.path.isdir(os.path.join(cwd, word))


def _is_revision(word: str, repository: "Repository | None") -> bool:
    from gitops_model.git.changes import parse_range

    if repository is None:
        return False
    span = parse_range(word)
    if span is not None and repository.lookup(span.old) and repository.lookup(span.new):
        return set(word) != {"."}  # `..` is a folder
    return repository.lookup(word) is not None


def _is_blob(word: str, repository: "Repository | None") -> bool:
    """Whether a word is REV:PATH (or :PATH) of something that exists."""
    revision, colon, path = word.partition(":")
    if repository is None or not colon or not path:
        return False
    if path.startswith(("./", "../")):
        path = os.path.normpath(repository.prefix + path)
    if revision:
        return repository.lookup(revision) is not None and repository.entry(revision, path) is not None
    from gitops_model.git.entries import INDEX

    return repository.entry(INDEX, path) is not None
