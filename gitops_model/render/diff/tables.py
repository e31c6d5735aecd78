"""What changed in one model, as tables of plain texts that Markdown and the review draw, and its report holds.

The texts are as the files have them; whoever draws a table makes them inert.
"""

from typing import NamedTuple, TypeAlias

from gitops_model.diff.measured import Layer, Statistics
from gitops_model.diff.result import ModelDiff, NodeChange, TensorChange, WeightsDiff
from gitops_model.render.diff import change_text, size_text, tensor_text, value_text
from gitops_model.render.diff.probe import headline, names_text, number_text, outcome, share_text, types_text

Row: TypeAlias = tuple[str | None, ...]
"""The cells; None where there is nothing to say (an empty text is a name, too)."""

MOST_ROWS = 100
"""Rows of one table; the rest is counted. A comment holds 65,536 characters."""


MOST_NOTES = 3
"""Notes of a numeric probe among the sentences."""


class Kind(NamedTuple):
    """`head` names the columns; those in `words` hold words of ours, the others names or values of the file."""

    title: str
    head: tuple[str, ...]
    words: frozenset[int]


KINDS: dict[str, Kind] = {
    "interface": Kind("Interface", ("", "Name", "Change", "Type", "Bump"), frozenset((0, 2, 4))),
    "facts": Kind("Facts", ("", "Name", "Before", "After"), frozenset((0,))),
    "operations": Kind("Operations", ("", "Operation", "Count"), frozenset((0, 2))),
    "rewrites": Kind("Rewrites", ("Written in another way", "Count", "Numbers"), frozenset((1, 2))),
    "probe": Kind(
        "Numeric probe", ("Output", "Type", "", "Largest difference", "Relative", "Argmax"), frozenset((2, 3, 4, 5))
    ),
    "layers": Kind("Layers", ("Layer", "Tensors", "What", "Relative L2", "Largest"), frozenset((1, 2, 3, 4))),
    "tensors": Kind("Tensors", ("", "Name", "Type", "Before", "How much"), frozenset((0, 4))),
}
"""Every table there is, in the order in which they are shown."""


class Table(NamedTuple):
    """`kind` is a key of KINDS; `rows` are the first of `total`."""

    kind: str
    rows: tuple[Row, ...]
    total: int


def tables(diff: ModelDiff, most: int = MOST_ROWS) -> tuple[Table, ...]:
    """The tables that are not empty, each cut to `most` rows."""
    rows = {
        "interface": _interface(diff),
        "facts": _facts(diff),
        "operations": _operations(diff),
        "rewrites": [(r.pattern, f"{r.number:,}", r.numeric) for r in diff.graph.rewrites],
        "probe": _probe(diff),
        "layers": _layers(diff.weights),
        "tensors": _tensors(diff.weights),
    }
    return tuple(Table(kind, tuple(rows[kind][:most]), len(rows[kind])) for kind in KINDS if rows[kind])


def _interface(diff: ModelDiff) -> list[Row]:
    values = [("input", change) for change in diff.signature.inputs]
    values += [("output", change) for change in diff.signature.outputs]
    return [
        (
            role,
            change.name,
            change.change if change.grade == "real" else f"{change.change}, {change.grade}",
            value_text(change),
            change.bump,
        )
        for role, change in values
    ]


def _facts(diff: ModelDiff) -> list[Row]:
    facts = [("opset", diff.opset), ("property", diff.properties), ("metadata", diff.metadata)]
    return [
        (kind, name, *(_fact(side, long=kind == "metadata" and name in diff.texts) for side in sides))
        for kind, entries in facts
        for name, sides in entries.items()
    ]


def _fact(side: str | int | None, *, long: bool) -> str | None:
    """A fact in a cell; of a text that is compared by lines its length."""
    if side is None:
        return None
    return f"{len(str(side)):,} characters" if long else str(side)


def _operations(diff: ModelDiff) -> list[Row]:
    graph = diff.graph
    fates = (("added", graph.added), ("removed", graph.removed), ("changed", graph.changed))
    return [(fate, node.op_type, edit_text(node) or f"{node.number:,}") for fate, nodes in fates for node in nodes]


def edit_text(node: NodeChange) -> str:
    """What changed in a node: `NODE: alpha 0.1 → 0.2; inputs 0, 1 from elsewhere`. Empty where nothing did."""
    edits = [f"{edit.name} {_value(edit.before)} → {_value(edit.after)}" for edit in node.attributes]
    if node.inputs:
        places = ", ".join(map(str, node.inputs))
        edits.append(f"input{'s' if len(node.inputs) > 1 else ''} {places} from elsewhere")
    if not edits:
        return ""
    name = "/".join(part for place in node.nodes[:1] for part in (place.where, place.name) if part)
    return (f"{name}: " if name else "") + "; ".join(edits)


def _value(value: object) -> str:
    return "none" if value is None else str(value)


def _probe(diff: ModelDiff) -> list[Row]:
    return [
        (
            names_text(output.names),
            types_text(output.types),
            outcome(output),
            number_text(output.max_abs),
            number_text(output.max_rel),
            share_text(output.argmax),
        )
        for output in (diff.probe.outputs if diff.probe is not None else ())
    ]


