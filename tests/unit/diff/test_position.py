"""Tensors that lost both name and content are told by the input of the operation that takes them."""

import numpy as np
import pytest
from support.weighted import Array, compared, fates, random, side

from gitops_model.diff.result import Side

CHAIN = "(float[N,4] x) => (float[N,4] y) { h = MatMul (x, ?)  k = Add (h, ?)  r = Relu (k)  y = MatMul (r, ?) }"
ZEROS = np.zeros(4, np.float32)


def filled(graph: str, *names: str) -> str:
    """The graph with names in place of its question marks."""
    for name in names:
        graph = graph.replace("?", name, 1)
    assert "?" not in graph
    return graph


def net(graph: str, *weights: tuple[str, Array], functions: str = "") -> Side:
    return side(filled(graph, *(name for name, _ in weights)), dict(weights), functions)


def w(seed: int, *shape: int) -> Array:
    return random(*(shape or (4, 4)), seed=seed)


@pytest.mark.parametrize(
    "before, after, expected",
    [
        pytest.param(
            [("a", w(0)), ("b", w(1, 4)), ("c", w(2))], [("a", w(0)), ("b", w(1, 4)), ("c", w(2))], {}, id="no change"
        ),
        pytest.param(
            [("a", w(0)), ("b", w(1, 4)), ("c", w(2))],
            [("a", w(3)), ("b", w(4, 4)), ("c", w(5))],
            {"changed": ["a", "b", "c"]},
            id="retrained",
        ),
        pytest.param(
            [("a", w(0)), ("b", w(1, 4)), ("c", w(2))],
            [("p", w(3)), ("q", w(4, 4)), ("z", w(5))],
            {"changed": ["a > p", "b > q", "c > z"]},
            id="retrained and renamed",
        ),
        pytest.param(
            [("a", w(0)), ("b", w(1, 4)), ("c", w(2))],
            [("c", w(3)), ("a", w(4, 4)), ("z", w(5))],
            {"changed": ["a > c", "b > a", "c > z"]},
            id="names that moved on to others lie",
        ),
        pytest.param(
            [("a", w(0)), ("b", w(1, 4)), ("c", w(2))],
            [("c", w(0)), ("b", w(1, 4)), ("a", w(2))],
            {"renamed": ["a > c", "c > a"]},
            id="names that changed places with their contents",
        ),
        pytest.param(
            [("a", w(0)), ("b", w(1, 4)), ("c", w(2))],
            [("a", w(2)), ("b", w(1, 4)), ("c", w(0))],
            {"changed": ["a", "c"]},
            id="contents that changed places",
        ),
        pytest.param(
            [("a", w(0)), ("b", ZEROS), ("c", w(2))],
            [("p", w(0)), ("q", ZEROS), ("r", w(2))],
            {"renamed": ["a > p", "b > q", "c > r"]},
            id="renamed",
        ),
    ],
)
def test_a_chain(
    before: list[tuple[str, Array]], after: list[tuple[str, Array]], expected: dict[str, list[str]]
) -> None:
    one, other = net(CHAIN, *before), net(CHAIN, *after)
    assert fates(compared(one, other)) == expected


BIASES = """(float[N,4] x) => (float[N,4] y)
    { h = Add (x, ?)  s = Relu (h)  k = Add (s, ?)  t = Tanh (k)  y = Add (t, ?) }"""


def test_equal_contents_follow_their_places() -> None:
    """Three biases of zeros, of which one was trained and all were renamed, in another order."""
    before = net(BIASES, ("a", ZEROS), ("b", ZEROS), ("c", ZEROS))
    after = side(filled(BIASES, "p", "q", "r"), {"r": ZEROS, "q": w(1, 4), "p": ZEROS})
    assert fates(compared(before, after)) == {"changed": ["b > q"], "renamed": ["a > p", "c > r"]}


def test_tiny_contents_do_not_decide() -> None:
    """By content alone, a and b would have changed places."""
    one, two, three = (np.full(1, number, np.float32) for number in (1, 2, 3))
    before = net(BIASES, ("a", one), ("b", two), ("c", three))
    after = net(BIASES, ("p", two), ("q", one), ("r", three))
    assert fates(compared(before, after)) == {"changed": ["a > p", "b > q"], "renamed": ["c > r"]}


