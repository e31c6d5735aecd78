"""Whether a release may be tagged, and whether a tag may be believed: facts in, findings out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gitops_model.finding import Finding
from gitops_model.release.block import Block, blobs
from gitops_model.release.names import TagName, blocking, tag_of
from gitops_model.release.reasons import finding, warning
from gitops_model.release.versions import Version


class Tagged(NamedTuple):
    """A tag that is there. `block` is None for a tag without one; `is_above`: its commit is one that ours stands on."""

    tag: TagName
    commit: str
    block: Block | None = None
    is_above: bool = True


class Release(NamedTuple):
    """What would be tagged, or what a tag says it is: `files` are path → blob id of the commit."""

    name: str
    version: Version
    commit: str
    manifest: str
    manifest_name: str
    manifest_version: str
    files: Mapping[str, str]

    @property
    def tag(self) -> str:
        return tag_of(self.name, str(self.version))


def may_tag(
    release: Release,
    tags: Sequence[Tagged],
    names: frozenset[str],
    dirty: Sequence[str] = (),
    *,
    maintenance: bool = False,
) -> Iterator[Finding]:
    """Why not. `names` are all tags of the repository, `dirty` the tracked files that differ from the commit."""
    path = release.manifest
    if dirty:
        more = f" and {len(dirty) - 1} more" if len(dirty) > 1 else ""
        yield finding("GM503", path, f"{dirty[0]}{more} differ from the commit", hint="git status")
    clash = blocking(release.tag, names)
    if clash is not None:
        yield finding(
            "GM507", path, f"git cannot hold {release.tag} beside the tag {clash}", hint=f"git tag -d {clash}"
        )
    yield from agrees(release)
    same = next((one for one in tags if one.tag.text == release.tag), None)
    if same is not None:
        yield finding(
            "GM502", path, f"{release.tag} is there already, on commit {same.commit[:12]}", hint="take the next version"
        )
        return
    yield from _rises(release, tags, maintenance=maintenance)
    yield from candidate_agrees(release, tags, strict=False)


def agrees(release: Release) -> Iterator[Finding]:
    """The manifest is of this model and version."""
    wanted = {str(release.version), release.version.base}
    if release.manifest_name != release.name:
        yield finding(
            "GM506", release.manifest, f"the manifest is of {release.manifest_name!r}", found=release.manifest_name
        )
    if release.manifest_version not in wanted:
        message = f"the manifest says version {release.manifest_version}, the tag {release.version}"
        yield finding("GM506", release.manifest, message, found=release.manifest_version)


def _rises(release: Release, tags: Sequence[Tagged], *, maintenance: bool) -> Iterator[Finding]:
    versions = [(one.tag.version, one) for one in tags if one.tag.version is not None]
    rivals = [
        (version, one)
        for version, one in versions
        if version.precedence >= release.version.precedence
        and not (maintenance and not one.is_above and version.core[:2] != release.version.core[:2])
    ]
    if rivals:
        newest = max(rivals, key=lambda row: row[0].precedence)[1]
        yield finding("GM501", release.manifest, f"{release.version} is not newer than the tag {newest.tag.text}")


def candidates(release: Release, tags: Sequence[Tagged]) -> list[Tagged]:
    """The candidates of a final release, the last one first."""
    found = [
        (one.tag.version.precedence, one)
        for one in tags
        if one.tag.version is not None
        and one.tag.version.core == release.version.core
        and one.tag.version.pre
        and one.block is not None
    ]
    return [one for _, one in sorted(found, key=lambda row: row[0], reverse=True)]


def candidate_agrees(release: Release, tags: Sequence[Tagged], *, strict: bool) -> Iterator[Finding]:
    """A final release has the files of its last candidate; without one it is a warning, or an error where `strict`."""
    if not release.version.is_final:
        return
    found = candidates(release, tags)
    if not found:
        message = f"{release.tag} has no candidate: nothing says that these files passed the GPU gate"
        hint = f"gitops-model tag {release.name} {release.version.base}-rc.1"
        yield (
            finding("GM505", release.manifest, message, hint=hint)
            if strict
            else warning("GM505", release.manifest, message, hint)
        )
        return
    last = found[0]
    assert last.block is not None
    changed = differing(release.files, blobs(last.block.files))
    if changed:
        message = f"{changed[0]} is not that of {last.tag.text}" + (f" ({len(changed)} files)" if changed[1:] else "")
        yield finding("GM504", release.manifest, message)


def differing(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    """Paths that are not the same blob on both sides."""
    return sorted(path for path in ours.keys() | theirs.keys() if ours.get(path) != theirs.get(path))


def believe(release: Release, block: Block | None, sha256: str, tags: Sequence[Tagged]) -> Iterator[Finding]:
    """Why a tag that is there is not believed. `release` is what its commit holds, `sha256` that of its manifest."""
    if block is None:
        yield finding("GM508", release.manifest, f"{release.tag} has no block that says what it is")
        return
    yield from agrees(release)
    said = (block.name, block.version, block.manifest, block.manifest_sha256)
    if said != (release.name, str(release.version), release.manifest, sha256):
        yield finding("GM502", release.manifest, f"the message of {release.tag} is about another release or commit")
    changed = differing(release.files, blobs(block.files))
    if changed:
        yield finding("GM502", release.manifest, f"{changed[0]} is not the blob that {release.tag} was made for")
    yield from candidate_agrees(release, tags, strict=True)
