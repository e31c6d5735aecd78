"""Which tensors changed: each is paired with the one that it was (pairing.py), and has one fate."""

from collections.abc import Callable, Hashable
from itertools import chain
from typing import TYPE_CHECKING

from gitops_model.diff import prefix as prefixes
from gitops_model.diff.pairing import Pairing, pair
from gitops_model.diff.result import Side, TensorChange, TensorFact, WeightsDiff

if TYPE_CHECKING:
    from gitops_model.diff.match import Matching


def diff(before: Side, after: Side, matching: "Callable[[], Matching] | None" = None) -> WeightsDiff:
    """`matching` matches the nodes of the two graphs; it is asked only where names and contents leave something open.

    Without it (formats without a graph, models as notes describe them) no place is known, and a tensor whose name and
    content both changed was removed, and another added.
    """
    old, new = facts(before), facts(after)
    found = Pairing(old, new)
    found.by(found.names, found.contents)
    prefix = None
    if all(found.left) and not found.names_are_the_same():
        prefix = prefixes.find(looks(before), looks(after))
        if prefix is not None:
            found.rename(prefix)
            found.by(found.names, found.contents)
    where = None
    if matching is not None and all(found.left):
        from gitops_model.diff.position import places, wired_alike

        if not (found.is_settled_by_names() and wired_alike(before.model, after.model)):
            where = places(before.model, after.model, matching())
    pairs = pair(found, where)
    return judged(before, after, (old, new), pairs, prefix)


def judged(
    before: Side,
    after: Side,
    sides: tuple[list[TensorFact], list[TensorFact]],
    pairs: dict[int, int],
    prefix: prefixes.Prefix | None,
) -> WeightsDiff:
    """What became of each pair, in the order of the model after, and of what has no counterpart."""
    old, new = sides
    fates: dict[str, list[TensorChange]] = {fate: [] for fate in ("same", "renamed", "changed", "unknown")}
    came_from = {place: source for source, place in pairs.items()}
    for place, fact in enumerate(new):
        if place in came_from:
            change = TensorChange(old[came_from[place]], fact)
            fates[fate_of(change)].append(change)
    kept = (*fates["same"], *fates["renamed"])
    found = WeightsDiff(
        changed=tuple(fates["changed"]),
        added=tuple(TensorChange(None, fact) for place, fact in enumerate(new) if place not in came_from),
        removed=tuple(TensorChange(fact, None) for place, fact in enumerate(old) if place not in pairs),
        renamed=tuple(fates["renamed"]),
        unchanged=len(fates["same"]),
        unknown=tuple(fates["unknown"]),
        totals=(len(before.model.tensors), len(after.model.tensors)),
        nbytes=(sum(t.nbytes for t in before.model.tensors), sum(t.nbytes for t in after.model.tensors)),
        common_nbytes=sum(change.after.nbytes for change in kept if change.after),
        prefix=prefix,
    )
    if prefix is None:
        return found
    number = sum(found.is_prefixed(change) for change in chain(*fates.values()))
    return found._replace(prefix=prefix._replace(tensors=number) if number else None)


def facts(side: Side) -> list[TensorFact]:
    return [
        TensorFact(tensor.name, tensor.dtype, tensor.shape, tensor.nbytes, digest)
        for tensor, digest in zip(side.model.tensors, side.digests, strict=True)
    ]


def looks(side: Side) -> dict[str, Hashable]:
    """Type and shape of what the model computes with, by name: the state of an optimizer is called otherwise."""
    return {tensor.name: (tensor.dtype, tensor.shape) for tensor in side.model.tensors if not tensor.group}


def fate_of(change: TensorChange) -> str:
    """Of two that are one tensor; `unknown` where neither digests nor type and shape tell them apart."""
    old, new = change.before, change.after
    assert old is not None
    assert new is not None
    if (old.dtype, old.shape) != (new.dtype, new.shape):
        return "changed"
    if old.digest is None or new.digest is None:
        return "unknown"
    if old.digest != new.digest:
        return "changed"
    return "same" if old.name == new.name else "renamed"
