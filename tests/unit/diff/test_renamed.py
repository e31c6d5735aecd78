"""What a change of names, alone or with contents, asks of a version, and where it is counted."""

import pytest
from onnx import compose
from support.onnx_text import side_of
from support.weighted import fates, model, random, side

from gitops_model.diff import diff_models
from gitops_model.diff.result import ModelDiff, Side
from gitops_model.ir import Inline, Model, Tensor

CHAIN = "(float[N,4] x) => (float[N,4] y) {{ h = MatMul (x, {0})  r = Relu (h)  y = MatMul (r, {1}) }}"


def checkpoint(format_: str = "safetensors", **contents: str) -> Side:
    """A file of weights; `__` in a name stands for a dot."""
    names = [name.replace("__", ".") for name in contents]
    tensors = tuple(Tensor(name, "float32", (4, 4), Inline(bytes(64)), 64) for name in names)
    return Side(Model(format_, tensors), tuple(contents.values()))


def onnx(*names: str, seed: int) -> Side:
    return side(CHAIN.format(*names), {name: random(4, 4, seed=seed + i) for i, name in enumerate(names)})


def verdict(found: ModelDiff) -> tuple[str, str]:
    return found.verdict.kind, found.verdict.bump


@pytest.mark.parametrize(
    "after, expected, reasons",
    [
        pytest.param(
            {"m__a": "1", "m__b": "2"},
            ("identical-model", "none"),
            ["same structure, weights and signature"],
            id="nothing",
        ),
        pytest.param({"m__a": "1", "m__b": "3"}, ("weights-only", "patch"), ["1 tensor changed"], id="contents"),
        pytest.param(
            {"a": "1", "b": "2"},
            ("renamed-only", "minor"),
            ['2 tensors lost the prefix "m.", and a loader knows them by name'],
            id="a prefix",
        ),
        pytest.param(
            {"a": "1", "b": "3"},
            ("weights-only", "minor"),
            ["1 tensor changed", '2 tensors lost the prefix "m.", and a loader knows them by name'],
            id="a prefix and contents",
        ),
        pytest.param(
            {"m__a": "1", "n__c": "2"},
            ("renamed-only", "minor"),
            ["tensors have other names, dtypes or shapes, which is how a loader knows them"],
            id="a name",
        ),
    ],
)
def test_a_checkpoint(after: dict[str, str], expected: tuple[str, str], reasons: list[str]) -> None:
    found = diff_models(checkpoint(m__a="1", m__b="2"), checkpoint(**after))
    assert verdict(found) == expected
    assert list(found.verdict.reasons) == reasons


def test_a_graph_does_not_depend_on_names() -> None:
    before = onnx("a", "b", seed=0)
    assert verdict(diff_models(before, onnx("p", "q", seed=0))) == ("renamed-only", "none")
    both = diff_models(before, onnx("p", "q", seed=5))
    assert verdict(both) == ("weights-only", "patch")
    assert both.verdict.reasons == ("2 tensors changed",)


def test_a_prefix_is_a_rewrite_of_a_graph() -> None:
    plain = model(CHAIN.format("a", "b"), {"a": random(4, 4), "b": random(4, 4, seed=1)})
    prefixed = compose.add_prefix(plain, "m/", rename_inputs=False, rename_outputs=False)
    found = diff_models(side_of(plain), side_of(prefixed))
    assert [tuple(rewrite) for rewrite in found.graph.rewrites] == [("prefix", 2, "exact")]
    assert verdict(found) == ("renamed-only", "none")
    assert found.verdict.equivalent


def test_layers_are_those_of_the_names_now() -> None:
    found = diff_models(checkpoint(m__e__w="1", m__e__b="2", m__f__w="3"), checkpoint(e__w="4", e__b="2", g__w="5"))
    layers = {
        layer.name: (layer.tensors, layer.changed, layer.added, layer.removed, layer.renamed)
        for layer in found.weights.layers
    }
    assert layers == {"e": (2, 1, 0, 0, 1), "g": (1, 0, 1, 0, 0), "m.f": (1, 0, 0, 1, 0)}


def test_another_architecture_is_not_told_by_places() -> None:
    """Where most weights have another name, content and shape, standing in the same places does not make one model."""
    graph = CHAIN.format("p", "q").replace("Relu", "Tanh")
    before = onnx("a", "b", seed=0)
    wider = side(graph, {"p": random(4, 8), "q": random(8, 4)})
    alike = side(graph, {"p": random(4, 4, seed=8), "q": random(4, 4, seed=9)})
    assert fates(diff_models(before, wider).weights) == {"changed": ["a > p", "b > q"]}
    assert diff_models(before, wider).verdict.kind == "architecture"
    assert diff_models(before, alike).verdict.kind == "weights+graph"