def test_constant_nodes() -> None:
    graph = """(float[N] x) => (float[N] y) {{ {0} = Constant <value = float[2] {{{1}, 1.0}}> ()
        {2} = Constant <value_floats = [{3}, 1.0]> ()  h = Mul (x, {0})  s = Relu (h)  y = Mul (s, {2}) }}"""
    before, after = side(graph.format("a", 2.5, "b", 3.5), {}), side(graph.format("p", 4.5, "q", 5.5), {})
    assert fates(compared(before, after)) == {"changed": ["a > p", "b > q"]}


def test_subgraphs_and_functions() -> None:
    graph = """(float[N,4] x, bool flag) => (float[N,4] y) {{ n = local.f (x)
        y = If (flag) <then_branch = t () => (float[N,4] z) {{ {0} = Constant <value = float[2] {{{1}, 1.0}}> ()
            g = Mul (n, {0})  z = Add (g, {2}) }},
            else_branch = e () => (float[N,4] o) {{ o = Mul (n, {3}) }}> }}"""
    function = """<domain: "local", opset_import: ["" : 17]> f (v) => (u)
        {{ {0} = Constant <value = float[1] {{{1}}}> ()  u = Add (v, {0}) }}"""
    before = side(graph.format("a", 2.5, "b", "c"), {"b": w(0, 4), "c": w(1, 4)}, function.format("k", 0.5))
    after = side(graph.format("p", 3.5, "q", "r"), {"r": w(2, 4), "q": w(3, 4)}, function.format("l", 1.5))
    branch = f"If#{1}.then_branch/"
    assert fates(compared(before, after)) == {
        "changed": [f"{branch}a > {branch}p", "b > q", "c > r", "local:f:/k > local:f:/l"]
    }


TIED = "(float[N,4] x) => (float[N,4] y) { h = MatMul (x, ?)  s = Relu (h)  k = MatMul (s, ?)  y = MatMul (k, ?) }"


@pytest.mark.parametrize(
    "names, expected",
    [
        pytest.param(("p", "p", "p"), {"changed": ["a > p"]}, id="all of them"),
        pytest.param(("p", "p", "q"), {"changed": ["a > p"], "added": ["q"]}, id="most of them"),
        pytest.param(("p", "q", "r"), {"removed": ["a"], "added": ["p", "q", "r"]}, id="no two of them"),
    ],
)
def test_a_tensor_that_several_operations_take(names: tuple[str, ...], expected: dict[str, list[str]]) -> None:
    before = side(filled(TIED, "a", "a", "a"), {"a": w(0)})
    after = side(filled(TIED, *names), {name: w(number + 1) for number, name in enumerate(sorted(set(names)))})
    assert fates(compared(before, after)) == expected


TAKEN = "(float[N,4] x) => (float[N,M] y) { h = Relu (x)  y = ? (h, ?) }"


@pytest.mark.parametrize(
    "ops, arrays, expected",
    [
        pytest.param(("MatMul", "MatMul"), (w(0, 4, 4), w(1, 4, 6)), {"changed": ["a > p"]}, id="longer in one axis"),
        pytest.param(
            ("MatMul", "MatMul"), (w(0, 4, 6), w(1, 6, 4)), {"changed": ["a > p"]}, id="axes in another order"
        ),
        pytest.param(
            ("MatMul", "MatMul"), (w(0, 4, 6), w(1, 5, 7)), {"removed": ["a"], "added": ["p"]}, id="longer in two axes"
        ),
        pytest.param(("Add", "Add"), (w(0, 4), w(1, 1, 4)), {"removed": ["a"], "added": ["p"]}, id="another rank"),
        pytest.param(("Add", "Sub"), (w(0, 4), w(1, 4)), {"removed": ["a"], "added": ["p"]}, id="another operation"),
        pytest.param(
            ("Gather", "Gather"),
            (np.arange(4), w(1, 4)),
            {"removed": ["a"], "added": ["p"]},
            id="indices are no weights",
        ),
    ],
)
def test_what_cannot_have_become_the_other(
    ops: tuple[str, str], arrays: tuple[Array, Array], expected: dict[str, list[str]]
) -> None:
    before, after = (
        side(filled(TAKEN, op, name), {name: array}) for op, name, array in zip(ops, "ap", arrays, strict=True)
    )
    assert fates(compared(before, after)) == expected


