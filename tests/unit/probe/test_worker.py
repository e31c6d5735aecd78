"""What the worker makes of outputs; the rest of it is seen through its process."""

from typing import Any

import numpy as np
import pytest

from gitops_model.pipeline import probe_worker
from gitops_model.pipeline.probe_worker import LONGEST, plain, said, same, widened


@pytest.mark.parametrize(
    "one, other, alike",
    [
        (np.zeros(3), np.zeros(3), True),
        (np.array([np.nan]), np.array([np.nan]), True),
        (np.array(["a"], object), np.array(["a"], object), True),
        (np.zeros((2, 3)).T, np.zeros((3, 2)), True),
        (np.float32(1) * np.ones(()), np.float32(1) * np.ones(()), True),
        (None, None, True),
        (np.array([0.0]), np.array([-0.0]), False),
        (np.zeros(3), np.zeros(4), False),
        (np.zeros(3, "f4"), np.zeros(3, "f8"), False),
        (np.array(["a"], object), np.array(["b"], object), False),
        (None, np.zeros(1), False),
    ],
)
def test_the_same_bits(one: Any, other: Any, alike: bool) -> None:
    assert same(one, other) is alike


def test_a_difference_in_the_last_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_worker, "BLOCK", 8)
    one, other = np.zeros(5, "f4"), np.zeros(5, "f4")
    assert same(one, other)
    other[4] = 1
    assert not same(one, other)


def test_any_kind_of_output_as_one_array() -> None:
    array = np.ones((2, 2))
    assert plain(array) is array
    maps = plain([{"b": 2.0, "a": 1.0}, {"a": 3.0, "b": 4.0}])
    assert maps.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert plain([np.ones(2), np.zeros((1, 1))]).tolist() == [1, 1, 0]


@pytest.mark.parametrize("value", [None, [], [None], {"a": 1}, [{"a": 1}, {"b": 1}], [np.ones(1), 2]])
def test_what_is_no_array_is_none(value: Any) -> None:
    assert plain(value) is None


def test_the_upper_halves_of_floats() -> None:
    assert widened(np.array([0x3F80, 0xC000], np.uint16)).tolist() == [1.0, -2.0]


def test_messages_are_one_short_line_without_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert said(RuntimeError(f"in {tmp_path}/model.onnx:\n  no\tway")) == "in model.onnx: no way"
    assert len(said(RuntimeError("x" * 10_000))) == LONGEST
    assert said(ValueError()) == "ValueError"
    assert "memory" in said(MemoryError())
