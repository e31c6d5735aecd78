"""What `equivalent` is proved for, and what it must never be said of: noise, changes, and laws over random graphs."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.onnx_text import side

from gitops_model.diff import diff_models
from gitops_model.diff.result import Side

IO = "(float[N] x, float[N] z, bool b) => (float[N] y)"
TWO = "float[1] w = {1.5}, float[1] v = {2.5}"
BASE = f"{IO} <{TWO}> {{ t = Mul(x, w)  u = Add(z, v)  y = Sub(t, u) }}"

SAME = {
    "itself": BASE,
    "names of values": f"{IO} <{TWO}> {{ a = Mul(x, w)  c = Add(z, v)  y = Sub(a, c) }}",
    "names of initializers": BASE.replace("w = ", "p = ").replace(", w", ", p"),
    "order of nodes": f"{IO} <{TWO}> {{ u = Add(z, v)  t = Mul(x, w)  y = Sub(t, u) }}",
    "order of initializers": BASE.replace(TWO, "float[1] v = {2.5}, float[1] w = {1.5}"),
    "constants as nodes": (
        f"{IO} {{ w = Constant <value = float[1] {{1.5}}> ()  v = Constant <value = float[1] {{2.5}}> ()"
        "  t = Mul(x, w)  u = Add(z, v)  y = Sub(t, u) }"
    ),
    "identities": f"{IO} <{TWO}> {{ i = Identity(x)  t = Mul(i, w)  u = Add(z, v)  j = Identity(u)  y = Sub(t, j) }}",
    "dropout in inference": f"{IO} <{TWO}> {{ t = Mul(x, w)  d = Dropout(t)  u = Add(z, v)  y = Sub(d, u) }}",
    "work that nobody uses": BASE.replace("{ t =", "{ dead = Exp(z)  t ="),
    "a constant twice": BASE.replace(TWO, TWO + ", float[1] w2 = {1.5}").replace("Mul(x, w)", "Mul(x, w2)"),
}

OTHER = {
    "another content": BASE.replace("1.5", "1.25"),
    "contents that changed places": BASE.replace(TWO, "float[1] w = {2.5}, float[1] v = {1.5}"),
    "inputs of a node exchanged": BASE.replace("Sub(t, u)", "Sub(u, t)"),
    "inputs of the model exchanged": BASE.replace("Mul(x, w)", "Mul(z, w)").replace("Add(z, v)", "Add(x, v)"),
    "another operation": BASE.replace("Sub(t, u)", "Add(t, u)"),
    "another operation of the same name": BASE.replace("Sub(t, u)", "com.example.Sub(t, u)"),
    "minus zero": BASE.replace("2.5", "-0.0"),
    "an output less": BASE.replace("(float[N] y)", "(float[N] y, float[N] u)"),
}


def equivalent(before: Side, after: Side) -> bool:
    return diff_models(before, after).verdict.equivalent


@pytest.mark.parametrize("text", SAME.values(), ids=SAME.keys())
def test_proved(text: str) -> None:
    assert equivalent(side(BASE), side(text))
    assert equivalent(side(text), side(BASE))


@pytest.mark.parametrize("text", OTHER.values(), ids=OTHER.keys())
def test_not_proved(text: str) -> None:
    assert not equivalent(side(BASE), side(text))


@pytest.mark.parametrize(
    "before, after",
    [
        ("alpha = 0.1", "alpha = 0.2"),
        ("alpha = 0.0", "alpha = -0.0"),
        ("alpha = 1.0", "alpha: int = 1"),
        ("alpha = 0.1", "alpha = 0.10001"),
    ],
)
def test_attributes_count(before: str, after: str) -> None:
    text = "(float[N] x) => (float[N] y) {{ y = LeakyRelu <{}> (x) }}"
    assert equivalent(side(text.format(before)), side(text.format(before)))
    assert not equivalent(side(text.format(before)), side(text.format(after)))


BRANCHES = (
    "(float[N] x, float[N] z, bool b) => (float[N] y) {{ s = Neg(x)  r = Abs(x)  y = If (b) <"
    "then_branch = t () => (float[N] p) {{ k = Constant <value = float[1] {{1.0}}> ()  p = Add({}, k) }}, "
    "else_branch = e () => (float[N] q) {{ q = LeakyRelu <alpha = {}> ({}) }} > }}"
)


def test_subgraphs() -> None:
    base = side(BRANCHES.format("s", "0.1", "s"))
    assert equivalent(base, side(BRANCHES.format("s", "0.1", "s")))
    assert equivalent(
        base, side(BRANCHES.format("s", "0.1", "s").replace("(float[N] p)", "(float[N] k2)").replace("p = ", "k2 = "))
    )
    assert not equivalent(base, side(BRANCHES.format("s", "0.2", "s")))
    assert not equivalent(base, side(BRANCHES.format("r", "0.1", "s")))
    assert not equivalent(base, side(BRANCHES.format("s", "0.1", "z")))
    assert not equivalent(base, side(BRANCHES.format("s", "0.1", "s").replace("{1.0}", "{2.0}")))
    swapped = BRANCHES.format("s", "0.1", "s").replace("then_branch", "X").replace("else_branch", "then_branch")
    assert not equivalent(base, side(swapped.replace("X", "else_branch")))


FUNCTION = '<domain: "local", opset_import: ["" : 17]> f (a, c) => (d) {{ {} }}'
CALL = "(float[N] x, float[N] z) => (float[N] y) { y = local.f(x, z) }"


def test_functions() -> None:
    base = side(CALL, functions=FUNCTION.format("e = Sub(a, c)  d = Relu(e)"))
    assert equivalent(base, side(CALL, functions=FUNCTION.format("g = Sub(a, c)  d = Relu(g)")))
    assert not equivalent(base, side(CALL, functions=FUNCTION.format("e = Sub(c, a)  d = Relu(e)")))
    assert not equivalent(base, side(CALL, functions=FUNCTION.format("e = Sub(a, c)  d = Sigmoid(e)")))
    assert not equivalent(
        base,
        side(
            "(float[N] x, float[N] z) => (float[N] y) { y = local.f(z, x) }",
            functions=FUNCTION.format("e = Sub(a, c)  d = Relu(e)"),
        ),
    )


def test_an_input_with_a_default_counts_with_it() -> None:
    text = "(float[1] x = {{{}}}, float[1] z) => (float[1] y) {{ y = Add(x, z) }}"
    one = side(text.format("1.0"))
    assert equivalent(one, side(text.format("1.0")))
    assert not equivalent(one, side(text.format("2.0")))
    assert not equivalent(one, side("(float[1] x, float[1] z) => (float[1] y) { y = Add(x, z) }"))


def test_order_and_names_of_outputs_count() -> None:
    text = "(float[N] x) => (float[N] {}, float[N] {}) {{ y = Relu(x)  w = Neg(x) }}"
    assert not equivalent(side(text.format("y", "w")), side(text.format("w", "y")))
    text = "(float[N] x) => (float[N] {0}) {{ {0} = Relu(x) }}"
    assert not equivalent(side(text.format("y")), side(text.format("w")))


def test_contents_that_are_not_here_prove_nothing() -> None:
    base = side(BASE)
    unknown = base._replace(digests=(None,) * len(base.digests), weights="")
    assert not equivalent(unknown, unknown)


# --- laws -------------------------------------------------------------------------------------------------------------
Nodes = list[tuple[str, int, int]]
"""(operation, first input, second input); an input is an earlier value, 0 and 1 being the model's own."""
OPS = {"Add": float.__add__, "Sub": float.__sub__, "Mul": float.__mul__, "Max": max}