def test_a_quantised_weight_stands_behind_what_turns_it_back() -> None:
    quantised = """(float[N,4] x) => (float[N,4] y) { d = DequantizeLinear (p, scale, zero)  h = MatMul (x, d)
        y = Relu (h) }"""
    weights = {"p": np.ones((4, 4), np.int8), "scale": np.ones((), np.float32), "zero": np.zeros((), np.int8)}
    before = side("(float[N,4] x) => (float[N,4] y) { h = MatMul (x, a)  y = Relu (h) }", {"a": w(0)})
    assert fates(compared(before, side(quantised, weights))) == {"changed": ["a > p"], "added": ["scale", "zero"]}


def test_twins_are_told_by_what_did_not_change() -> None:
    """Two branches of one shape in another order: of each, one weight was trained on."""
    graph = """(float[N,4] x) => (float[N,4] y)
        { p = MatMul (x, ?)  q = MatMul (p, ?)  r = MatMul (x, ?)  s = MatMul (r, ?)  y = Add (q, s) }"""
    before = net(graph, ("a", w(0)), ("b", w(1)), ("c", w(2)), ("d", w(3)))
    after = net(graph, ("e", w(2)), ("f", w(4)), ("g", w(5)), ("h", w(1)))
    assert fates(compared(before, after)) == {"changed": ["a > g", "d > f"], "renamed": ["b > h", "c > e"]}


def test_twins_without_anything_else_are_told_by_their_names() -> None:
    graph = "(float[N,4] x) => (float[N,4] y) { p = MatMul (x, ?)  r = MatMul (x, ?)  y = Add (p, r) }"
    before = net(graph, ("left", w(0)), ("right", w(1)))
    after = net(graph, ("right", w(2)), ("left", w(3)))
    assert fates(compared(before, after)) == {"changed": ["left", "right"]}


def stack(*names: str, seeds: tuple[int, ...]) -> Side:
    """A block per name, one like the other."""
    body = "b0 = Identity (x)  " + "".join(
        f"c{number} = MatMul (b{number - 1}, {name})  b{number} = Relu (c{number})  "
        for number, name in enumerate(names, 1)
    )
    graph = f"(float[N,4] x) => (float[N,4] y) {{ {body} y = Tanh (b{len(names)}) }}"
    return side(graph, {name: w(seed) for name, seed in zip(names, seeds, strict=True)})


@pytest.mark.parametrize(
    "names, seeds, expected",
    [
        pytest.param(
            ("n", "p", "q", "r"),
            (9, 0, 1, 2),
            {"added": ["n"], "renamed": ["a > p", "b > q", "c > r"]},
            id="first, by contents",
        ),
        pytest.param(
            ("p", "n", "q", "r"),
            (0, 9, 1, 2),
            {"added": ["n"], "renamed": ["a > p", "b > q", "c > r"]},
            id="between, by contents",
        ),
        pytest.param(
            ("n", "a", "b", "c"), (9, 5, 6, 7), {"added": ["n"], "changed": ["a", "b", "c"]}, id="first, by names"
        ),
        pytest.param(
            ("a", "b", "c", "n"), (5, 6, 7, 9), {"added": ["n"], "changed": ["a", "b", "c"]}, id="last, by names"
        ),
    ],
)
def test_a_block_more_in_a_stack_of_equal_ones(
    names: tuple[str, ...], seeds: tuple[int, ...], expected: dict[str, list[str]]
) -> None:
    assert fates(compared(stack("a", "b", "c", seeds=(0, 1, 2)), stack(*names, seeds=seeds))) == expected
