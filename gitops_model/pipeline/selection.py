"""Which model files a run is about: from what the user typed to entries of a place."""

import os
from collections.abc import Iterable, Iterator

from gitops_model.errors import CouldNotRun
from gitops_model.git.deps import needed
from gitops_model.git.entries import INDEX, Entry, Place
from gitops_model.git.notes import Notes, parse_line
from gitops_model.git.repository import Repository
from gitops_model.readers import is_model_path


def from_root(repository: Repository, paths: Iterable[str]) -> list[str]:
    """Paths as typed in the caller's folder, as paths from the root; the root itself is "."."""
    names: list[str] = []
    for path in paths:
        if repository.root is not None and os.path.isabs(path):
            folder, name = os.path.split(os.path.normpath(path))
            full = os.path.join(os.path.realpath(folder), name)
        else:
            full = os.path.normpath(os.path.join(repository.root or "/", repository.prefix, path))
        name = os.path.relpath(full, repository.root or "/")
        if name == ".." or name.startswith("../"):
            raise CouldNotRun(f"{path} is outside the repository {repository.root}")
        names.append(name)
    return names


def is_model(path: str) -> bool:
    """Whether a path is a model by its name, or a `.dvc` file that stands for one."""
    return is_model_path(path.removesuffix(".dvc"))


def models(repository: Repository, place: Place, paths: Iterable[str] = ()) -> Iterator[Entry]:
    """The model files of a place, all of them or those below `paths`; a file named itself counts whatever its name.

    CouldNotRun for a path that nothing at the place matches.
    """
    typed = list(paths)
    names = from_root(repository, typed)
    wanted = [] if "." in names else names
    matched: set[str] = set()
    for entry in repository.entries(place, wanted):
        named = entry.path in names
        matched.update(name for name in wanted if name == entry.path or entry.path.startswith(name + "/"))
        if named or (is_model(entry.path) and not entry.is_gitlink):
            yield entry
    for name, word in zip(wanted, typed, strict=False):
        if name not in matched:
            from gitops_model.checks import command

            where = place if isinstance(place, str) else f"the {place.value}"
            raise CouldNotRun(f"{name} is not in {where}", hint=command("git", "add", "--", word))


def staged_models(repository: Repository, notes: Notes, paths: Iterable[str] = ()) -> Iterator[Entry]:
    """The model files that the next commit adds or changes, as the index has them.

    A model whose external data changes is changed too, though its own blob stays: its notes say what it needs.
    """
    names = from_root(repository, paths)
    others: set[str] = set()
    given: set[str] = set()
    for change in repository.changes(staged=True, paths=[] if "." in names else names):
        if change.new_oid is not None and (is_model(change.path) or change.path in names):
            entry = Entry(change.new_mode, change.new_oid, change.path)
            if not entry.is_gitlink:
                given.add(entry.path)
                yield entry
        others.add(change.path)
    if others:
        yield from (
            entry for entry in models(repository, INDEX) if entry.path not in given and _needs(notes, entry, others)
        )


def _needs(notes: Notes, entry: Entry, files: set[str]) -> bool:
    """Whether a note on the entry names one of these files as external data."""
    for line in notes.lines(entry.oid or ""):
        if '"deps":[{' not in line:  # most models have none, and a line may be megabytes of JSON
            continue
        fields = parse_line(line)
        if fields is not None and not files.isdisjoint(needed(fields, entry.path)):
            return True
    return False
