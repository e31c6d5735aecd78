"""The versions of one model with what the notes say of each: what `log` and `blame` stand on. No model is opened."""

from typing import Any, NamedTuple

from gitops_model.git.deps import needed
from gitops_model.git.follow import Version, describe, follow, touching
from gitops_model.git.repository import Repository
from gitops_model.pipeline.recorded import Known
from gitops_model.pipeline.selection import from_root


class Told(NamedTuple):
    """A version and a valid note's line on it, None where there is none (or the file was removed)."""

    version: Version
    line: dict[str, Any] | None

    @property
    def is_unrecorded(self) -> bool:
        return self.line is None and self.version.entry is not None


def versions(repository: Repository, word: str, revision: str = "HEAD") -> tuple[str, list[Told]]:
    """The path from the root, and its versions, newest first, also those that only other data brought."""
    path = from_root(repository, (word,))[0]
    commit = repository.resolve(revision)
    found = follow(repository.git, commit, path)
    known = Known(repository, len(found))
    told = [Told(version, _line(known, version)) for version in found]
    others: set[str] = set()
    for one in told:
        if one.version.entry is not None:
            for line in known.all(one.version.entry):
                others |= needed(line, one.version.entry.path)
    if others:
        names = {one.version.entry.path for one in told if one.version.entry is not None}
        told = _with_others(repository, known, told, touching(repository.git, commit, others | names))
    return path, told


def _line(known: Known, version: Version) -> dict[str, Any] | None:
    return known.line(version.entry, version.commit, version.tree) if version.entry is not None else None


def _with_others(repository: Repository, known: Known, told: list[Told], commits: list[str]) -> list[Told]:
    """Put in the commits that change the model's other files: each is a version under the name of its time."""
    own = {one.version.commit: one for one in told}
    merged: list[Told] = []
    waiting = [one.version.entry for one in told]
    found = describe(repository.git, [*own, *commits])
    for commit in commits if own.keys() <= set(commits) else found:
        version = found[commit]
        if commit in own:
            merged.append(own[commit])
            waiting = waiting[1:]
        elif waiting and waiting[0] is not None:
            entry = repository.trees.find(version.tree, waiting[0].path)
            if entry is not None and entry.is_regular:
                placed = version._replace(entry=entry)
                merged.append(Told(placed, _line(known, placed)))
    return merged
