"""Describe one model file."""

import os
from collections.abc import Mapping

from gitops_model.blob import Blob, NoSource
from gitops_model.diff.result import Side
from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.pipeline.load import Opened, describe, described, open_named
from gitops_model.readers import OPAQUE, is_model_path
from gitops_model.render.show import Shown


def show(word: str, cwd: str, environ: Mapping[str, str], *, digests: bool = True, nodes: bool = False) -> Shown:
    """The description of `[REV:]PATH`. Raises BadFile for a file that is no readable model."""
    with open_named(word, cwd, environ) as opened:
        return _shown(opened, digests=digests, nodes=nodes)


def is_bad(shown: Shown) -> bool:
    """Whether the file is another kind of thing than its name promises."""
    strange = any(problem.code == "GM004" for problem in shown.model.problems)
    return strange and shown.model.format == OPAQUE and is_model_path(shown.path)


def textconv(filename: str, cwd: str) -> Shown:
    """The description of a file that git hands over, which may be a copy without its neighbours: no other is opened."""
    with Opened(Blob.of_file(os.path.join(cwd, filename), filename), NoSource()) as opened:
        shown = _shown(opened, digests=True, nodes=True)
    if is_bad(shown):
        raise BadFile(shown.model.problems[0])
    return shown


def excuse(error: BadFile | CouldNotRun) -> str:
    """What a textconv prints in place of a description, since it may not fail: one sentence that says what this is."""
    return f"{error.problem.code} {error.problem.message}" if isinstance(error, BadFile) else str(error)


def stranger(opened: Opened, error: BadFile, *, digests: bool) -> Side:
    """A file that is another kind of thing, as an opaque description; what is broken stays an error."""
    from gitops_model.readers.opaque import of_stranger

    message = error.problem.message.removeprefix(f"{opened.blob.path}: ")
    model = of_stranger(opened.blob, error.problem._replace(message=message))
    if model is None:
        raise error
    return described(model, opened, digests=digests)


def _shown(opened: Opened, *, digests: bool, nodes: bool) -> Shown:
    try:
        side = describe(opened, digests=digests)
    except BadFile as error:
        side = stranger(opened, error, digests=digests)
    return Shown(
        opened.blob.path,
        side.model,
        side.digests,
        weights=side.weights or None,
        structure=side.structure or None,
        signature=side.signature or None,
        optimizer=side.optimizer or None,
        nodes=nodes,
    )
