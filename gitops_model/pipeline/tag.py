"""`tag`: make the tag of a release, verify one, list them."""

import hashlib
from typing import NamedTuple

from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.finding import Finding, Report, Severity
from gitops_model.git import refs
from gitops_model.git import tags as _tags
from gitops_model.git.entries import Entry
from gitops_model.git.lookup import Lookup
from gitops_model.git.paths import folder_of
from gitops_model.git.repository import Repository
from gitops_model.manifest import Manifest, is_manifest_path, load
from gitops_model.release import block as _block
from gitops_model.release.block import Block, File
from gitops_model.release.names import TagName, is_name, is_release, parse
from gitops_model.release.reasons import finding
from gitops_model.release.rules import Release, Tagged, believe, may_tag
from gitops_model.release.versions import Version
from gitops_model.render.tag import Outcome, Row

NOTHING = Report(())


class Found(NamedTuple):
    """The manifest of a model in a commit."""

    entry: Entry
    manifest: Manifest
    sha256: str


def make(
    repository: Repository,
    name: str,
    version: str,
    *,
    rev: str = "HEAD",
    words: str = "",
    maintenance: bool = False,
    dry_run: bool = False,
) -> Outcome:
    """Tag the model `name` of a commit as `version` (X.Y.Z or X.Y.Z-rc.N), unless a rule forbids it."""
    version = version.removeprefix("v")
    wanted = _wanted(name, version)
    commit = repository.resolve(rev)
    found = manifest_of(repository, commit, name)
    release = _release(repository, commit, found, name, wanted)
    there = _tags.tags(repository.git)
    known = _of_model(repository, there, name, commit if maintenance else None)
    same = next((one for one in known if one.tag.text == release.tag and one.commit == commit), None)
    dirty = _tags.dirty(repository.git) if rev == "HEAD" and not repository.is_bare else []
    names = frozenset(tag.name for tag in there)
    findings = list(may_tag(release, known, names, dirty, maintenance=maintenance))
    if same is not None and same.block is not None and not list(believe(release, same.block, found.sha256, known)):
        return Outcome("there", release.tag, name, version, commit, same.block, NOTHING)
    findings += _checked(repository, commit, found.entry.path)
    if any(one.severity is Severity.ERROR for one in findings):
        return Outcome("refused", release.tag, name, version, commit, None, Report(tuple(findings)))
    block = _describe(repository, release, found, version)
    report = Report(tuple(findings))
    if dry_run:
        return Outcome("would", release.tag, name, version, commit, block, report)
    _tags.create(repository.git, release.tag, commit, _block.write(block, words))
    return Outcome("made", release.tag, name, version, commit, block, report)


def verify(repository: Repository, text: str, *, commit: str | None = None, was: str | None = None) -> Outcome:
    """Whether a tag that is there is what it says. `text` is hostile: its whole must be a name of ours.

    `commit` is where whoever asks saw it, `was` what the ref held before it was pushed (zeros: nothing).
    """
    text = text.removeprefix("refs/tags/")
    tag = parse(text)
    if tag is None or tag.version is None or tag.scheme != "gitops-model" or not is_release(str(tag.version)):
        message = "this is no tag of the form model/NAME/vX.Y.Z or model/NAME/vX.Y.Z-rc.N"
        bad = finding("GM507", "", message, found=text[:200], hint="gitops-model tag NAME 1.2.0-rc.1")
        return Outcome("disbelieved", "", "", "", None, None, Report((bad,)))
    version = str(tag.version)
    there = _tags.tags(repository.git)
    own = next((one for one in there if one.name == text), None)
    if own is None or own.commit is None:
        raise CouldNotRun(
            f"there is no tag {text} on a commit here", hint=f"git fetch origin refs/tags/{text}:refs/tags/{text}"
        )
    findings: list[Finding] = []
    if was is not None and was.strip("0"):
        findings.append(finding("GM502", "", f"{text} was pushed over another tag ({was[:12]})"))
    if commit is not None and commit != own.commit:
        findings.append(finding("GM502", "", f"{text} is on {own.commit[:12]}, not on {commit[:12]}"))
    block = _block.read(_tags.message(repository.git, own))
    try:
        found = manifest_of(repository, own.commit, tag.name)
        release = _release(repository, own.commit, found, tag.name, tag.version)
    except BadFile as error:
        findings.append(finding("GM502", "", f"{text}: {error.problem.message}"))
    else:
        known = _of_model(repository, there, tag.name, None)
        findings += believe(release, block, found.sha256, known)
        if not found.entry.path.isprintable():
            findings.append(finding("GM507", "", "the path of the manifest holds signs that cannot be printed"))
    state = "disbelieved" if any(one.severity is Severity.ERROR for one in findings) else "verified"
    return Outcome(state, text, tag.name, version, own.commit, block, Report(tuple(findings)))


