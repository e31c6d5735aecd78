"""What a diff speaks of, and how it leads from one model to the other: nothing that it speaks of is left out of it.

    apply(diff_models(a, b), describe(a)) == describe(b)
    undo(diff_models(a, b), describe(b)) == describe(a)

A diff that does not belong to the description (a tensor that is not there) is a ValueError.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import NamedTuple, TypeAlias, TypeVar

from gitops_model.diff.facts import Fact
from gitops_model.diff.graph import op_counts
from gitops_model.diff.result import ModelDiff, Side, TensorFact, ValueChange, WeightsDiff
from gitops_model.diff.signature import Values, interface
from gitops_model.diff.weights import facts

T = TypeVar("T")
Changes: TypeAlias = Mapping[str, tuple[T, T]]


class Description(NamedTuple):
    """A model without its wiring. `ops` counts the nodes of each operation (`DOMAIN:OP` outside ai.onnx); `tensors`
    are sorted; `inputs` and `outputs` are None where the file does not say them; `digests` has those that there are."""

    format: str
    inputs: Values | None
    outputs: Values | None
    ops: dict[str, int]
    opset: dict[str, Fact]
    properties: dict[str, Fact]
    metadata: dict[str, Fact]
    tensors: tuple[TensorFact, ...]
    digests: dict[str, str]


def describe(side: Side) -> Description:
    model = side.model
    inputs, outputs = interface(model) or (None, None)
    named = {name: getattr(side, name) for name in ("weights", "structure", "signature", "optimizer")}
    return Description(
        model.format,
        inputs,
        outputs,
        dict(op_counts(model)),
        {**model.opset},
        {**model.properties},
        {**model.metadata},
        in_order(facts(side)),
        {name: digest for name, digest in named.items() if digest},
    )


def in_order(tensors: Iterable[TensorFact]) -> tuple[TensorFact, ...]:
    return tuple(sorted(tensors, key=lambda fact: (fact.name, fact.dtype, fact.shape, fact.nbytes, fact.digest or "")))


def apply(diff: ModelDiff, description: Description) -> Description:
    """The description after the change."""
    return _led(diff, description, 0, 1)


def undo(diff: ModelDiff, description: Description) -> Description:
    """The description before it."""
    return _led(diff, description, 1, 0)


def _led(diff: ModelDiff, description: Description, old: int, new: int) -> Description:
    """From side `old` of the diff to side `new`; 0 is before."""
    said = diff.signature.stated[new]
    return Description(
        diff.formats[new],
        _values(description.inputs or (), diff.signature.inputs, old, new) if said else None,
        _values(description.outputs or (), diff.signature.outputs, old, new) if said else None,
        {op: count for op, count in _entries(description.ops, diff.graph.ops, new).items() if count},
        _entries(description.opset, diff.opset, new),
        _entries(description.properties, diff.properties, new),
        _entries(description.metadata, diff.metadata, new),
        _tensors(description.tensors, diff.weights, old, new),
        {name: digest for name, digest in _entries(description.digests, diff.digests, new).items() if digest},
    )


def _entries(entries: Mapping[str, T], changes: Changes[T], new: int) -> dict[str, T]:
    """With the changed ones as they are on the side `new`; None there is gone."""
    moved = {name: sides[new] for name, sides in changes.items()}
    return {name: value for name, value in {**entries, **moved}.items() if value is not None}


def _values(values: Values, changes: Iterable[ValueChange], old: int, new: int) -> Values:
    """What changed goes to its place; the others keep their order in the places that are left."""
    gone: set[int | None] = {change.places[old] for change in changes} - {None}
    come = {
        place: value
        for change in changes
        if (place := change.places[new]) is not None and (value := (change.before, change.after)[new]) is not None
    }
    kept = iter([value for place, value in enumerate(values) if place not in gone])
    count = len(values) - len(gone) + len(come)
    return tuple(come[place] if place in come else next(kept) for place in range(count))


def _tensors(tensors: Iterable[TensorFact], diff: WeightsDiff, old: int, new: int) -> tuple[TensorFact, ...]:
    """By what each holds: names alone say too little where two are called the same."""
    counts = Counter(tensors)
    for change in chain(diff.changed, diff.added, diff.removed, diff.renamed, diff.unknown):
        sides = change.before, change.after
        if (was := sides[old]) is not None:
            if not counts[was]:
                raise ValueError(f"the diff is about a tensor {was.name!r} that is not there")
            counts[was] -= 1
        if (now := sides[new]) is not None:
            counts[now] += 1
    return in_order(counts.elements())
