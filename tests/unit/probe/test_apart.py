"""How far two arrays lie apart, and from where on that is more than rounding."""

from typing import Any

import numpy as np
import pytest

from gitops_model.pipeline import apart as module
from gitops_model.pipeline.apart import apart

NAN, INF = float("nan"), float("inf")


def measured(before: Any, after: Any, tolerance: float = 1e-3, dtype: str = "float32") -> dict[str, Any]:
    return apart(np.array(before, dtype), np.array(after, dtype), tolerance, 1e-6)


@pytest.mark.parametrize(
    "values",
    [[1.0, 2.0], [NAN, 1.0], [INF, -INF], [], 3.0, [[0.0]]],
    ids=["plain", "nan", "inf", "none", "scalar", "2d"],
)
def test_the_same_is_no_difference(values: Any) -> None:
    found = measured(values, values)
    assert (found["max_abs"], found["max_rel"], found["nan"], found["infinite"], found["beyond"]) == (0, 0, 0, 0, 0)
    assert found["same_bits"]


def test_signs_of_zero_are_other_bits_and_no_difference() -> None:
    found = measured([0.0], [-0.0])
    assert not found["same_bits"]
    assert (found["max_abs"], found["beyond"]) == (0, 0)


def test_the_largest_differences() -> None:
    found = measured([1.0, 10.0, 0.0], [1.5, 11.0, 0.25])
    assert found["max_abs"] == 1.0
    assert found["max_rel"] == 1.0  # of 0 against 0.25
    assert found["finite"] == 3


def test_room_is_a_share_of_the_largest_of_the_output() -> None:
    assert measured([1000.0, 0.0], [1000.0, 0.99])["beyond"] == 0
    assert measured([1000.0, 0.0], [1000.0, 1.01])["beyond"] == 1
    assert measured([1.0, 0.0], [1.0, 0.99e-3])["beyond"] == 0
    assert measured([0.0, 0.0], [0.0, 0.9e-6])["beyond"] == 0
    assert measured([0.0, 0.0], [0.0, 1.1e-6])["beyond"] == 1


def test_nan_and_infinity_on_one_side_are_counted_apart() -> None:
    found = measured([NAN, 1.0, INF, INF, 2.0], [1.0, NAN, 1.0, -INF, 2.0])
    assert (found["nan"], found["infinite"], found["beyond"], found["max_abs"]) == (2, 2, 4, 0)


def test_rows_and_where_their_largest_is() -> None:
    found = measured([[1.0, 2.0], [4.0, 3.0]], [[1.0, 2.0], [3.0, 4.0]])
    assert (found["rows"], found["agreeing"]) == (2, 1)


@pytest.mark.parametrize("values", [[[1.0]], [], 1.0, np.zeros((3, 0))])
def test_no_rows_where_the_last_axis_has_one_place(values: Any) -> None:
    assert "rows" not in measured(values, values)


def test_other_shapes_cannot_be_compared_and_differ() -> None:
    found = measured([1.0, 2.0], [[1.0, 2.0]])
    assert found["note"] == "another shape"
    assert found["beyond"] == 2
    assert "max_abs" not in found


def test_other_types_are_compared_as_numbers() -> None:
    found = apart(np.array([1.0, 2.0], np.float32), np.array([1.0, 2.0], np.float16), 1e-3, 1e-6)
    assert (found["max_abs"], found["same_bits"], found["beyond"]) == (0, False, 0)


def test_integers_are_equal_or_not() -> None:
    big = 1 << 62
    found = measured([big, 5], [big + 1, 5], dtype="int64")
    assert (found["max_abs"], found["beyond"], found["discrete"]) == (1, 1, True)
    assert measured([True, False], [True, True], dtype="bool")["beyond"] == 1


def test_one_step_of_eight_bits_is_rounding() -> None:
    assert measured([7, 8, 9], [8, 8, 11], dtype="uint8")["beyond"] == 1


def test_texts() -> None:
    found = measured(["a", "b"], ["a", "c"], dtype="U1")
    assert (found["beyond"], found["elements"], found["discrete"]) == (1, 2, True)
    mixed = apart(np.array(["1"]), np.array([1.0]), 1e-3, 1e-6)
    assert "cannot be compared" in mixed["note"]
    assert "beyond" not in mixed


def test_complex_numbers() -> None:
    assert measured([1 + 1j], [1 + 2j], dtype="complex64")["max_abs"] == 1


def test_no_infinity_gets_out() -> None:
    found = measured([1.7e308], [-1.7e308], dtype="float64")
    assert found["max_abs"] == module.LARGEST


def test_blocks_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    before = np.arange(100, dtype=np.float32)
    after = before.copy()
    after[[3, 50, 99]] += [1, 2, 40]
    whole = apart(before, after, 1e-2, 1e-6)
    monkeypatch.setattr(module, "BLOCK", 7)
    assert apart(before, after, 1e-2, 1e-6) == whole
    assert (whole["max_abs"], whole["beyond"], whole["elements"]) == (40, 2, 100)