def _tensors(weights: WeightsDiff) -> list[Row]:
    fates = (("changed", weights.changed), ("removed", weights.removed), ("added", weights.added))
    rows: list[Row] = [_tensor(weights, fate, change) for fate, changes in fates for change in changes]
    rows += [
        ("renamed", c.name, change_text(c), c.old_name, None) for c in weights.renamed if not weights.is_prefixed(c)
    ]
    return rows


def _tensor(weights: WeightsDiff, fate: str, change: TensorChange) -> Row:
    """Before: another name, another type, or both."""
    fact = change.after or change.before
    now = tensor_text(fact) if fact is not None else ""
    was = tensor_text(change.before) if change.before is not None else now
    renamed = change.old_name if not weights.is_prefixed(change) else None
    before = ([renamed] if renamed is not None else []) + ([was] if was != now else [])
    much = statistics_text(change.statistics) if change.statistics is not None else None
    return fate if renamed is None else f"{fate}, renamed", change.name, now, " ".join(before) if before else None, much


def _layers(weights: WeightsDiff) -> list[Row]:
    """The layers that changed; a layer of one tensor says no more than the tensor does."""
    touched = [layer for layer in weights.layers if layer.touched]
    if all(layer.tensors == 1 for layer in touched):
        return []
    return [(layer.name, f"{layer.tensors:,}", fates_text(layer), *numbers_text(layer)) for layer in touched]


def fates_text(layer: Layer) -> str:
    """`2 changed, 1 added`."""
    fates = (
        (layer.changed, "changed"),
        (layer.added, "added"),
        (layer.removed, "removed"),
        (layer.unknown, "not compared"),
    )
    return ", ".join(f"{count:,} {word}" for count, word in fates if count)


def numbers_text(layer: Layer) -> tuple[str | None, str | None]:
    ratio, largest = layer.relative_l2, layer.max_abs
    return None if ratio is None else f"{ratio:.3g}", None if largest is None else f"{largest:.3g}"


def statistics_text(found: Statistics) -> str:
    """`relative L2 0.012, largest 0.3, cosine 0.9999, 100% of the elements`."""
    parts = [found.kind] if found.kind != "values" else []
    parts += [found.note] if found.note else []
    if found.kind in {"bits", "transposed"}:
        return ": ".join(parts)
    if found.relative_l2 is not None and found.kind != "quantised":
        parts.append(f"relative L2 {found.relative_l2:.3g}")
    if found.max_abs is not None and found.kind != "quantised":
        parts.append(f"largest {found.max_abs:.3g}")
    if found.cosine is not None and found.kind != "quantised":
        parts.append(f"cosine {found.cosine:.4g}")
    share = found.fraction
    if found.kind not in {"quantised", "cast"}:
        parts.append(f"{100 * share:.3g}% of the elements" if share < 1 else "every element")
    parts += [f"{count:,} new {word}" for count, word in ((found.nan, "NaN"), (found.inf, "infinite")) if count]
    silent = ((found.zero_signs, "signs of zero"), (found.nan_payloads, "payloads of NaN"))
    parts += [f"{count:,} {word}" for count, word in silent if count]
    old, new = found.sparsity
    if abs(new - old) >= 0.01:
        parts.append(f"zeros {100 * old:.3g}% → {100 * new:.3g}%")
    return ", ".join(parts)


def counts_text(weights: WeightsDiff) -> str:
    """`14 changed (2 of them renamed), 1 added, 326 unchanged`."""
    renamed = sum(change.old_name is not None and not weights.is_prefixed(change) for change in weights.changed)
    counts = [
        (len(weights.changed), f"changed ({renamed:,} of them renamed)" if renamed else "changed"),
        (len(weights.added), "added"),
        (len(weights.removed), "removed"),
        (len(weights.renamed), "renamed"),
        (len(weights.unknown), "not compared"),
        (weights.unchanged, "unchanged"),
    ]
    return ", ".join(f"{count:,} {name}" for count, name in counts if count)


def summary(diff: ModelDiff) -> tuple[str, ...]:
    """Sentences about size: how many operations and tensors there were and are, and what became of them."""
    found: list[str] = []
    before, after = diff.graph.nodes
    if before or after:
        found.append(f"operations {before:,} → {after:,}" if before != after else f"{after:,} operations")
    weights = diff.weights
    if any(weights.totals):
        fates = counts_text(weights)
        was, now = weights.totals
        sizes = [size_text(size) for size in weights.nbytes]
        number = f"tensors {was:,} → {now:,}" if was != now else f"{now:,} tensors"
        size = sizes[1] if sizes[0] == sizes[1] else " → ".join(sizes)
        found.append(f"{number} ({size}): {fates}")
    found += [pattern.sentence for pattern in weights.patterns]
    if diff.probe is not None:
        found.append(f"numeric probe: {headline(diff.probe)}")
        found += diff.probe.notes[:MOST_NOTES]
    return tuple(found)
