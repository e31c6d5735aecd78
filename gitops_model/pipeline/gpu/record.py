"""Verdicts in notes: one line of kind `gpu` per model blob and target."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.git import deps
from gitops_model.git.entries import INDEX, WORKTREE, Entry, Place
from gitops_model.git.lookup import Lookup
from gitops_model.git.notes import VERSION, Notes, canonical
from gitops_model.git.repository import Repository
from gitops_model.pipeline.gpu.scan import path_of
from gitops_model.pipeline.selection import from_root
from gitops_model.render.gpu import Judged

KIND = "gpu"


class Kept(NamedTuple):
    """The paths on whose blobs the verdicts stand now, and for the others why not."""

    recorded: tuple[str, ...] = ()
    unrecorded: tuple[str, ...] = ()


def fields_of(judged: Judged, models: list[dict[str, str]]) -> dict[str, Any]:
    """The line on a model whose other files are `models`: no time, no host, nothing that a second run would change."""
    verdict = judged.verdict
    decisive = {reason.code for reason in verdict.reasons if reason.effect.verdict == verdict.verdict and reason.effect}
    return {
        "v": VERSION,
        "kind": KIND,
        "target": verdict.target,
        "gpus": sorted({gpu.name for gpu in verdict.gpus}),
        "verdict": verdict.verdict,
        "errors": sorted(decisive),
        "facts": judged.facts,
        "deps": models,
    }


def record(
    models: Iterable[tuple[str, tuple[str, ...]]],
    judged: Iterable[Judged],
    cwd: str,
    environ: Mapping[str, str],
) -> Kept:
    """Keep verdicts on the models (`[REV:]PATH`, and the other files that each names) that git holds."""
    verdicts = tuple(judged)
    named = tuple(models)
    if not named or not verdicts:
        return Kept()
    repository = Repository.find(cwd, environ)
    if repository is None:
        return Kept((), ("there is no repository to keep the verdict in",))
    recorded: list[str] = []
    missing: list[str] = []
    lines: dict[str, set[str]] = {}
    with repository:
        for word, others in named:
            try:
                place, entry = _entry(repository, word, cwd)
                if entry.oid is None:
                    missing.append(f"{word} is not what git holds: git add -- {word}")
                    continue
                told = deps.describe(Lookup(repository, place), entry.path, others)
            except (BadFile, CouldNotRun) as error:
                missing.append(f"{word}: {error}")
                continue
            lines.setdefault(entry.oid, set()).update(canonical(fields_of(one, told)) for one in verdicts)
            recorded.append(word)
        if lines:
            Notes(repository).add(lines, "Notes added by gitops-model gpu check\n")
    return Kept(tuple(recorded), tuple(missing))


def _entry(repository: Repository, word: str, cwd: str) -> tuple[Place, Entry]:
    path = path_of(word, cwd)
    if path == word:
        place: Place = INDEX if repository.is_bare else WORKTREE
        name = from_root(repository, (path,))[0]
    else:
        place = word[: len(word) - len(path) - 1] or INDEX
        name = from_root(repository, (path,))[0] if path.startswith(("./", "../")) else path
    entry = repository.entry(place, name)
    if entry is None:
        raise CouldNotRun("git does not know it")
    return place, entry
