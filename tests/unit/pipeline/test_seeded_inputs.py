"""Inputs made of a seed: the same for ever, whatever NumPy does."""

import numpy as np
import pytest

from gitops_model.pipeline.seeded_inputs import LARGEST, NotMade, bits, values

PINNED = ["c6f05b98cb92248e", "8ecb9da55bb20980", "cd4dbef6e5f33215"]


def test_the_stream_is_pinned() -> None:
    assert [f"{number:016x}" for number in bits("x", 0, 3).tolist()] == PINNED
    assert bits("x", 0, 100)[:3].tolist() == bits("x", 0, 3).tolist()
    assert not np.array_equal(bits("x", 0, 3), bits("x", 1, 3))
    assert not np.array_equal(bits("x", 0, 3), bits("y", 0, 3))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_fill_the_interval(dtype: str) -> None:
    made = values("x", dtype, (10_000,))
    assert made.dtype == dtype
    assert made.min() >= -1
    assert made.max() <= 1
    assert abs(float(made.astype(np.float64).mean())) < 0.05


@pytest.mark.parametrize(
    "dtype, low, high", [("int64", 0, 1), ("uint32", 0, 1), ("bool", 0, 1), ("uint8", 0, 255), ("int8", -128, 127)]
)
def test_integers(dtype: str, low: int, high: int) -> None:
    made = values("x", dtype, (100, 100))
    assert (made.dtype, made.shape) == (np.dtype(dtype), (100, 100))
    assert (int(made.min()), int(made.max())) == (low, high)


def test_other_types() -> None:
    assert set(values("x", "string", (50,)).tolist()) <= set("0123456789")
    halves = values("x", "bfloat16", (4,))
    whole = values("x", "float32", (4,))
    assert np.allclose((halves.astype(np.uint32) << 16).view(np.float32), whole, rtol=2**-7)
    assert values("x", "float32", ()).shape == ()
    assert values("x", "int64", (2,), fixed=16000).tolist() == [16000, 16000]
    assert values("x", "float32", (0, 3)).shape == (0, 3)


def test_what_cannot_be_made_is_said() -> None:
    with pytest.raises(NotMade, match="float8_e4m3fn"):
        values("x", "float8_e4m3fn", (1,))
    with pytest.raises(NotMade, match="elements"):
        values("x", "uint8", (LARGEST + 1,))
