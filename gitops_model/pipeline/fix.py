"""`check --fix`: the digests in manifests are made those of the files, by byte span, so that nothing else changes."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gitops_model.errors import CouldNotRun
from gitops_model.finding import Report
from gitops_model.pipeline.check import Part, Parts, Subject, report
from gitops_model.pipeline.replace import replace
from gitops_model.pipeline.tree import Folder, GitTree, Tree

if TYPE_CHECKING:
    from gitops_model.checks.facts import Facts
    from gitops_model.config import Config


class Fixed(NamedTuple):
    """`written` are the manifests that changed on disk (adding them to the index is the user's step); `report` is what
    is left to say after that."""

    report: Report
    written: tuple[str, ...]


class Edit(NamedTuple):
    """Bytes to write at an offset; never more or fewer than stood there."""

    start: int
    end: int
    text: bytes


def fix(
    cwd: str,
    environ: Mapping[str, str],
    *,
    paths: Sequence[str] = (),
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    config: "Config | None" = None,
    progress: Callable[[int], None] | None = None,
) -> Fixed:
    """Refresh the digests of the manifests in the work tree that `paths` name, hold or list; then check.

    Every digest that differs is written, unless its content is not here or its text cannot be replaced alone (an alias,
    an escape): those stay findings.
    """
    written: list[str] = []
    with Parts(cwd, environ, config, progress) as parts:
        done: list[Part] = []
        for found in parts.of(paths, staged=False, rev=None):
            part = with_manifests(found)
            manifests = [subject for subject in part.subjects if subject.is_manifest]
            written += [part.shown(subject.entry.path) for subject in manifests if refresh(part, subject)]
            done.append(part)
        return Fixed(report(done, select, ignore), tuple(written))


def with_manifests(part: Part) -> Part:
    """The same subjects, and the manifests that list the model files among them."""
    subjects = {subject.entry.path: subject for subject in part.subjects}
    for subject in part.subjects:
        if not subject.is_manifest:
            for entry in part.gatherer.listed_by(subject.entry.path):
                subjects.setdefault(entry.path, Subject(entry, is_manifest=True))
    return part._replace(subjects=[subjects[path] for path in sorted(subjects)])


def refresh(part: Part, subject: Subject) -> bool:
    """Write the digests that differ into one manifest; whether there were any."""
    gatherer = part.gatherer
    path = subject.entry.path
    edits = edits_of(gatherer.manifest_facts(subject.entry))
    if not edits:
        return False
    with gatherer.tree.blob(subject.entry) as blob:
        before = blob.read(0, blob.size)
    after = bytearray(before)
    for edit in edits:
        after[edit.start : edit.end] = edit.text
    replace(root_of(gatherer.tree), path, before, bytes(after))
    gatherer.forget(path)
    return True


def edits_of(facts: "Facts") -> list[Edit]:
    """What to write where, in the order of the file."""
    if facts.manifest is None:
        return []
    edits: list[Edit] = []
    for file in facts.files:
        for digest in facts.manifest.checksums[file.listed].digests:
            found = file.digests.get(digest.algorithm)
            if found is not None and found != digest.value and digest.fixable:
                edits.append(Edit(digest.start, digest.end, found.encode()))
    return sorted(edits)


def root_of(tree: Tree) -> str:
    if isinstance(tree, Folder):
        return tree.root
    if isinstance(tree, GitTree) and tree.repository.root is not None:
        return tree.repository.root
    raise CouldNotRun("only a work tree can be mended")
