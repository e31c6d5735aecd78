"""Which tensors changed: by name where it still holds the same content, then by content, then by name.

Names alone lie: exporters generate them, and one that stays may hold other content (a re-export of silero-vad renamed
262 of 341 tensors and gave three of the old names to others). When no name came or went, though, names are trusted:
contents that changed places are a change.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable

from gitops_model.diff.result import Side, TensorChange, TensorFact, WeightsDiff


def diff(before: Side, after: Side) -> WeightsDiff:
    old, new = facts(before), facts(after)
    same, old, new = paired(old, new, lambda fact: (fact.name, content(fact)))
    renamed: list[TensorChange] = []
    if sorted(fact.name for fact in old) != sorted(fact.name for fact in new):
        renamed, old, new = paired(old, new, content)
    changed, old, new = paired(old, new, lambda fact: fact.name)
    unknown = [change for change in changed if not _compared(change)]
    changed = [change for change in changed if _compared(change)]
    return WeightsDiff(
        changed=tuple(changed),
        added=tuple(TensorChange(None, fact) for fact in new),
        removed=tuple(TensorChange(fact, None) for fact in old),
        renamed=tuple(renamed),
        unchanged=len(same),
        unknown=tuple(unknown),
        totals=(len(before.model.tensors), len(after.model.tensors)),
        nbytes=(sum(t.nbytes for t in before.model.tensors), sum(t.nbytes for t in after.model.tensors)),
        common_nbytes=sum(change.after.nbytes for change in (*same, *renamed) if change.after),
    )


def facts(side: Side) -> list[TensorFact]:
    return [
        TensorFact(tensor.name, tensor.dtype, tensor.shape, tensor.nbytes, digest)
        for tensor, digest in zip(side.model.tensors, side.digests, strict=True)
    ]


def content(fact: TensorFact) -> Hashable:
    """A key that equal contents share; what is not known is equal to nothing (not even to itself)."""
    return (fact.dtype, fact.shape, fact.digest) if fact.digest is not None else object()


def paired(
    old: list[TensorFact], new: list[TensorFact], key: Callable[[TensorFact], Hashable]
) -> tuple[list[TensorChange], list[TensorFact], list[TensorFact]]:
    """Pairs of facts with equal keys, the first with the first, in the order of `new`; and what is left of both."""
    waiting: defaultdict[Hashable, list[TensorFact]] = defaultdict(list)
    for fact in reversed(old):
        waiting[key(fact)].append(fact)
    pairs: list[TensorChange] = []
    rest: list[TensorFact] = []
    for fact in new:
        matches = waiting.get(key(fact))
        if matches:
            pairs.append(TensorChange(matches.pop(), fact))
        else:
            rest.append(fact)
    left = {id(fact) for facts_ in waiting.values() for fact in facts_}
    return pairs, [fact for fact in old if id(fact) in left], rest


def _compared(change: TensorChange) -> bool:
    """Whether the two can be told apart: by their digests, or by dtype or shape alone."""
    old, new = change.before, change.after
    if old is None or new is None:
        return True
    known = old.digest is not None and new.digest is not None
    return known or (old.dtype, old.shape) != (new.dtype, new.shape)