@st.composite
def graphs(draw: st.DrawFn) -> Nodes:
    count = draw(st.integers(2, 10))
    return [
        (draw(st.sampled_from(sorted(OPS))), draw(st.integers(0, n + 1)), draw(st.integers(0, n + 1)))
        for n in range(count)
    ]


def written(nodes: Nodes, chance: random.Random | None = None) -> str:
    """The model's text; with `chance`, other names, and another order in which each node follows what it uses."""
    last = len(nodes) + 1
    numbers, order = list(range(2, last)), list(range(len(nodes)))
    if chance is not None:
        chance.shuffle(numbers)
        order = []
        while len(order) < len(nodes):
            ready = [
                n for n in range(len(nodes)) if n not in order and all(i < 2 or i - 2 in order for i in nodes[n][1:])
            ]
            order.append(chance.choice(ready))
    names = {0: "x", 1: "z", last: "y"} | {n: f"v{number}" for n, number in zip(range(2, last), numbers, strict=True)}
    lines = [f"{names[n + 2]} = {nodes[n][0]}({names[nodes[n][1]]}, {names[nodes[n][2]]})" for n in order]
    return f"(float[N] x, float[N] z) => (float[N] y) {{ {'  '.join(lines)} }}"


def computed(nodes: Nodes, x: float, z: float) -> float:
    values = [x, z]
    for op, first, second in nodes:
        values.append(OPS[op](values[first], values[second]))
    return values[-1]


@given(graphs(), st.randoms(use_true_random=False))
def test_names_and_order_are_noise(nodes: Nodes, chance: random.Random) -> None:
    assert equivalent(side(written(nodes)), side(written(nodes, chance)))


@given(graphs(), st.data())
def test_what_is_called_equivalent_computes_the_same(nodes: Nodes, data: st.DataObject) -> None:
    """One node is changed; whatever is proved about that must hold for numbers."""
    place = data.draw(st.integers(0, len(nodes) - 1))
    inputs = st.integers(0, place + 1)
    changed = [*nodes]
    changed[place] = (data.draw(st.sampled_from(sorted(OPS))), data.draw(inputs), data.draw(inputs))
    if equivalent(side(written(nodes)), side(written(changed))):
        for x, z in ((0.5, 3.25), (-1.75, 0.125), (2.0, -2.5)):
            assert math.isclose(computed(nodes, x, z), computed(changed, x, z), rel_tol=1e-6, abs_tol=1e-9)
