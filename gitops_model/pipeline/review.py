"""`review`: what a change does to models, and what the checks say about everything that it touches.

    found = review(repository, "main", "HEAD")

Compared are the commit where `head` left `base`, and `head`. The configuration is the one of `base`: a change does not
choose the rules that it is judged by.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.finding import Finding, Report
from gitops_model.git.bring import Remote
from gitops_model.git.entries import Entry
from gitops_model.git.repository import Repository
from gitops_model.manifest.names import is_manifest_path
from gitops_model.pipeline.bump_check import bump_findings
from gitops_model.pipeline.check import Part, concerned, report
from gitops_model.pipeline.diff import Use, diff_states, folders_above
from gitops_model.pipeline.diff_arguments import TwoStates
from gitops_model.readers import is_model_path
from gitops_model.render.review import MOST_FINDINGS, MOST_MODELS, Review, model_review, worst_first

if TYPE_CHECKING:
    from gitops_model.config import Config
    from gitops_model.git.changes import Change
    from gitops_model.pipeline.probe import Limits
    from gitops_model.render.diff import FileDiff

MOST_MANIFESTS = 1000
MOST_TROUBLES = 50
RAN = ("GM013", "GM311")


class Options(NamedTuple):
    """`remote` is where missing commits are fetched from, None for nowhere; `paths` are files and folders from the top
    of the repository that the review is limited to; `lfs_fetch` lets Git LFS download the changed models; `deep` asks
    the format's own library too; `run` runs both versions of a model on the same inputs, within these limits."""

    remote: str | None = None
    paths: tuple[str, ...] = ()
    lfs_fetch: bool = False
    deep: bool = False
    run: "Limits | None" = None


def review(
    repository: Repository,
    base: str,
    head: str = "HEAD",
    options: Options = Options(),  # noqa: B008 - immutable
) -> Review:
    """Compare and check. CouldNotRun when a revision or the common history cannot be had, or the configuration of the
    base is wrong; bad models are findings."""
    remote = Remote(repository, options.remote)
    new, target = remote.commit(head), remote.commit(base)
    old = remote.merge_base(target, new)
    config = base_config(repository, target)
    changes = repository.changes(old=old, new=new, paths=options.paths)
    remote.blobs(oid for change in changes for oid in (change.old_oid, change.new_oid) if oid is not None)
    troubles = list(download(repository, changes, old, new)) if options.lfs_fetch else []
    compared = diff_states(repository, TwoStates(old, new, paths=options.paths), Use(run=options.run))
    checked = check_changed(repository, new, changes, config, deep=options.deep)
    notes = contradicted(repository, old, new, compared.files, config)
    moves = bump_findings(repository, (old, new), compared.files, config)
    ran = run_findings(compared.files, config)
    findings = tuple(dict.fromkeys((*checked.findings, *notes, *moves, *ran)))
    models = worst_first([model_review(file) for file in compared.files])
    manifests = [change.path for change in changes if is_manifest_path(change.path)]
    return Review(
        target,
        old,
        new,
        tuple(models[:MOST_MODELS]),
        len(models),
        tuple(manifests[:MOST_MANIFESTS]),
        checked._replace(findings=findings[:MOST_FINDINGS]),
        len(findings),
        tuple(troubles[:MOST_TROUBLES]),
    )


def base_config(repository: Repository, target: str) -> "Config":
    from gitops_model.checks import CHECKS
    from gitops_model.config import load
    from gitops_model.pipeline.tree import GitTree, read

    tree = GitTree(repository, target)
    return load(lambda path: read(tree, path), CHECKS)


def check_changed(
    repository: Repository, new: str, changes: "Sequence[Change]", config: "Config", *, deep: bool = False
) -> Report:
    """The findings on the manifests and models that the change touches, also by a file that a manifest lists."""
    from gitops_model.pipeline.gather import Gatherer
    from gitops_model.pipeline.tree import GitTree

    gatherer = Gatherer(GitTree(repository, new), config, deep=deep)
    found = report([Part(gatherer, concerned(gatherer, changes))])
    return found._replace(fail_on=config.fail_on)


def contradicted(
    repository: Repository, old: str, new: str, files: "Sequence[FileDiff]", config: "Config"
) -> Iterator[Finding]:
    """GM202 where a note states other digests than the bytes that were just hashed have."""
    from gitops_model import checks
    from gitops_model.checks.facts import Facts, FileFacts
    from gitops_model.git.deps import valid
    from gitops_model.git.lookup import Lookup
    from gitops_model.git.notes import Notes

    notes = Notes(repository)
    for place, side in ((old, 0), (new, 1)):
        lookup = Lookup(repository, place)
        for file in files:
            path = file.old_path if side == 0 and file.old_path is not None else file.path
            if file.diff is None or (entry := repository.entry(place, path)) is None:
                continue
            computed = {name: sides[side] for name, sides in file.diff.digests.items() if sides[side]}
            stated = tuple(
                {name: str(line[name]) for name in computed if name in line} for line in valid(notes, lookup, entry)
            )
            facts = Facts(path, files=(FileFacts(path, recorded=stated, computed=computed),))
            yield from config.apply(checks.run(facts, select=("GM202",)), set())


def run_findings(files: "Sequence[FileDiff]", config: "Config") -> Iterator[Finding]:
    """What running the models showed of those that the change brings (GM013, GM311)."""
    from gitops_model import checks
    from gitops_model.checks.facts import Facts, FileFacts

    for file in files:
        problems = tuple(problem for side, problem in file.problems if side == "after" and problem.code in RAN)
        facts = Facts(file.path, files=(FileFacts(file.path, problems=problems),))
        yield from config.apply(checks.run(facts, select=RAN), set())


def download(repository: Repository, changes: "Sequence[Change]", old: str, new: str) -> Iterator[str]:
    """Let Git LFS bring the models that changed, and what changed in their folders; yields what went wrong."""
    folders = {
        folder for place in (old, new) for entry in repository.entries(place) if is_model_path(entry.path)
        for folder in folders_above(entry.path)
    }  # fmt: skip
    for change in changes:
        if not is_model_path(change.path) and change.path.rpartition("/")[0] not in folders:
            continue
        sides = ((change.old_mode, change.old_oid, old), (change.new_mode, change.new_oid, new))
        for mode, oid, place in sides:
            if oid is None:
                continue
            entry = Entry(mode, oid, change.path)
            try:
                with suppress(BadFile):
                    repository.blob(entry, place, fetch=True).close()
            except CouldNotRun as error:
                yield str(error)
