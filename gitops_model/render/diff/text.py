"""Differences for people: the verdict and why, then interface, opset, operations and tensors."""

from collections.abc import Iterator

from gitops_model.diff.probe import Probe
from gitops_model.diff.result import GraphDiff, ModelDiff, TensorChange, TextDiff, ValueChange, WeightsDiff
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
from gitops_model.render.diff.probe import headline as probe_headline
from gitops_model.render.diff.probe import names_text, output_text, types_text
from gitops_model.render.diff.tables import counts_text, edit_text, fates_text, numbers_text, statistics_text
from gitops_model.render.diff.texts import headline
from gitops_model.render.inert import one_line

STYLE = {"none": (32,), "patch": (36,), "minor": (33,), "major": (1, 31)}
ADDED, REMOVED, CHANGED = 32, 31, 33

MOST_NODES = 200
"""Lines about operations of one fate."""

FEW = 8
"""Changed tensors up to which layers say nothing more."""
MOST_LAYERS = 60


def render(compared: Compared, look: Look) -> str:
    """Plain lines, the same wherever they go; on a terminal tables that fit it, where rich is there to draw them."""
    if look.width and compared.files:
        from gitops_model.render.diff import terminal

        if terminal.is_there():
            return terminal.render(compared, look)
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
                text = diff.texts.get(name) if title == "metadata" else None
                sides = ["none" if side is None else one_line(str(side)) for side in (old, new)]
                said = f"{sides[0]} → {sides[1]}" if text is None else headline(text)
                yield f"    {one_line(name)}: {said}"
                yield from _text(text, look) if text is not None else ()
    yield from _graph(diff.graph, look)
    yield from _weights(diff.weights, look)
    if diff.probe is not None:
        yield from _probe(diff.probe, look)


def _text(found: TextDiff, look: Look) -> Iterator[str]:
    styles = {"+": (ADDED,), "-": (REMOVED,), "@": (36,)}
    for line in found.lines:
        flat = f"{line[:1]}{one_line(line[1:], 400)}"
        yield f"      {look.paint(flat, *styles[line[:1]]) if line[:1] in styles else flat}"
    if found.left_out:
        yield f"      … {found.left_out:,} more lines"


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
    sizes = " → ".join(size_text(size) for size in weights.nbytes)
    yield f"  {look.paint('tensors', 1)} {before:,} → {after:,} ({sizes}): {counts_text(weights)}"
    yield from (f"    {one_line(pattern.sentence, 400)}" for pattern in weights.patterns)
    yield from _layers(weights, look)
    yield from _tensors("~", CHANGED, weights, weights.changed, look)
    yield from _tensors("-", REMOVED, weights, weights.removed, look)
    yield from _tensors("+", ADDED, weights, weights.added, look)
    yield from (
        f"    = {_name(weights, c)} {one_line(change_text(c))}" for c in weights.renamed if not weights.is_prefixed(c)
    )


def _probe(probe: Probe, look: Look) -> Iterator[str]:
    yield f"  {look.paint('numeric probe', 1)} {one_line(probe_headline(probe), 1000)}"
    for output in probe.outputs[:MOST_NODES]:
        sign, style = {True: ("=", ADDED), False: ("~", REMOVED), None: ("?", CHANGED)}[output.agrees]
        name = f"{one_line(names_text(output.names))} {one_line(types_text(output.types))}"
        yield f"{look.paint(f'    {sign} {name}', style)} {one_line(output_text(output), 400)}"
    if len(probe.outputs) > MOST_NODES:
        yield f"    … {len(probe.outputs) - MOST_NODES:,} more"
    yield from (f"    {one_line(note, 400)}" for note in probe.notes)


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


def _tensors(
    sign: str, style: int, weights: WeightsDiff, changes: tuple[TensorChange, ...], look: Look
) -> Iterator[str]:
    for change in changes:
        found = change.statistics
        much = f" {statistics_text(found)}" if found is not None else ""
        yield look.paint(f"    {sign} {_name(weights, change)} {one_line(change_text(change))}", style) + much


def _name(weights: WeightsDiff, change: TensorChange) -> str:
    """The name, behind the one before where that says more than the prefix that all names got."""
    name = one_line(change.name)
    if change.old_name is None or weights.is_prefixed(change):
        return name
    return f"{one_line(change.old_name)} → {name}"
