"""The shapes that inputs get: one symbol is one size, in both models."""

from typing import Any

import pytest

from gitops_model.diff.probing.pairs import Pair
from gitops_model.diff.probing.sizes import ATTEMPTS, MOST_ELEMENTS, Sized, sized, terms_of
from gitops_model.ir import Dim, TensorType, Value

Dims = tuple[Dim, ...] | None


def pair(name: str, before: Dims, after: Dims) -> Pair:
    return Value(name, TensorType("float32", before)), Value(name, TensorType("float32", after))


def first(*pairs: Pair) -> Sized:
    return sized(pairs)[0]


def test_fixed_shapes_are_one_attempt() -> None:
    (only,) = sized([pair("x", (1, 3), (1, 3))])
    assert only.sizes == {}
    assert only.shapes == (((1, 3), (1, 3)),)


def test_different_fixed_shapes_stay_what_they_are() -> None:
    assert first(pair("x", (1, 512), (1, 576))).shapes == (((1, 512), (1, 576)),)


def test_one_symbol_is_one_size_in_all_inputs_of_both() -> None:
    made = first(pair("x", ("n", "t"), ("n", "t")), pair("m", ("t", "n"), ("t", "n")))
    assert made.sizes == {"n": 2, "t": 2}  # both stand first somewhere
    made = first(pair("x", ("n", "t"), ("n", "t")), pair("m", ("n", "t"), ("n", "t")))
    assert made.sizes == {"n": 2, "t": 3}
    assert made.shapes == (((2, 3), (2, 3)),) * 2


def test_a_renamed_symbol_is_the_same_size() -> None:
    made = first(pair("x", ("n", "t"), ("batch", "time")), pair("m", (1, "t"), (1, "time")))
    assert made.sizes == {"batch": 2, "time": 3}
    assert made.shapes == (((2, 3), (2, 3)), ((1, 3), (1, 3)))


@pytest.mark.parametrize("sides", [(("n", 4), (7, 4)), ((7, 4), ("n", 4)), ((None, 4), (7, 4))])
def test_the_fixed_side_decides(sides: tuple[Dims, Dims]) -> None:
    made = sized([pair("x", *sides)])
    assert [one.shapes for one in made] == [(((7, 4), (7, 4)),)]


def test_a_symbol_fixed_in_one_place_is_fixed_in_all() -> None:
    made = first(pair("x", ("n", 4), (7, 4)), pair("m", ("n",), ("m",)))
    assert made.shapes[1] == ((7,), (7,))


def test_dimensions_without_a_name_are_bound_by_their_place() -> None:
    made = first(pair("x", (None, None), (None, None)))
    assert made.sizes == {"x[0]": 2, "x[1]": 3}
    assert made.shapes == (((2, 3), (2, 3)),)


@pytest.mark.parametrize("nameless", ["?", "", "-1", "None"])
def test_what_exporters_write_for_nothing_is_no_symbol(nameless: str) -> None:
    assert first(pair("x", (nameless, nameless), (nameless, nameless))).shapes == (((2, 3), (2, 3)),)


@pytest.mark.parametrize("open_dim", [-1, -7])
def test_a_negative_dimension_is_an_open_one(open_dim: int) -> None:
    assert first(pair("x", (open_dim, 4), (open_dim, 4))).shapes == (((2, 4), (2, 4)),)


def test_an_input_of_one_side_and_of_unknown_rank() -> None:
    made = first((None, Value("h", TensorType("float32", ("n", 4)))), pair("x", None, ("n", 3)))
    assert made.shapes == ((None, (2, 4)), ((2, 3), (2, 3)))


def test_sums_of_symbols_are_what_they_say() -> None:
    made = first(pair("past", ("n", 8, "p", 64), ("n", 8, "p", 64)), pair("mask", ("n", "p + 2*s + 1"), ("n", "total")),
                 pair("ids", ("n", "s"), ("n", "s")))  # fmt: skip
    p, s = made.sizes["p"], made.sizes["s"]
    assert p != s
    assert made.shapes[1] == ((2, p + 2 * s + 1),) * 2


@pytest.mark.parametrize(
    "text, terms",
    [
        ("n", None),
        ("a+b", (0, ((1, "a"), (1, "b")))),
        ("2*a + 3", (3, ((2, "a"),))),
        ("a - 1", None),
        ("floor(a/2) + 1", None),
        ("a+", None),
        ("٣+a", None),
        ("9999999999+a", None),
    ],
)
def test_what_is_a_sum(text: str, terms: Any) -> None:
    assert terms_of(text) == terms


def test_a_sum_of_itself_is_no_trap() -> None:
    assert first(pair("x", ("n + n", "n"), ("n", "n + n"))).sizes


def test_several_sizes_are_tried_and_none_twice() -> None:
    made = sized([pair("x", ("n", "t"), ("n", "t"))])
    assert len({tuple(one.sizes.items()) for one in made}) == len(made) == 9
    assert [one.shapes for one in sized([pair("x", ("n",), ("n",))])] == [(((n,), (n,)),) for n in (2, 1, 3)]


def test_integers_that_may_not_be_zero_have_attempts_of_their_own() -> None:
    made = sized([pair("x", (1,), (1,))], lone_integers=True)
    assert [one.attempt.ones for one in made] == [False, True]


def test_the_state_of_a_recurrent_network_has_its_batch_in_the_middle() -> None:
    made = sized([pair("x", (None, None), (None, None)), pair("h", (2, None, 128), (2, None, 128))])
    assert (((1, 256), (1, 256)), ((2, 1, 128), (2, 1, 128))) in [one.shapes for one in made]


def test_no_input_is_made_too_large() -> None:
    made = sized([pair("x", (1, "c", "h", "w"), (1, "c", "h", "w"))])
    assert made
    for one in made:
        count = 1
        for dim in one.shapes[0][0] or ():
            count *= dim
        assert count <= MOST_ELEMENTS
    assert sized([pair("x", ("n", 1 << 40), ("n", 1 << 40))]) == ()


def test_the_list_is_short_and_the_first_sizes_differ_among_themselves() -> None:
    assert len(ATTEMPTS) <= 16
    assert ATTEMPTS[0].batch not in ATTEMPTS[0].others
    assert len(set(ATTEMPTS[0].others)) == len(ATTEMPTS[0].others)
