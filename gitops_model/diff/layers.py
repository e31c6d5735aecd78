"""Weights by layer, and the patterns in which they changed: only what was measured is said."""

from collections.abc import Iterator
from math import prod, sqrt

from gitops_model.diff.elements import is_float
from gitops_model.diff.measured import Layer, Pattern, Statistics
from gitops_model.diff.result import Side, TensorChange, WeightsDiff

EVERYWHERE = 0.95
"""Share of the trained tensors that must have changed to call a model retrained everywhere."""
HEAD = 0.25
"""Largest share of the layers that is still a head."""
HEAD_NAMES = frozenset(
    ("head", "heads", "classifier", "classification_head", "fc", "lm_head", "score", "cls", "logits", "output_layer",
     "predictions", "pooler", "embed_out", "qa_outputs")
)  # fmt: skip
"""What the last layers are called in timm, torchvision and transformers."""
SMALL = 16
"""A tensor of fewer elements is a setting rather than something trained."""

SENTENCES = {
    "cast": "stored in another float type, every element rounded to it",
    "quantised": "stored as integers that follow the numbers",
    "resized": "with another number of rows",
    "transposed": "with axes in another order, the elements the same",
    "bits": "changed only in signs of zero or payloads of NaN, which no comparison of values shows",
}


def layer_of(name: str) -> str:
    """A name without its last part (parts end at `.` and `/`); a name of one part is its own layer."""
    at = max(name.rfind("."), name.rfind("/"))
    return name[:at] if at > 0 else name


def layers(after: Side, weights: WeightsDiff) -> tuple[Layer, ...]:
    """Every layer of either side: those of `after` in its order, then those that went.

    A tensor that has another name now counts in the layer of that name.
    """
    names: dict[str, dict[str, int]] = {}
    for tensor in after.model.tensors:
        names.setdefault(layer_of(tensor.name), {})[tensor.name] = tensor.nbytes
    for change in weights.removed:
        if change.before is not None:
            names.setdefault(layer_of(change.name), {}).setdefault(change.name, change.before.nbytes)
    fates: dict[str, dict[str, list[TensorChange]]] = {}
    for fate in ("changed", "added", "removed", "renamed", "unknown"):
        for change in getattr(weights, fate):
            fates.setdefault(layer_of(change.name), {}).setdefault(fate, []).append(change)
    return tuple(_layer(name, own, fates.get(name, {})) for name, own in names.items())


def _layer(name: str, sizes: dict[str, int], fates: dict[str, list[TensorChange]]) -> Layer:
    changed = fates.get("changed", [])
    known = [(change.before, change.statistics) for change in changed if change.statistics and change.before]
    return Layer(
        name,
        len(sizes),
        len(changed),
        len(fates.get("added", ())),
        len(fates.get("removed", ())),
        len(fates.get("renamed", ())),
        len(fates.get("unknown", ())),
        nbytes=sum(sizes.values()),
        relative_l2=_together([found for _, found in known]),
        max_abs=max((found.max_abs for _, found in known if found.max_abs is not None), default=None),
    )


def _together(found: list[Statistics]) -> float | None:
    """The relative L2 over several tensors, from that of each and its norm, which distance and ratio give."""
    squares = [(one.norm, one.relative_l2) for one in found if one.relative_l2 is not None]
    total = sum(norm * norm for norm, _ in squares)
    return sqrt(sum((norm * ratio) ** 2 for norm, ratio in squares) / total) if total > 0 else None


def patterns(after: Side, weights: WeightsDiff) -> Iterator[Pattern]:
    """What the changed tensors have in common, the most telling first; before that, what their names have."""
    if weights.prefix is not None:
        yield Pattern("prefix", weights.prefix.tensors, weights.prefix.sentence)
    changed = [(change, change.statistics) for change in weights.changed]
    known = [(change, found) for change, found in changed if found is not None]
    for kind, sentence in SENTENCES.items():
        number = sum(found.kind == kind for _, found in known)
        if number:
            yield Pattern(kind, number, f"{_tensors(number)} {sentence}")
    low = [found.rank for _, found in known if found.kind == "low-rank" and found.rank is not None]
    if low:
        span = f"rank {min(low)}" if min(low) == max(low) else f"ranks {min(low)} to {max(low)}"
        yield Pattern(
            "low-rank", len(low), f"{_tensors(len(low))} changed by a matrix of low rank ({span}), as LoRA does"
        )
    moved = [(change, found) for change, found in known if found.kind in {"values", "low-rank"}]
    if moved:
        yield from _spread(after, weights, moved)


def _spread(after: Side, weights: WeightsDiff, moved: list[tuple[TensorChange, Statistics]]) -> Iterator[Pattern]:
    """Changed everywhere, or only in the last layers."""
    trained = [tensor for tensor in after.model.tensors if is_float(tensor.dtype) and prod(tensor.shape) >= SMALL]
    names = {tensor.name for tensor in trained}
    touched = [(change, found) for change, found in moved if change.name in names]
    if not touched:
        return
    share = len(touched) / len(trained)
    typical = [found.relative_l2 for _, found in touched if found.relative_l2 is not None]
    size = f", the median relative L2 is {median(typical):.3g}" if typical else ""
    if share >= EVERYWHERE and median([found.fraction for _, found in touched]) > 0.5:
        yield Pattern(
            "retrained", len(touched), f"retrained everywhere: {len(touched):,} of {len(trained):,} tensors{size}"
        )
        return
    if weights.added or weights.removed:
        return
    order = list(dict.fromkeys(layer_of(name) for name in used(after)))
    which = {layer_of(change.name) for change, _ in moved}
    if len(which) > max(1, HEAD * len(order)) or len(order) < 4 or not which <= set(order):
        return
    last = max((index for index, name in enumerate(order) if name not in which), default=-1)
    first = min(index for index, name in enumerate(order) if name in which)
    named = all(HEAD_NAMES & set(name.replace("/", ".").lower().split(".")) for name in which)
    if after.model.graph is not None and first > last:
        yield Pattern("head", len(moved), f"only the last {len(which)} of {len(order)} layers changed{size}")
    elif after.model.graph is None and named:
        yield Pattern("head", len(moved), f"only layers named as a head changed ({len(which)} of {len(order)}){size}")


def used(side: Side) -> list[str]:
    """The names of tensors in the order in which the graph uses them; without a graph, as the file has them."""
    graph = side.model.graph
    names = [tensor.name for tensor in side.model.tensors]
    if graph is None:
        return names
    known = set(names)
    seen = dict.fromkeys(name for node in graph.nodes for name in node.inputs if name in known)
    return list(seen)


def median(values: list[float]) -> float:
    """The middle one (the upper of two)."""
    return sorted(values)[len(values) // 2]


def _tensors(count: int) -> str:
    return "1 tensor" if count == 1 else f"{count:,} tensors"
