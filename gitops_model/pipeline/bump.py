"""`bump`: write the version that a change asks for into a manifest, and touch nothing else in it."""

from collections.abc import Iterator
from typing import NamedTuple

from gitops_model.blob import Blob
from gitops_model.errors import CouldNotRun
from gitops_model.git.entries import WORKTREE
from gitops_model.git.paths import folder_of
from gitops_model.git.repository import Repository
from gitops_model.manifest import Manifest, is_manifest_path, load
from gitops_model.manifest.model import node_at
from gitops_model.manifest.nodes import Scalar
from gitops_model.pipeline.bump_check import Asked, asked
from gitops_model.pipeline.diff import diff_states
from gitops_model.pipeline.diff_arguments import TwoStates, from_root
from gitops_model.pipeline.gather import joined
from gitops_model.pipeline.replace import replace
from gitops_model.release.bump import bumped, enough, raised
from gitops_model.release.versions import Version

MOST_COMMITS = 10_000
"""Commits of a manifest that are looked through for the one that set its version."""


class Bumped(NamedTuple):
    """`before` is the version in the file, `after` the one that is there now; `base` the commit that was compared with,
    None where --part chose the part. `asked` is what the models ask for."""

    path: str
    before: str
    after: str
    base: str | None
    asked: Asked


def bump(repository: Repository, word: str | None, base: str | None = None, part: str | None = None) -> Bumped:
    """Without `base`: since the commit that set the version which HEAD has.

    CouldNotRun where there is not one manifest to speak of, it cannot be read, or its version cannot be replaced alone.
    """
    if repository.root is None:
        raise CouldNotRun("a bare repository has no work tree")
    path = from_root(word, repository) if word is not None else only(repository)
    entry = repository.entry(WORKTREE, path)
    if entry is None:
        raise CouldNotRun(f"{path}: no such file")
    with repository.blob(entry, WORKTREE) as blob:
        before = blob.read(0, blob.size)
    manifest, now = read(path, before)
    if part is not None:
        wanted = Asked(part, "", "--part says so")
        after, since = raised(now, part), None
    else:
        since = repository.resolve(base) if base is not None else last_set(repository, path)
        was = at(repository, since, path)
        if was is None:
            raise CouldNotRun(f"{path} is not in {since[:10]}, so there is no version to move on from")
        files = diff_states(repository, TwoStates(since, None, paths=listed(path, was, manifest))).files
        wanted = asked(folder_of(path), (was, manifest), files)
        old = Version.parse(was.version)
        assert old is not None
        after = now if enough(old, now, wanted.bump) else bumped(old, wanted.bump)
    if after != now:
        replace(repository.root, path, before, edited(path, before, manifest, str(after)))
    return Bumped(path, manifest.version, str(after), since, wanted)


def only(repository: Repository) -> str:
    """The manifest of the folder where the caller stands, else the only one there is."""
    paths = [entry.path for entry in repository.entries(WORKTREE) if is_manifest_path(entry.path)]
    here = [path for path in paths if folder_of(path) == repository.prefix.rstrip("/")]
    found = here or paths
    if len(found) == 1:
        return found[0]
    if not found:
        raise CouldNotRun("there is no manifest here", hint="gitops-model init MODEL")
    raise CouldNotRun(f"which manifest? one of: {', '.join(found[:10])}", hint="gitops-model bump MANIFEST")


def read(path: str, content: bytes) -> tuple[Manifest, Version]:
    manifest, problems = load(Blob.of_bytes(path, content))
    version = Version.parse(manifest.version) if manifest is not None else None
    if manifest is None or version is None:
        said = problems[0].message if problems else "its version cannot be read"
        raise CouldNotRun(f"{path}: {said}", hint=f"gitops-model check {path}")
    return manifest, version


def at(repository: Repository, commit: str, path: str) -> Manifest | None:
    """The manifest of a commit; None where it has none with a version."""
    entry = repository.entry(commit, path)
    if entry is None or not entry.is_regular:
        return None
    with repository.blob(entry, commit) as blob:
        manifest, _ = load(blob)
    return manifest if manifest is not None and Version.parse(manifest.version) is not None else None


def last_set(repository: Repository, path: str) -> str:
    """The commit that set the version that HEAD has: the oldest of the newest that have it."""
    head = repository.resolve("HEAD")
    now = at(repository, head, path)
    if now is None:
        raise CouldNotRun(f"{path} is in no commit yet, so there is no version to move on from")
    found = head
    for commit in history(repository, head, path):
        manifest = at(repository, commit, path)
        if manifest is None or manifest.version != now.version:
            break
        found = commit
    return found


def history(repository: Repository, head: str, path: str) -> Iterator[str]:
    args = ("rev-list", f"--max-count={MOST_COMMITS}", "--first-parent", head, "--", path)
    yield from repository.git.out(*args).decode().split()


def listed(path: str, *manifests: Manifest) -> tuple[str, ...]:
    """The files that any of the manifests lists, from the root."""
    folder = folder_of(path)
    return tuple(sorted({joined(folder, name) for manifest in manifests for name in manifest.checksums}))


def edited(path: str, content: bytes, manifest: Manifest, version: str) -> bytes:
    """The content with another version at the place of the old one; everything else must say the same afterwards."""
    refused = CouldNotRun(f"{path}: the version is not written plainly, so that it cannot be replaced alone")
    node = node_at(manifest.root, ("version",)) if manifest.root is not None else None
    if not isinstance(node, Scalar) or manifest.text is None:
        raise refused
    start, end = manifest.text.byte(node.start), manifest.text.byte(node.end)
    token = content[start:end]
    old = manifest.version.encode()
    if token not in (old, b'"%s"' % old, b"'%s'" % old):
        raise refused
    after = content[:start] + token.replace(old, version.encode()) + content[end:]
    found, _ = load(Blob.of_bytes(path, after))
    if found is None or found.version != version or said(found) != said(manifest):
        raise refused
    return after


def said(manifest: Manifest) -> tuple[object, ...]:
    """What a manifest says besides its version, without the places."""
    sums = [(name, [(d.algorithm, d.value) for d in one.digests]) for name, one in manifest.checksums.items()]
    values = [
        None if side is None else [(value.name, value.dtype, value.shape, value.type) for value in side]
        for side in (manifest.inputs, manifest.outputs)
    ]
    free = (manifest.runtime, manifest.provenance, manifest.signing, manifest.serving, manifest.acceptance)
    return manifest.name, manifest.architecture, sums, values, manifest.targets, *map(dict, free)
