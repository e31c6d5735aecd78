"""Versions against changes: the facts of GM305, and the findings where a base is known."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gitops_model.checks import command
from gitops_model.checks.facts import Facts, VersionMove
from gitops_model.config import Config
from gitops_model.finding import Finding
from gitops_model.git.entries import INDEX, WORKTREE, Place
from gitops_model.git.paths import folder_of
from gitops_model.manifest import Manifest, is_manifest_path
from gitops_model.pipeline.diff_arguments import TwoStates
from gitops_model.pipeline.gather import Gatherer, joined
from gitops_model.pipeline.tree import GitTree
from gitops_model.release.bump import bumped, enough
from gitops_model.release.versions import Version
from gitops_model.render.diff import BUMPS, FileDiff, bump_of

if TYPE_CHECKING:
    from gitops_model.git.entries import Entry
    from gitops_model.git.repository import Repository

LONGEST = 300


class Asked(NamedTuple):
    """The bump that the models of a manifest ask for, the model that asks for it, and why."""

    bump: str
    file: str
    reason: str


def bump_findings(
    repository: "Repository", states: tuple[Place, Place], files: Sequence[FileDiff], config: Config
) -> Iterator[Finding]:
    """GM305 for every manifest of the second state that was in the first one too."""
    from gitops_model import checks

    before, after = (Gatherer(GitTree(repository, place), config) for place in states)
    base = states[0] if isinstance(states[0], str) else "HEAD"
    for entry in manifests(after, files):
        old = before.tree.entry(entry.path)
        manifest = after.manifest(entry)[0]
        was = before.manifest(old)[0] if old is not None else None
        move = moved(entry, was, manifest, files, base)
        if move is not None:
            facts = Facts(entry.path, manifest=manifest, version=move)
            yield from config.apply(checks.run(facts, select=("GM305",)), set())


def moved_since(
    repository: "Repository",
    base: str,
    paths: Sequence[str],
    *,
    staged: bool,
    rev: str | None,
    config: Config | None,
) -> list[Finding]:
    """The findings on what `check` looks at, against where it left `base`."""
    from gitops_model.checks import CHECKS
    from gitops_model.config import load
    from gitops_model.pipeline.diff import diff_states
    from gitops_model.pipeline.tree import read

    old = merge_base(repository, base, rev)
    place: Place = INDEX if staged else rev if rev is not None else WORKTREE
    tree = GitTree(repository, place)
    config = config if config is not None else load(lambda path: read(tree, path), CHECKS)
    files = diff_states(repository, TwoStates(old, rev, staged=staged)).files
    found = bump_findings(repository, (old, place), files, config)
    if not paths:
        return list(found)
    from gitops_model.pipeline.diff_arguments import from_root

    names = [from_root(path, repository) for path in paths]
    return [one for one in found if any(not name or (one.path + "/").startswith(name + "/") for name in names)]


def merge_base(repository: "Repository", base: str, rev: str | None) -> str:
    """Where what is looked at left the base; the base itself where they share nothing."""
    commit = repository.resolve(base)
    head = repository.lookup(rev or "HEAD")
    if head is None:
        return commit
    result = repository.git.run("merge-base", commit, head)
    return result.out.decode().strip() if result.code == 0 else commit


def manifests(gatherer: Gatherer, files: Iterable[FileDiff]) -> "list[Entry]":
    """The manifests in the folders of files that changed, and above."""
    found: dict[str, Entry] = {}
    for file in files:
        for path in (file.path, file.old_path or file.path):
            found.update({entry.path: entry for entry in gatherer.manifests_over(path) if is_manifest_path(entry.path)})
    return [found[path] for path in sorted(found)]


def moved(
    entry: "Entry", before: Manifest | None, after: Manifest | None, files: Sequence[FileDiff], base: str
) -> VersionMove | None:
    """None where there is nothing to compare: a new manifest, a version that cannot be read, no model that changed."""
    if before is None or after is None:
        return None
    old, new = Version.parse(before.version), Version.parse(after.version)
    wanted = asked(folder_of(entry.path), (before, after), files)
    if old is None or new is None or wanted.bump == "none":
        return None
    return VersionMove(
        before.version,
        after.version,
        enough(old, new, wanted.bump),
        str(bumped(old, wanted.bump)),
        os.path.relpath(wanted.file, folder_of(entry.path) or "."),
        wanted.reason if len(wanted.reason) <= LONGEST else wanted.reason[: LONGEST - 1] + "…",
        command("gitops-model", "bump", entry.path, "--base", base),
    )


def asked(folder: str, sides: tuple[Manifest, Manifest], files: Iterable[FileDiff]) -> Asked:
    """What the changed models that either side lists ask for, taken together."""
    listed = {joined(folder, path) for manifest in sides for path in manifest.checksums}
    worst = Asked("none", "", "")
    for file in files:
        if file.path in listed or (file.old_path is not None and file.old_path in listed):
            bump = bump_of(file)
            if BUMPS.index(bump) > BUMPS.index(worst.bump):
                worst = Asked(bump, file.path, why(file, bump))
    return worst


def why(file: FileDiff, bump: str) -> str:
    """The first reason that asks for this bump."""
    if file.diff is None:
        return f"it was {file.status}" if not file.problems else "it cannot be compared"
    changes = (*file.diff.signature.inputs, *file.diff.signature.outputs)
    reasons = [change.reason for change in changes if change.bump == bump] or list(file.diff.verdict.reasons)
    return reasons[0] if reasons else file.diff.verdict.kind
