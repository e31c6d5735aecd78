"""Graphs that are one but for names and constants: one build stands for both, and says what two would have said."""

import pytest
from support.onnx_text import side

from gitops_model.diff.proof import prove
from gitops_model.diff.proof.build import Builder
from gitops_model.diff.proof.prove import Proof
from gitops_model.diff.proof.values import Outcome
from gitops_model.diff.result import Side

IO = "(float[N,2] x) => (float[N,2] y)"
BASE = f"{IO} <float[2,2] w = {{1, 2, 3, 4}}, float[2] v = {{5, 6}}> {{ t = MatMul(x, w)  y = Add(t, v) }}"


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sides whose expressions are made."""
    sides: list[str] = []
    make = Builder.outputs

    def outputs(self: Builder, inputs: dict[str, object]) -> list[int]:
        sides.append(self.side)
        return make(self, inputs)

    monkeypatch.setattr(Builder, "outputs", outputs)
    return sides


def proved(before: str, after: str) -> Proof:
    return prove.prove(side(before), side(after))


def test_nothing_is_built_for_other_names(built: list[str]) -> None:
    other = BASE.replace("t = ", "s = ").replace("(t,", "(s,").replace(" w", " p").replace("[2] v", "[2] q")
    assert proved(BASE, other.replace(" v)", " q)")) == Proof(Outcome.EXACT)
    assert built == []


def test_one_is_built_for_other_weights(built: list[str]) -> None:
    assert proved(BASE, BASE.replace("3, 4", "3, 5")) == Proof(Outcome.WEIGHTS)
    assert built == ["a"]


def test_weights_that_reach_no_output(built: list[str]) -> None:
    dead = BASE.replace("{ t", "{ d = Add(x, v)  t").replace("Add(t, v)", "Relu(t)")
    assert proved(dead, dead.replace("5, 6", "5, 7")) == Proof(Outcome.EXACT)
    assert built == ["a"]


BOTH = {
    "a value that a rule looks at": (
        f"{IO} <float[1] z = {{0}}> {{ y = Add(x, z) }}",
        f"{IO} <float[1] z = {{1}}> {{ y = Add(x, z) }}",
        Outcome.DIFFERENT,
    ),
    "constants that go into one": (
        f"{IO} <float p = {{2}}, float q = {{3}}> {{ t = Mul(x, p)  y = Mul(t, q) }}",
        f"{IO} <float p = {{1.5}}, float q = {{4}}> {{ t = Mul(x, p)  y = Mul(t, q) }}",
        Outcome.EXACT,
    ),
    "contents that changed places": (BASE, BASE.replace("5, 6", "6, 5"), Outcome.WEIGHTS),
    "one content that becomes two": (
        f"{IO} <float[2] p = {{5, 6}}, float[2] q = {{5, 6}}> {{ t = Sub(x, p)  y = Div(t, q) }}",
        f"{IO} <float[2] p = {{5, 6}}, float[2] q = {{5, 7}}> {{ t = Sub(x, p)  y = Div(t, q) }}",
        Outcome.WEIGHTS,
    ),
    "an attribute of minus zero": (
        f"{IO} {{ y = LeakyRelu <alpha = 0.0> (x) }}",
        f"{IO} {{ y = LeakyRelu <alpha = -0.0> (x) }}",
        Outcome.DIFFERENT,
    ),
    "nodes in another order": (
        f"{IO} {{ s = Exp(x)  t = Abs(x)  y = Sub(s, t) }}",
        f"{IO} {{ t = Abs(x)  s = Exp(x)  y = Sub(s, t) }}",
        Outcome.EXACT,
    ),
    "inputs of a node exchanged": (
        f"{IO} {{ s = Exp(x)  t = Abs(x)  y = Sub(s, t) }}",
        f"{IO} {{ s = Exp(x)  t = Abs(x)  y = Sub(t, s) }}",
        Outcome.DIFFERENT,
    ),
    "an initializer that nobody uses": (
        BASE,
        BASE.replace("float[2] v", "float[2] dead = {7, 8}, float[2] v"),
        Outcome.EXACT,
    ),
}


@pytest.mark.parametrize("before, after, outcome", BOTH.values(), ids=BOTH.keys())
def test_otherwise_both_are_built(monkeypatch: pytest.MonkeyPatch, before: str, after: str, outcome: Outcome) -> None:
    """With the same answer as where the walk is not tried at all."""
    for pair in ((before, after), (after, before)):
        found = proved(*pair)
        assert found.outcome is outcome
        with monkeypatch.context() as patch:
            patch.setattr(prove, "constants_in_place", lambda *_: None)
            assert proved(*pair) == found


def test_inputs_that_changed_places_by_name() -> None:
    """Formal inputs are known by name: where their order changed, each still is itself."""
    text = "({}) => (float[N] y) {{ s = Exp(x)  y = Sub(s, z) }}"
    before, after = (side(text.format(order)) for order in ("float[N] x, float[N] z", "float[N] z, float[N] x"))
    assert prove.prove(before, after).outcome is Outcome.EXACT
    crossed: Side = side("(float[N] z, float[N] x) => (float[N] y) { s = Exp(z)  y = Sub(s, x) }")
    assert prove.prove(before, crossed).outcome is Outcome.DIFFERENT