def listed(repository: Repository, name: str | None = None) -> tuple[Row, ...]:
    """The release tags, of all schemes, by model and then by precedence; with `name` those of one model."""
    rows: list[tuple[TagName, Row]] = []
    for tag in _tags.tags(repository.git):
        known = parse(tag.name)
        if known is not None and (name is None or known.name == name):
            block = _block.read(_tags.message(repository.git, tag))
            version = str(known.version) if known.version is not None else None
            row = Row(tag.name, known.scheme, known.name, version, known.stage, tag.commit, block is not None)
            rows.append((known, row))
    rows.sort(
        key=lambda pair: (pair[0].name, pair[0].version.precedence if pair[0].version else ((-1, 0, 0), False, ()))
    )
    return tuple(row for _, row in rows)


def _wanted(name: str, version: str) -> Version:
    if not is_name(name):
        raise CouldNotRun(f"{name!r} is no name of a model", hint="the `name` in its manifest")
    parsed = Version.parse(version)
    if parsed is None or not is_release(version):
        raise CouldNotRun(f"{version!r} is no version that is tagged", hint="X.Y.Z, or X.Y.Z-rc.N for a candidate")
    return parsed


def manifest_of(repository: Repository, commit: str, name: str) -> Found:
    """The manifest of a model in a commit. CouldNotRun for none or several, BadFile for one that is wrong."""
    found: list[Found] = []
    for entry in repository.entries(commit):
        if not is_manifest_path(entry.path) or not entry.is_regular:
            continue
        with repository.blob(entry, commit) as blob:
            manifest, problems = load(blob)
            if manifest is None or manifest.name != name:
                continue
            if problems:
                raise BadFile(problems[0]._replace(message=f"{entry.path}: {problems[0].message}"))
            found.append(Found(entry, manifest, hashlib.sha256(blob.read(0, blob.size)).hexdigest()))
    if not found:
        raise CouldNotRun(
            f"no manifest of commit {commit[:12]} has the name {name!r}", hint="gitops-model check --rev HEAD"
        )
    if len(found) > 1:
        raise CouldNotRun(f"{found[0].entry.path} and {found[1].entry.path} both have the name {name!r}")
    return found[0]


def blobs_of(repository: Repository, commit: str, found: Found) -> dict[str, str]:
    """Path → blob id (for a pointer: its own) of each file that the manifest lists. BadFile where one is absent."""
    from gitops_model.errors import Problem

    lookup = Lookup(repository, commit)
    blobs: dict[str, str] = {}
    for listed_path in found.manifest.checksums:
        folder = folder_of(found.entry.path)
        path = f"{folder}/{listed_path}" if folder else listed_path
        entry = lookup.content(path)
        if entry is None or entry.oid is None or not entry.is_regular:
            raise BadFile(Problem("GM111", f"{path} is not in commit {commit[:12]}"))
        blobs[path] = entry.oid
    return blobs


def _release(repository: Repository, commit: str, found: Found, name: str, version: Version) -> Release:
    files = blobs_of(repository, commit, found)
    return Release(name, version, commit, found.entry.path, found.manifest.name, found.manifest.version, files)


def _of_model(repository: Repository, there: list[_tags.Tag], name: str, commit: str | None) -> list[Tagged]:
    """The tags of a model. With `commit`, whether each is above it; else each counts as if it were."""
    found: list[Tagged] = []
    for tag in there:
        known = parse(tag.name)
        if known is not None and known.name == name and tag.commit is not None:
            above = commit is None or refs.is_ancestor(repository.git, tag.commit, commit)
            ours = known.scheme == "gitops-model"
            block = _block.read(_tags.message(repository.git, tag)) if ours else None
            found.append(Tagged(known, tag.commit, block, above))
    return found


def _checked(repository: Repository, commit: str, path: str) -> list[Finding]:
    """What `check` says of the manifest and its files in the commit."""
    from gitops_model.pipeline.check import check

    root = repository.root or repository.git_dir
    report = check(root, repository.git.environ, paths=[path], rev=commit)
    return list(report.findings)


def _describe(repository: Repository, release: Release, found: Found, version: str) -> Block:
    """The block; models are recorded, so that their digests stand in notes as well."""
    from gitops_model.pipeline.record import record
    from gitops_model.readers import is_model_path

    models = [path for path in release.files if is_model_path(path)]
    digests: dict[str, dict[str, str]] = {}
    if models:
        outcome = record(repository, revision=release.commit, paths=[_from_here(repository, path) for path in models])
        digests = {file.path: file.fields for file in outcome.files}
    files = tuple(
        File(path, oid, digests.get(path, {}).get("weights"), digests.get(path, {}).get("structure"))
        for path, oid in sorted(release.files.items())
    )
    return Block(release.name, version, release.manifest, found.sha256, files)


def _from_here(repository: Repository, path: str) -> str:
    """A path from the root as the caller would type it."""
    from gitops_model.checks.facts import Here

    return Here(below=repository.prefix).path(path)
