"""Which input of one model is which of the other, and in which type both are given a value."""

import pytest
from support.onnx_models import INT64, model, read, value, weight

from gitops_model.diff.probing.pairs import Pair, common_type, inputs_of, paired
from gitops_model.ir import OtherType, TensorType, Value


def floats(*names: str) -> tuple[Value, ...]:
    return tuple(Value(name, TensorType("float32", ("n", 4))) for name in names)


def names(pairs: tuple[Pair, ...]) -> list[tuple[str | None, str | None]]:
    return [tuple(value.name if value is not None else None for value in pair) for pair in pairs]  # type: ignore[misc]


def test_nothing_to_pair() -> None:
    assert paired((), ()) == ()


def test_the_name_decides_wherever_it_stands() -> None:
    assert names(paired(floats("a", "b"), floats("b", "a"))) == [("b", "b"), ("a", "a")]


def test_what_is_left_pairs_up_by_place() -> None:
    assert names(paired(floats("a", "x", "y"), floats("p", "a", "q"))) == [("x", "p"), ("a", "a"), ("y", "q")]


def test_what_has_no_counterpart_stands_alone() -> None:
    assert names(paired(floats("a", "b"), floats("a"))) == [("a", "a"), ("b", None)]
    assert names(paired(floats("a"), floats("a", "b"))) == [("a", "a"), (None, "b")]


@pytest.mark.parametrize(
    "other, pairs_up",
    [
        (TensorType("float32", (None, None)), True),
        (TensorType("float16", ("n", 4)), True),
        (TensorType("float32", None), True),
        (TensorType("float32", ("n",)), False),
        (TensorType("int64", ("n", 4)), False),
        (OtherType("sequence(tensor(float32,[?]))"), False),
    ],
)
def test_another_name_needs_the_same_kind_and_rank(other: TensorType | OtherType, pairs_up: bool) -> None:
    assert len(paired(floats("a"), (Value("b", other),))) == (1 if pairs_up else 2)


def test_an_initializer_is_no_input() -> None:
    described = read(model([], [value("x", ["n"]), value("w", [3])], [], (weight("w", 3),)))
    assert [one.name for one in inputs_of(described)] == ["x"]


@pytest.mark.parametrize(
    "before, after, common",
    [
        ("float32", "float32", "float32"),
        ("float32", "float16", "float16"),
        ("bfloat16", "float64", "bfloat16"),
        ("bfloat16", "float16", "bfloat16"),
        ("int64", "int32", "int32"),
        ("uint8", "float32", "uint8"),
        ("bool", "int64", "bool"),
        ("float32", "bool", "bool"),
        ("string", "string", "string"),
        ("string", "int64", None),
        ("complex64", "float32", None),
    ],
)
def test_the_type_that_both_take(before: str, after: str, common: str | None) -> None:
    assert common_type(before, after) == common_type(after, before) == common


def test_integers_pair_up_under_other_names() -> None:
    one, other = (read(model([], [value(name, ["n"], INT64)], [])) for name in ("ids", "tokens"))
    assert len(paired(inputs_of(one), inputs_of(other))) == 1
