"""What became of the operations: added, removed, and changed where they stand, in subgraphs and functions too.

Nodes are matched (match.py); of each operation the surplus on one side was added or removed, and a matched node counts
as changed when its attributes differ, or when it takes its inputs from other places than its counterpart.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping

from gitops_model.diff.match import Matching, matching_of
from gitops_model.diff.neighbourhood import neighbourhood
from gitops_model.diff.nodes import Item, Source, op_text, plain_value
from gitops_model.diff.numbering import COMMUTATIVE
from gitops_model.diff.respelled import of_one_structure, respelled
from gitops_model.diff.result import AttributeChange, GraphDiff, NodeChange, NodePlace, Side
from gitops_model.ir import Graph, Model, Node


def diff(before: Side, after: Side, match: Callable[[], Matching] | None = None) -> GraphDiff:
    """`match` gives the matching of the two, where somebody else needs it too."""
    counts = op_counts(before.model), op_counts(after.model)
    same = bool(before.structure) and (before.structure, before.model.format) == (after.structure, after.model.format)
    if same and counts[0] == counts[1]:
        rewrites = of_one_structure(nodes(before.model), nodes(after.model))
        return GraphDiff(nodes=(counts[0].total(), counts[1].total()), rewrites=tuple(rewrites))
    matching = matching_of(before, after) if match is None else match()
    one, other = matching.one.items, matching.other.items
    edits = {} if same else dict(changed(matching))
    alike = before.model.format == after.model.format  # of two formats, no operation is the other's
    return GraphDiff(
        added=grouped(other[index] for index in matching.left[1]),
        removed=grouped(one[index] for index in matching.left[0]),
        changed=tuple(edits.values()),
        rewrites=tuple(respelled(matching)),
        nodes=(counts[0].total(), counts[1].total()),
        ops=moved(*counts),
        neighbourhood=neighbourhood(matching, (before.model, after.model), edits) if alike else None,
    )


def moved(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """The operations whose numbers differ, by name, with both numbers."""
    sides = {op: (before.get(op, 0), after.get(op, 0)) for op in sorted(before.keys() | after.keys())}
    return {op: counts for op, counts in sides.items() if counts[0] != counts[1]}


def grouped(items: Iterator[Item]) -> tuple[NodeChange, ...]:
    """One change per operation, with the places of its nodes."""
    places: defaultdict[str, list[NodePlace]] = defaultdict(list)
    for item in items:
        places[op_text(item.node)].append(NodePlace(item.node.name, item.where))
    return tuple(NodeChange(op, len(found), tuple(found)) for op, found in sorted(places.items()))


def changed(matching: Matching) -> Iterator[tuple[int, NodeChange]]:
    """By number after, in the order of the model after."""
    for new in sorted(matching.back):
        old = matching.back[new]
        was, now = matching.one.items[old], matching.other.items[new]
        attributes = tuple(attribute_changes(was, now))
        inputs = () if matching.one.forwards[old] == matching.other.forwards[new] else rewired(matching, was, now)
        if attributes or inputs:
            yield new, NodeChange(op_text(now.node), 1, (NodePlace(now.node.name, now.where),), attributes, inputs)


def attribute_changes(was: Item, now: Item) -> Iterator[AttributeChange]:
    if was.attributes == now.attributes:
        return
    old, new = dict(was.attributes), dict(now.attributes)
    shown = [{attribute.name: plain_value(attribute) for attribute in item.node.attributes} for item in (was, now)]
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield AttributeChange(name, shown[0].get(name), shown[1].get(name))


def rewired(matching: Matching, was: Item, now: Item) -> tuple[int, ...]:
    """The inputs that came from one place that is still there, and come from another that was there already."""
    if now.node.op_type in COMMUTATIVE:
        ends = [sorted(map(end_of, item.inputs)) for item in (was, now)]
        moved = sorted((matching.pairs.get(node, -2), output, label) for node, output, label in ends[0] if node >= 0)
        if moved + [end for end in ends[0] if end[0] < 0] == [e for e in ends[1] if e[0] >= 0] + [
            e for e in ends[1] if e[0] < 0
        ]:
            return ()
    found: list[int] = []
    for slot, (old, new) in enumerate(zip(was.inputs, now.inputs, strict=False)):
        if old.node >= 0 and old.node not in matching.pairs:
            continue
        if new.node >= 0 and new.node not in matching.back:
            continue
        if old.node < 0 or new.node < 0:
            if (old.node, old.label) != (new.node, new.label):
                found.append(slot)
        elif (matching.pairs[old.node], old.output) != (new.node, new.output):
            found.append(slot)
    if len(was.inputs) != len(now.inputs):
        found += range(min(len(was.inputs), len(now.inputs)), max(len(was.inputs), len(now.inputs)))
    return tuple(found)


def end_of(source: Source) -> tuple[int, int, str]:
    return source.node, source.output, source.label


def op_counts(model: Model) -> Counter[str]:
    """Operation → how many nodes, subgraphs and function bodies included; another domain's is `DOMAIN:OP`."""
    return Counter(op_text(node) for node in nodes(model))


def nodes(model: Model) -> Iterator[Node]:
    """Every node, a subgraph's after the node that holds it; no recursion, nesting is the file's own."""
    bodies = [function.nodes for function in reversed(model.functions)]
    if model.graph is not None:
        bodies.append(model.graph.nodes)
    stack = [iter(body) for body in bodies]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
            continue
        yield node
        stack += [iter(graph.nodes) for graph in reversed(subgraphs(node))]


def subgraphs(node: Node) -> list[Graph]:
    found: list[Graph] = []
    for attribute in node.attributes:
        value = attribute.value
        if isinstance(value, Graph):
            found.append(value)
        elif isinstance(value, tuple) and attribute.kind == "graphs":
            found += [item for item in value if isinstance(item, Graph)]
    return found
