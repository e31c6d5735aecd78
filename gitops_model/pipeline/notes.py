"""What the notes say about a model file, and the exchange of notes with a remote."""

import re
from collections.abc import Iterable

from gitops_model.checks import command
from gitops_model.errors import CouldNotRun
from gitops_model.git.deps import current
from gitops_model.git.entries import INDEX, Entry, Place
from gitops_model.git.lookup import Lookup
from gitops_model.git.notes import Notes, parse_line
from gitops_model.git.repository import Repository
from gitops_model.git.sync import Outcome, remotes, sync
from gitops_model.pipeline.selection import from_root
from gitops_model.render.notes import Line, Shown


def show(repository: Repository, word: str) -> Shown:
    """The note on `[REV:]PATH` (of the index without REV), or on the blob whose whole id is given."""
    if re.fullmatch(f"[0-9a-f]{{{2 * repository.id_length}}}", word):
        oid, place, entry = word, None, None
    else:
        place, entry = _find(repository, word)
        if entry.oid is None:
            raise CouldNotRun(f"{word}: git holds no such content", hint=command("git", "add", "--", f":/{entry.path}"))
        oid = entry.oid
    lines: list[Line] = []
    for text in Notes(repository).lines(oid):
        fields = parse_line(text)
        valid = None
        if place is not None and entry is not None and fields is not None:
            valid = current(Lookup(repository, place), entry.path, fields)
        lines.append(Line(text, fields, valid))
    return Shown(oid, entry.path if entry is not None else None, tuple(lines))


def _find(repository: Repository, word: str) -> tuple[Place, Entry]:
    revision, colon, path = word.partition(":")
    here = from_root(repository, (word,))[0] if not repository.is_bare else word
    entry = None if repository.is_bare else repository.entry(INDEX, here)
    if entry is not None:
        return INDEX, entry
    if colon:
        place: Place = revision or INDEX
        name = from_root(repository, (path,))[0] if path.startswith(("./", "../")) else path
        entry = repository.entry(place, name)
        if entry is not None:
            return place, entry
        raise CouldNotRun(f"{name} is not in {revision or 'the index'}")
    raise CouldNotRun(f"{word} is not in the index, and no whole object id", hint="gitops-model notes show REV:PATH")


def sync_all(
    repository: Repository,
    names: Iterable[str],
    *,
    push: bool = True,
    interactive: bool = True,
    timeout: float | None = None,
) -> list[Outcome]:
    """Exchange notes with the named remotes; with none named, `origin`, or the only remote there is."""
    chosen = list(names) or [default_remote(repository)]
    return [sync(repository, name, push=push, interactive=interactive, timeout=timeout) for name in chosen]


def default_remote(repository: Repository) -> str:
    known = remotes(repository)
    if "origin" in known:
        return "origin"
    if len(known) == 1:
        return known[0]
    if not known:
        raise CouldNotRun("this repository has no remote", hint="git remote add origin ADDRESS")
    raise CouldNotRun(f"which remote? one of: {', '.join(known)}", hint="gitops-model notes sync REMOTE")
