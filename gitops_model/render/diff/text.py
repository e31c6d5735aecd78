"""Differences for people: the verdict and why, then interface, opset, operations and tensors."""

from collections.abc import Iterator

from gitops_model.diff.result import GraphDiff, ModelDiff, TensorChange, ValueChange, WeightsDiff
from gitops_model.render import Look
from gitops_model.render.diff import (
    Compared,
    FileDiff,
    bump_of,
    change_text,
    kind_of,
    size_text,
    value_text,
)
from gitops_model.render.diff.tables import edit_text, fates_text, numbers_text, statistics_text
from gitops_model.render.inert import one_line

STYLE = {"none": (32,), "patch": (36,), "minor": (33,), "major": (1, 31)}
ADDED, REMOVED, CHANGED = 32, 31, 33

MOST_NODES = 200
"""Lines about operations of one fate."""

FEW = 8
"""Changed tensors up to which layers say nothing more."""
MOST_LAYERS = 60


def render(compared: Compared, look: Look) -> str:
    blocks = ["\n".join(_file(file, look)) for file in compared.files]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _file(file: FileDiff, look: Look) -> Iterator[str]:
    name = one_line(file.path, 400)
    if file.old_path is not None and file.old_path != file.path:
        name = f"{one_line(file.old_path, 400)} → {name}"
    yield look.paint(name, 1)
    bump = bump_of(file)
    proved = ", equivalent" if file.diff is not None and file.diff.verdict.equivalent else ""
    yield f"  {look.paint(kind_of(file), 1)}{proved}, version bump: {look.paint(bump, *STYLE[bump])}"
    for side, problem in file.problems:
        yield f"  {look.paint(side, 31)}: {problem.code} {one_line(problem.message, 1000)}"
    if file.diff is not None:
        yield from (f"  - {one_line(reason, 400)}" for reason in file.diff.verdict.reasons)
        yield from _model(file.diff, look)


def _model(diff: ModelDiff, look: Look) -> Iterator[str]:
    for title, changes in (("inputs", diff.signature.inputs), ("outputs", diff.signature.outputs)):
        if changes:
            yield f"  {look.paint(title, 1)}"
            yield from (f"    {_value(change, look)}" for change in changes)
    for title, facts in (("opset", diff.opset), ("properties", diff.properties), ("metadata", diff.metadata)):
        if facts:
            yield f"  {look.paint(title, 1)}"
            for name, (old, new) in facts.items():
                sides = ["none" if side is None else one_line(str(side)) for side in (old, new)]
                yield f"    {one_line(name)}: {sides[0]} → {sides[1]}"
    yield from _graph(diff.graph, look)
    yield from _weights(diff.weights, look)


def _value(change: ValueChange, look: Look) -> str:
    name = one_line(change.name)
    if change.change == "renamed" and change.before is not None:
        name = f"{one_line(change.before.name)} → {name}"
    bump = look.paint(change.bump, *STYLE[change.bump])
    grade = "" if change.grade == "real" else f" ({change.grade})"
    return f"{name}: {change.change} {one_line(value_text(change))}{grade}, {bump}"


def _graph(graph: GraphDiff, look: Look) -> Iterator[str]:
    if not (graph.added or graph.removed or graph.changed or graph.rewrites):
        return
    before, after = graph.nodes
    yield f"  {look.paint('operations', 1)} {before:,} → {after:,}"
    for rewrite in graph.rewrites:
        yield f"    = {one_line(rewrite.pattern)} ×{rewrite.number} ({rewrite.numeric})"
    for sign, style, nodes in (("-", REMOVED, graph.removed), ("+", ADDED, graph.added), ("~", CHANGED, graph.changed)):
        for node in nodes[:MOST_NODES]:
            detail = edit_text(node)
            number = "" if detail else f" ×{node.number}"
            yield look.paint(f"    {sign} {one_line(node.op_type)}{number}", style) + (
                detail and f" {one_line(detail)}"
            )
        if len(nodes) > MOST_NODES:
            yield f"    … {len(nodes) - MOST_NODES:,} more"


def _weights(weights: WeightsDiff, look: Look) -> Iterator[str]:
    before, after = weights.totals
    if not (weights.changed or weights.added or weights.removed or weights.renamed or weights.unknown):
        return
    counts = [
        (len(weights.changed), "changed"),
        (len(weights.added), "added"),
        (len(weights.removed), "removed"),
        (len(weights.renamed), "renamed"),
        (len(weights.unknown), "not compared"),
        (weights.unchanged, "unchanged"),
    ]
    summary = ", ".join(f"{count:,} {name}" for count, name in counts if count)
    sizes = " → ".join(size_text(size) for size in weights.nbytes)
    yield f"  {look.paint('tensors', 1)} {before:,} → {after:,} ({sizes}): {summary}"
    yield from (f"    {one_line(pattern.sentence, 400)}" for pattern in weights.patterns)
    yield from _layers(weights, look)
    yield from _tensors("~", CHANGED, weights.changed, look)
    yield from _tensors("-", REMOVED, weights.removed, look)
    yield from _tensors("+", ADDED, weights.added, look)
    for change in weights.renamed:
        if change.before is not None:
            yield f"    = {one_line(change.before.name)} → {one_line(change.name)} {one_line(change_text(change))}"


def _layers(weights: WeightsDiff, look: Look) -> Iterator[str]:
    """Where many tensors changed, by layer first."""
    touched = [layer for layer in weights.layers if layer.touched]
    if len(touched) < 2 or len(weights.changed) <= FEW:
        return
    yield f"  {look.paint('layers', 1)} {len(touched):,} of {len(weights.layers):,}"
    for layer in touched[:MOST_LAYERS]:
        ratio, largest = numbers_text(layer)
        much = f", relative L2 {ratio}, largest {largest}" if ratio is not None else ""
        yield f"    {one_line(layer.name)}: {fates_text(layer)}{much}"
    if len(touched) > MOST_LAYERS:
        yield f"    … {len(touched) - MOST_LAYERS:,} more"


def _tensors(sign: str, style: int, changes: tuple[TensorChange, ...], look: Look) -> Iterator[str]:
    for change in changes:
        found = change.statistics
        much = f" {statistics_text(found)}" if found is not None else ""
        yield look.paint(f"    {sign} {one_line(change.name)} {one_line(change_text(change))}", style) + much
