"""Which part of a graph is drawn: what changed and what stands beside it, bounded, the same whatever names say."""

import pytest
from support.onnx_text import side

from gitops_model.diff import diff_models, graph
from gitops_model.diff.neighbourhood import MOST_BOXES, MOST_EDGES
from gitops_model.diff.result import Neighbourhood

CHAIN = "(float[N] x) => (float[N] y) { a = Relu(x)  b = Exp(a)  c = Tanh(b)  y = Sigmoid(c) }"
ADDED = CHAIN.replace("c = Tanh(b)", "n = Neg(b)  c = Tanh(n)")


def drawn(before: str, after: str, functions: str = "") -> Neighbourhood:
    found = diff_models(side(before, functions=functions), side(after, functions=functions)).graph.neighbourhood
    assert found is not None
    return found


def fates(found: Neighbourhood) -> dict[str, str]:
    return {box.op_type or box.name: box.fate for box in found.boxes}


def links(found: Neighbourhood) -> set[tuple[str, str, str]]:
    names = [box.op_type or box.name for box in found.boxes]
    return {(names[edge.source], edge.fate, names[edge.target]) for edge in found.edges}


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(CHAIN, id="itself"),
        pytest.param(CHAIN.replace("a = ", "k = ").replace("(a)", "(k)"), id="other names"),
    ],
)
def test_nothing_is_drawn_where_nothing_changed(after: str) -> None:
    assert diff_models(side(CHAIN), side(after)).graph.neighbourhood is None


def test_an_operation_between_two() -> None:
    found = drawn(CHAIN, ADDED)
    assert fates(found) == {"Neg": "added", "Exp": "kept", "Tanh": "kept"}
    assert links(found) == {("Exp", "removed", "Tanh"), ("Exp", "added", "Neg"), ("Neg", "added", "Tanh")}
    assert (found.operations, found.places, found.alike, found.edges_left) == (1, 1, (0,), 0)


def test_the_other_way_round_everything_is() -> None:
    there, back = drawn(CHAIN, ADDED), drawn(ADDED, CHAIN)
    turned = {"added": "removed", "removed": "added", "kept": "kept"}
    assert {name: turned[fate] for name, fate in fates(back).items()} == fates(there)
    assert {(one, turned[fate], other) for one, fate, other in links(back)} == links(there)


def test_ends_of_the_graph_and_a_changed_attribute() -> None:
    text = "(float[N] x) => (float[N] y) { y = LeakyRelu<alpha = ALPHA>(x) }"
    found = drawn(text.replace("ALPHA", "0.1"), text.replace("ALPHA", "0.2"))
    assert fates(found) == {"LeakyRelu": "changed", "x": "kept", "y": "kept"}
    assert [box.kind for box in found.boxes] == ["operation", "input", "output"]
    (edit,) = found.boxes[0].attributes
    assert (edit.name, edit.before, edit.after) == ("alpha", 0.1, 0.2)
    assert links(found) == {("x", "kept", "LeakyRelu"), ("LeakyRelu", "kept", "y")}


def test_another_source() -> None:
    text = "(float[N] x) => (float[N] y) { a = Relu(x)  b = Exp(x)  c = Tanh(WHICH)  y = Add(b, c) }"
    found = drawn(text.replace("WHICH", "a"), text.replace("WHICH", "b"))
    assert ("Relu", "removed", "Tanh") in links(found)
    assert ("Exp", "added", "Tanh") in links(found)


def test_a_rewrite_that_is_proved_is_still_drawn() -> None:
    result = diff_models(side(CHAIN), side(CHAIN.replace("b = Exp(a)", "i = Identity(a)  b = Exp(i)")))
    assert result.verdict.equivalent
    assert result.graph.neighbourhood is not None
    assert fates(result.graph.neighbourhood)["Identity"] == "added"


def test_constants_are_no_boxes() -> None:
    before = "(float[1] x) => (float[1] y) <float[1] w = {2}> { y = Mul(x, w) }"
    after = "(float[1] x) => (float[1] y) { w = Constant<value = float[1] {2}>()  y = Mul(x, w) }"
    assert diff_models(side(before), side(after)).graph.neighbourhood is None


def test_a_subgraph_is_named() -> None:
    text = """(bool b, float[N] x) => (float[N] y) { y = If(b) <
        then_branch = g1 () => (float[N] t) { t = WHICH(x) }, else_branch = g2 () => (float[N] e) { e = Relu(x) }> }"""
    found = drawn(text.replace("WHICH", "Exp"), text.replace("WHICH", "Neg"))
    places = {(box.op_type, box.where) for box in found.boxes if box.fate in ("added", "removed")}
    assert places == {("Exp", "If#0.then_branch"), ("Neg", "If#0.then_branch")}


def blocks(count: int, extra: str) -> str:
    """`count` times the same block, one after another, with something in each."""
    body = " ".join(
        f"a{i} = Relu({f's{i - 1}' if i else 'x'})  {extra.format(i=i)}  b{i} = Exp(m{i})  s{i} = Tanh(b{i})"
        for i in range(count)
    )
    return f"(float[N] x) => (float[N] y) {{ {body} y = Identity(s{count - 1}) }}"


def test_the_same_change_everywhere_is_shown_once() -> None:
    found = drawn(blocks(50, "m{i} = Neg(a{i})"), blocks(50, "n{i} = Neg(a{i})  m{i} = Abs(n{i})"))
    assert found.operations == found.places == 50
    assert found.alike == (49,)
    assert fates(found) == {"Abs": "added", "Neg": "kept", "Exp": "kept"}


@pytest.mark.parametrize("count", [100, 3000])
def test_bounded(count: int) -> None:
    """A chain of new operations, and one that feeds them all."""
    new = " ".join(f"n{i} = Add(n{i - 1}, h)" for i in range(1, count))
    text = "(float[N] x) => (float[N] y) { h = Relu(x)  n0 = Neg(h) NEW y = Exp(LAST) }"
    found = drawn(
        text.replace("NEW", "").replace("LAST", "n0"), text.replace("NEW", new).replace("LAST", f"n{count - 1}")
    )
    assert found.operations >= count - 1
    assert len(found.boxes) == MOST_BOXES
    assert len(found.edges) <= MOST_EDGES
    assert all(edge.source < MOST_BOXES and edge.target < MOST_BOXES for edge in found.edges)


def test_many_users_of_one_change_do_not_fill_the_picture() -> None:
    users = " ".join(f"u{i} = Neg(h)" for i in range(200))
    total = ", ".join(f"u{i}" for i in range(200))
    text = f"(float[N] x) => (float[N] y) {{ h = WHICH(x)  {users}  y = Sum({total}) }}"
    found = drawn(text.replace("WHICH", "Relu"), text.replace("WHICH", "Exp"))
    assert len(found.boxes) < 12


def test_the_change_says_the_same_as_before() -> None:
    """The picture is drawn from the changes; it adds none and takes none away."""
    before, after = side(CHAIN), side(ADDED.replace("Sigmoid", "Relu"))
    found = graph.diff(before, after)
    assert found.neighbourhood is not None
    operations = [box.op_type for box in found.neighbourhood.boxes if box.fate == "added"]
    assert sorted(operations) == sorted(change.op_type for change in found.added)
