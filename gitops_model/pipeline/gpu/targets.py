"""The machines that a release is judged against: named on the command line, declared for a fleet, or this one."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_model.blob import Source
from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.gpu import documents
from gitops_model.gpu.profiles import profile
from gitops_model.manifest import Manifest
from gitops_model.pipeline.load import open_named

ENDINGS = (".yaml", ".yml", ".json")
HERE = "here"
"""The word for this machine, as `gpu probe` sees it."""

Target = dict[str, Any]


def is_file(word: str) -> bool:
    """Whether a target is a file and not the name of a profile: by how it is written, not by what lies around."""
    return "/" in word or word.endswith(ENDINGS)


def named(words: Sequence[str], cwd: str, environ: Mapping[str, str]) -> Iterator[Target]:
    """Targets of the command line. A file may lie anywhere."""
    for word in words:
        if word == HERE:
            from gitops_model.gpu.probe import probe

            yield {"name": HERE, **probe(environ)}
        elif is_file(word):
            yield _titled(documents.load(os.path.join(cwd, word), "target"), word)
        else:
            yield _titled(profile(word), word)


def fleet(manifest: tuple[str, Manifest] | None, cwd: str, environ: Mapping[str, str]) -> Iterator[Target]:
    """The `targets` of the manifest, else those of the repository's configuration; nothing where neither has any.

    Their files are found as a model's other files are: below the manifest's folder or the repository, through no link.
    """
    if manifest is not None and manifest[1].targets:
        with open_named(manifest[0], cwd, environ) as opened:
            yield from _declared(manifest[1].targets, opened.source)
    else:
        yield from _configured(cwd, environ)


def _configured(cwd: str, environ: Mapping[str, str]) -> Iterator[Target]:
    from gitops_model.config import load
    from gitops_model.git.entries import WORKTREE
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline.tree import GitTree, read

    repository = Repository.find(cwd, environ)
    if repository is None or repository.is_bare:
        return
    with repository:
        tree = GitTree(repository, WORKTREE)
        yield from _declared(load(lambda path: read(tree, path)).targets, repository.source(WORKTREE))


def _declared(words: Sequence[str], source: Source) -> Iterator[Target]:
    for word in words:
        if not is_file(word):
            yield _titled(profile(word), word)
            continue
        try:
            with source.open(word) as blob:
                yield _titled(documents.read(blob, "target"), word)
        except BadFile as error:
            raise CouldNotRun(f"the target {word}: {error.problem.message}") from error


def _titled(document: Target, word: str) -> Target:
    """With a name: that of the document, or of its file."""
    name = os.path.basename(word)
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return {"name": name, **document}
