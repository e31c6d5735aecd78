"""Inputs and outputs: what callers feel, the grade of it, and the bump that it asks for."""

import pytest

from gitops_model.diff.result import SignatureDiff
from gitops_model.diff.signature import diff
from gitops_model.ir import Dim, Model, OtherType, TensorType, Value


def model(inputs: dict[str, object], outputs: dict[str, object]) -> Model:
    sides = {"inputs": tuple(map(value, inputs.items())), "outputs": tuple(map(value, outputs.items()))}
    return Model("onnx", (), **sides)


def value(item: tuple[str, object]) -> Value:
    name, kind = item
    if isinstance(kind, str):
        return Value(name, OtherType(kind))
    if isinstance(kind, list):
        return Value(name, TensorType("float32", tuple(kind)))
    return Value(name, TensorType("float32", None) if kind == () else kind)  # type: ignore[arg-type]


def changes(before: Model, after: Model) -> list[tuple[str, str, str, str]]:
    found = diff(before, after)
    return [(c.name, c.change, c.grade, c.bump) for c in (*found.inputs, *found.outputs)]


PLAIN: dict[str, object] = {"x": ["n", 3]}


@pytest.mark.parametrize("shape", [[], [1], ["n", None, 3], ()], ids=["scalar", "fixed", "symbols", "unknown rank"])
def test_the_same_is_no_change(shape: list[Dim]) -> None:
    assert changes(model({"x": shape}, {"y": shape}), model({"x": shape}, {"y": shape})) == []


def test_a_file_that_says_nothing_about_them_is_no_change_for_callers() -> None:
    silent = Model("safetensors", ())
    assert diff(silent, silent) == SignatureDiff(stated=(False, False))
    assert changes(silent, model(PLAIN, {})) == [("x", "added", "annotation", "none")]
    assert changes(model({}, PLAIN), silent) == [("x", "removed", "annotation", "none")]


def test_a_change_says_the_places_of_the_value() -> None:
    before, after = model({"a": [1], "b": [1], "c": [1]}, {}), model({"c": [1], "d": [1], "b": [2], "e": [1]}, {})
    assert [(c.name, c.change, c.places) for c in diff(before, after).inputs] == [
        ("a", "removed", (0, None)),
        ("d", "added", (None, 1)),
        ("b", "shape", (1, 2)),
        ("e", "added", (None, 3)),
        ("c", "order", (2, 0)),
        ("b", "order", (1, 2)),
    ]


def test_a_name_that_is_there_twice_is_two_values() -> None:
    """No valid file has it, and a bad one must not bring the comparison down."""
    one, other = value(("x", [1])), value(("x", [2]))
    before, after = Model("onnx", (), inputs=(one, other), outputs=()), Model("onnx", (), inputs=(one,), outputs=())
    assert changes(before, before) == []
    assert changes(before, after) == [("x", "removed", "real", "major")]
    assert changes(after, before) == [("x", "added", "real", "major")]


@pytest.mark.parametrize(
    "before, after, as_input, as_output",
    [
        pytest.param(
            ["n", 3], ["batch", 3], ("shape", "noise", "none"), ("shape", "noise", "none"), id="symbol renamed"
        ),
        pytest.param(
            [None, 3], ["n", 3], ("shape", "annotation", "patch"), ("shape", "annotation", "patch"), id="named"
        ),
        pytest.param([1, 3], ["n", 3], ("shape", "real", "minor"), ("shape", "real", "major"), id="wider"),
        pytest.param(["n", 3], [1, 3], ("shape", "real", "major"), ("shape", "real", "minor"), id="narrower"),
        pytest.param([1, 3], [2, 3], ("shape", "real", "major"), ("shape", "real", "major"), id="another size"),
        pytest.param([1, "n"], ["n", 1], ("shape", "real", "major"), ("shape", "real", "major"), id="both ways"),
        pytest.param([1, 3], [1, 3, 1], ("rank", "real", "major"), ("rank", "real", "major"), id="another rank"),
        pytest.param([1, 3], (), ("rank", "real", "minor"), ("rank", "real", "major"), id="rank unknown"),
        pytest.param((), [1, 3], ("rank", "real", "major"), ("rank", "real", "minor"), id="rank known"),
        pytest.param([1], "sequence(tensor)", ("type", "real", "major"), ("type", "real", "major"), id="another kind"),
        pytest.param([1], TensorType("int64", (1,)), ("type", "real", "major"), ("type", "real", "major"), id="dtype"),
        pytest.param([1], None, ("type", "annotation", "patch"), ("type", "annotation", "patch"), id="no type"),
    ],
)
def test_retyped(
    before: object, after: object, as_input: tuple[str, str, str], as_output: tuple[str, str, str]
) -> None:
    assert changes(model({"v": before}, {}), model({"v": after}, {})) == [("v", *as_input)]
    assert changes(model({}, {"v": before}), model({}, {"v": after})) == [("v", *as_output)]


def test_added_and_removed() -> None:
    one, two = model(PLAIN, PLAIN), model({**PLAIN, "m": [1]}, {**PLAIN, "p": [1]})
    assert changes(one, two) == [("m", "added", "real", "major"), ("p", "added", "real", "minor")]
    assert changes(two, one) == [("m", "removed", "real", "major"), ("p", "removed", "real", "major")]


def test_renamed_at_its_place_is_one_change() -> None:
    before, after = model({"a": [1], "b": ["n"]}, {"y": [1]}), model({"a": [1], "c": ["m"]}, {"z": [1]})
    assert changes(before, after) == [("c", "renamed", "real", "major"), ("z", "renamed", "real", "major")]


def test_another_order() -> None:
    before = model({"a": [1], "b": [1]}, {"y": [1], "z": [1]})
    after = model({"b": [1], "a": [1]}, {"z": [1], "y": [1]})
    found = changes(before, after)
    assert {(change, bump) for _, change, _, bump in found} == {("order", "minor"), ("order", "major")}


def test_every_reason_names_the_value() -> None:
    found = diff(model({"a": [1], "b": [1]}, {"y": [1]}), model({"a": [2], "c": [1], "d": [1]}, {"y": ["n"], "q": [1]}))
    for change in (*found.inputs, *found.outputs):
        assert change.name in change.reason
