"""Compute the digests of models again and compare them with what the notes say."""

from collections.abc import Iterable
from typing import Any

from gitops_model import checks
from gitops_model.checks.facts import Facts, FileFacts
from gitops_model.errors import BadFile
from gitops_model.finding import Finding, Report
from gitops_model.git import deps as _deps
from gitops_model.git.entries import INDEX, Entry, Place
from gitops_model.git.lookup import Lookup
from gitops_model.git.notes import Notes
from gitops_model.git.notes import file_digests as stated
from gitops_model.git.repository import Repository
from gitops_model.pipeline.file_digests import file_digests
from gitops_model.pipeline.record import ALGORITHMS, describe
from gitops_model.pipeline.selection import models, staged_models

DIGESTS = ("weights", "structure", "signature", "optimizer")


def verify(
    repository: Repository,
    *,
    staged: bool = False,
    revision: str | None = None,
    paths: Iterable[str] = (),
    jobs: int | None = None,
) -> Report:
    """Findings: GM202 where a note is contradicted by the bytes, GM203 where there is none, and what is wrong with a
    file that cannot be read."""
    place: Place = INDEX if revision is None and not repository.is_bare else repository.resolve(revision or "HEAD")
    notes = Notes(repository)
    entries = staged_models(repository, notes, paths) if staged else models(repository, place, paths)
    findings: list[Finding] = []
    count = 0
    lookup = Lookup(repository, place)
    for entry in entries:
        count += 1
        facts = Facts(entry.path, files=(_facts(notes, lookup, entry, jobs),))
        findings += checks.run(facts)
    return Report(tuple(findings), files=count)


def _facts(notes: Notes, lookup: Lookup, entry: Entry, jobs: int | None) -> FileFacts:
    repository, place = lookup.repository, lookup.place
    facts = FileFacts(entry.path)
    recorded = _deps.valid(notes, lookup, entry)
    try:
        with repository.blob(entry, place) as blob:
            facts.size, facts.pointer, facts.content_is_local = blob.size, blob.pointer, blob.content_is_local
            if blob.pointer is not None:
                facts.computed = {blob.pointer.algorithm: blob.pointer.digest}
            if blob.content_is_local:
                fields, facts.problems = describe(lookup, entry.path, blob, jobs)
                facts.computed = {name: fields[name] for name in DIGESTS if name in fields}
                wanted = {name for line in recorded for name in stated(line) if name in ALGORITHMS}
                if blob.pointer is not None and blob.pointer.algorithm in ALGORITHMS:
                    wanted.add(blob.pointer.algorithm)
                facts.computed |= file_digests(blob, wanted)
    except BadFile as error:
        facts.problems = (error.problem,)
    facts.recorded = tuple(_comparable(line) for line in recorded)
    return facts


def _comparable(line: dict[str, Any]) -> dict[str, str]:
    """The digests of a note line by name; whole-file ones under the name of their algorithm."""
    digests = {name: line[name] for name in DIGESTS if isinstance(line.get(name), str)}
    return digests | stated(line)
