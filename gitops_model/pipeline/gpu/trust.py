"""`gpu trust`: did the files that a change brings pass the GPU gate? On a CPU, by blob ids that are computed here.

Believed is one thing: that the newest status `gitops-model/gpu` of the expected source, on the commit of a candidate's
tag, is a success, where the tag's commit holds exactly the blobs that the change brings.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.finding import Finding, Report
from gitops_model.git import tags as _tags
from gitops_model.git.repository import Repository
from gitops_model.manifest import is_manifest_path, load
from gitops_model.pipeline.gpu.forge import CONTEXT, SOURCE, github, run_url
from gitops_model.pipeline.tag import Found, blobs_of, manifest_of
from gitops_model.release.names import parse
from gitops_model.release.reasons import finding

if TYPE_CHECKING:
    from gitops_model.net.github import GitHub


class Trusted(NamedTuple):
    """`models` → the tag whose passing is theirs; the findings are about the others."""

    commit: str
    models: dict[str, str]
    report: Report


def trust(
    repository: Repository,
    environ: Mapping[str, str],
    *,
    base: str | None,
    head: str,
    model: str | None = None,
    source: str = SOURCE,
    publish: bool = False,
) -> Trusted:
    """Every model of `head` (or one) whose files differ from those at `base` (None: all) must have passed."""
    commit = repository.resolve(head)
    forge = github(environ)
    models: dict[str, str] = {}
    findings: list[Finding] = []
    before = set(releases(repository, repository.resolve(base))) if base is not None else set[tuple[str, Blobs]]()
    seen = False
    for path, found, problem in _manifests(repository, commit):
        if found is None and model is None:
            findings.append(finding("GM510", path, problem or "the manifest cannot be read"))
        if found is None or (model is not None and found.manifest.name != model):
            continue
        seen = True
        key = (found.manifest.name, frozenset(blobs_of(repository, commit, found).items()))
        if key in before:
            continue
        passed = _passed(repository, forge, key, source)
        if passed is None:
            name, version = found.manifest.name, found.manifest.version.partition("-")[0]
            message = f"no candidate of {name} with these files has passed the GPU gate"
            findings.append(finding("GM510", path, message, hint=f"gitops-model tag {name} {version}-rc.1"))
        else:
            models[found.manifest.name] = passed
    if model is not None and not seen:
        raise CouldNotRun(f"{head} has no manifest of a model {model!r} that can be read")
    if publish:
        state = "failure" if findings else "success"
        said = f"{len(findings)} not passed" if findings else f"{len(models)} passed" if models else "no model changes"
        forge.set_status(commit, state, CONTEXT, f"models: {said}", run_url(environ))
    return Trusted(commit, models, Report(tuple(findings)))


Blobs = frozenset[tuple[str, str]]


def releases(repository: Repository, commit: str) -> Iterator[tuple[str, Blobs]]:
    """(name, its files) of every manifest of a commit that can be read."""
    for _, found, _ in _manifests(repository, commit):
        if found is not None:
            yield found.manifest.name, frozenset(blobs_of(repository, commit, found).items())


def _manifests(repository: Repository, commit: str) -> Iterator[tuple[str, Found | None, str | None]]:
    for entry in repository.entries(commit):
        if not is_manifest_path(entry.path) or not entry.is_regular:
            continue
        try:
            with repository.blob(entry, commit) as blob:
                manifest, problems = load(blob)
            if manifest is None or problems:
                yield entry.path, None, problems[0].message if problems else None
                continue
            found = Found(entry, manifest, "")
            blobs_of(repository, commit, found)
        except BadFile as error:
            yield entry.path, None, error.problem.message
        else:
            yield entry.path, found, None


def _passed(repository: Repository, forge: "GitHub", key: tuple[str, Blobs], source: str) -> str | None:
    """The newest candidate of these files whose commit has the status."""
    name, blobs = key
    found: list[tuple[object, str, str]] = []
    for tag in _tags.tags(repository.git):
        known = parse(tag.name)
        if known is None or known.scheme != "gitops-model" or known.name != name or known.version is None:
            continue
        if known.version.is_final or tag.commit is None or not tag.is_annotated:
            continue
        try:
            there = manifest_of(repository, tag.commit, name)
            if frozenset(blobs_of(repository, tag.commit, there).items()) == blobs:
                found.append((known.version.precedence, tag.name, tag.commit))
        except BadFile:
            continue
    for _, text, commit in sorted(found, reverse=True, key=lambda row: row[:2]):
        if has_passed(forge, commit, source):
            return text
    return None


def has_passed(forge: "GitHub", commit: str, source: str) -> bool:
    """Whether the newest status of the gate on a commit, of those from its source, is a success."""
    for status in forge.statuses(commit):
        if status.context == CONTEXT and status.creator == source:
            return status.state == "success"
    return False
