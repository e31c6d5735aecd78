"""What changed in one model, as tables of plain texts that Markdown and the review draw, and its report holds.

The texts are as the files have them; whoever draws a table makes them inert.
"""

from typing import NamedTuple, TypeAlias

from gitops_model.diff.result import ModelDiff, NodeChange, TensorChange, WeightsDiff
from gitops_model.render.diff import change_text, size_text, tensor_text, value_text

Row: TypeAlias = tuple[str | None, ...]
"""The cells; None where there is nothing to say (an empty text is a name, too)."""

MOST_ROWS = 100
"""Rows of one table; the rest is counted. A comment holds 65,536 characters."""


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
    "tensors": Kind("Tensors", ("", "Name", "Type", "Before"), frozenset((0,))),
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
        (kind, name, *(None if side is None else str(side) for side in sides))
        for kind, entries in facts
        for name, sides in entries.items()
    ]


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


def _tensors(weights: WeightsDiff) -> list[Row]:
    fates = (("changed", weights.changed), ("removed", weights.removed), ("added", weights.added))
    rows: list[Row] = [_tensor(fate, change) for fate, changes in fates for change in changes]
    for change in weights.renamed:
        was = change.before.name if change.before is not None else None
        rows.append(("renamed", change.name, change_text(change), was))
    return rows


def _tensor(fate: str, change: TensorChange) -> Row:
    fact = change.after or change.before
    now = tensor_text(fact) if fact is not None else ""
    was = tensor_text(change.before) if change.before is not None else now
    return fate, change.name, now, None if was == now else was


def summary(diff: ModelDiff) -> tuple[str, ...]:
    """Sentences about size: how many operations and tensors there were and are, and what became of them."""
    found: list[str] = []
    before, after = diff.graph.nodes
    if before or after:
        found.append(f"operations {before:,} → {after:,}" if before != after else f"{after:,} operations")
    weights = diff.weights
    if any(weights.totals):
        counts = [
            (len(weights.changed), "changed"),
            (len(weights.added), "added"),
            (len(weights.removed), "removed"),
            (len(weights.renamed), "renamed"),
            (weights.unknown, "not compared"),
            (weights.unchanged, "unchanged"),
        ]
        fates = ", ".join(f"{count:,} {name}" for count, name in counts if count)
        was, now = weights.totals
        sizes = [size_text(size) for size in weights.nbytes]
        number = f"tensors {was:,} → {now:,}" if was != now else f"{now:,} tensors"
        size = sizes[1] if sizes[0] == sizes[1] else " → ".join(sizes)
        found.append(f"{number} ({size}): {fates}")
    return tuple(found)
