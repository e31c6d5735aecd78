"""The facts behind GM310: whether files that a manifest lists as one model in several formats hold the same weights."""

from collections.abc import Iterator
from contextlib import ExitStack

from gitops_model.checks.facts import FileFacts, OutOfStep
from gitops_model.diff.result import Side
from gitops_model.diff.same import Sameness, compare
from gitops_model.errors import BadFile, MissingExtra
from gitops_model.git.paths import folder_of
from gitops_model.pipeline.load import Opened, describe
from gitops_model.pipeline.tree import Tree

TOLERANCE = 1e-3
"""Largest difference, in units of a tensor's largest value: what half precision costs is no other model."""


def out_of_step(tree: Tree, group: list[FileFacts]) -> Iterator[OutOfStep]:
    """The first file against each of the others. What cannot be read is told by its own rule."""
    first, *others = group
    with ExitStack() as stack:
        try:
            before = side(tree, first, stack)
            for other in others:
                after = side(tree, other, stack)
                what = difference(before, after)
                if what is not None:
                    yield OutOfStep(first.listed, other.listed, what)
        except BadFile:
            return


def side(tree: Tree, file: FileFacts, stack: ExitStack) -> Side:
    entry = tree.entry(file.path)
    assert entry is not None
    opened = Opened(stack.enter_context(tree.blob(entry)), tree.source(folder_of(file.path)))
    found = describe(opened)
    if found.data is not None:
        stack.callback(found.data.close)
    return found


def difference(before: Side, after: Side) -> str | None:
    """What is out of step, in words; None when nothing is."""
    if before.weights and before.weights == after.weights:
        return None
    try:
        said = compare(before, after, TOLERANCE)
    except MissingExtra as error:
        return f"their digests differ, and without NumPy it cannot be measured how ({error.hint})"
    return None if said.same or said.grade == "nothing" else worst(said)


def worst(said: Sameness) -> str:
    apart = said.out_of_step
    if apart:
        far = max(apart, key=lambda pair: pair.relative or 0.0)
        more = f" and {len(apart) - 1} more" if len(apart) > 1 else ""
        return f"{far.before.name!r}{more}, by {far.relative:.2g} of its largest value"
    left = (*said.only_before, *said.only_after)
    if left:
        return f"{len(left)} tensors have no partner, among them {left[0].name!r}"
    return f"{len(said.unread)} tensors cannot be read"
