"""What matched nodes say in another way: defaults and axes written out, inputs in another order.

That it is the same is not proved here; the rewrites are named where the proof says that both graphs agree.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from gitops_model.diff.match import COMMUTATIVE, Matching
from gitops_model.diff.nodes import Item, op_text
from gitops_model.diff.result import Rewrite
from gitops_model.ir import Node

UNSAID = {"kernel_shape", "strides", "dilations", "pads"}
"""Attributes whose default the operator's text says and its schema does not."""


def respelled(matching: Matching) -> Iterator[Rewrite]:
    explicit = commuted = 0
    for old, new in matching.pairs.items():
        was, now = matching.one.items[old], matching.other.items[new]
        explicit += says_the_same(was, now)
        commuted += was.node.op_type in COMMUTATIVE and exchanged(matching, was, now)
    if explicit:
        yield Rewrite("explicit-defaults", explicit, "exact")
    if commuted:
        yield Rewrite("commuted-inputs", commuted, "exact")


def of_one_structure(before: Iterable[Node], after: Iterable[Node]) -> Iterator[Rewrite]:
    """Of nodes whose structure is one, which does not tell defaults that are written from the others."""
    one, other = (
        Counter(
            (op_text(node), *sorted(attribute.name for attribute in node.attributes))
            for node in nodes
            if node.op_type != "Constant"
        )
        for nodes in (before, after)
    )
    if one != other:
        yield Rewrite("explicit-defaults", (one - other).total(), "exact")


def says_the_same(was: Item, now: Item) -> bool:
    """Whether one writes out what the other leaves to a default, or counts an axis from the other end, and no more."""
    one, other = ({attribute.name: attribute.value for attribute in item.node.attributes} for item in (was, now))
    shown, shown_now = dict(was.attributes), dict(now.attributes)
    differ = {name for name in shown.keys() | shown_now.keys() if shown.get(name) != shown_now.get(name)}
    signs = {axis < 0 for axis in (one.get("axis"), other.get("axis")) if isinstance(axis, int)}
    missing = differ & (one.keys() ^ other.keys())
    alike = missing <= UNSAID and differ - missing <= ({"axis"} if len(signs) == 2 else set())
    return alike and (one.keys() != other.keys() or bool(differ))


def exchanged(matching: Matching, was: Item, now: Item) -> bool:
    """Whether the same inputs come in another order."""
    if len(was.inputs) != len(now.inputs):
        return False
    ends = [(matching.pairs.get(end.node, -2) if end.node >= 0 else -1, end.output, end.label) for end in was.inputs]
    others = [(end.node, end.output, end.label) for end in now.inputs]
    return ends != others and sorted(ends) == sorted(others)
