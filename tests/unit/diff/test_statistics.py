"""How much weights changed: against NumPy on whole arrays, and what is claimed only where it is so."""

import json
import struct
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from gitops_model.blob import Blob, NoSource
from gitops_model.diff import diff_models
from gitops_model.diff.elements import FLOAT8, float8, rounded
from gitops_model.diff.measured import Statistics
from gitops_model.diff.result import ModelDiff
from gitops_model.pipeline.load import Opened, describe

RNG = np.random.default_rng(7)
Tensors = dict[str, np.ndarray[Any, Any]]


def diffed(folder: Path, before: Tensors, after: Tensors) -> ModelDiff:
    sides = []
    for name, tensors in (("a", before), ("b", after)):
        path = folder / f"{name}.safetensors"
        save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, path)
        sides.append(describe(Opened(Blob.of_file(path, name), NoSource())))
    return diff_models(*sides)


def one(folder: Path, before: np.ndarray[Any, Any], after: np.ndarray[Any, Any]) -> Statistics:
    (change,) = diffed(folder, {"w": before}, {"w": after}).weights.changed
    assert change.statistics is not None
    return change.statistics


# --- nothing to say ---------------------------------------------------------------------------------------------------
def test_the_same_weights_have_no_statistics_and_no_pattern(tmp_path: Path) -> None:
    same = {"a.w": RNG.standard_normal((8, 8)).astype(np.float32)}
    weights = diffed(tmp_path, same, same).weights
    assert (weights.changed, weights.patterns) == ((), ())
    assert [layer.touched for layer in weights.layers] == [False]


def test_tensors_of_unrelated_shapes_are_not_compared_element_by_element(tmp_path: Path) -> None:
    (change,) = diffed(tmp_path, {"w": np.zeros((4, 5))}, {"w": np.zeros((7, 3))}).weights.changed
    assert change.statistics is None


def test_unmeasured_when_told_so(tmp_path: Path) -> None:
    for name, value in (("a", 1.0), ("b", 2.0)):
        save_file({"w": np.full(4, value)}, tmp_path / f"{name}.safetensors")
    sides = [describe(Opened(Blob.of_file(tmp_path / f"{name}.safetensors", name), NoSource())) for name in "ab"]
    (change,) = diff_models(sides[0], sides[1], measure=False).weights.changed
    assert change.statistics is None


# --- numbers ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8", "uint8", "int16", "int32", "int64"])
@pytest.mark.parametrize("size", [1, 7, 300_001], ids=["one", "few", "more than a block"])
def test_numbers_are_those_of_the_whole_arrays(tmp_path: Path, dtype: str, size: int) -> None:
    old = (RNG.standard_normal(size) * 20).astype(dtype)
    new = old.copy()
    new[::3] = (RNG.standard_normal(len(new[::3])) * 20).astype(dtype)
    new[0] = old[0] + np.ones(1, dtype)[0]
    found = one(tmp_path, old, new)
    a, b = old.astype(float), new.astype(float)
    assert (found.elements, found.changed) == (size, int(np.count_nonzero(old != new)))
    assert found.max_abs == pytest.approx(np.abs(b - a).max())
    if a.any():
        assert found.relative_l2 == pytest.approx(np.linalg.norm(b - a) / np.linalg.norm(a))
    if a.any() and b.any():
        assert found.cosine == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    assert found.zeros == (int(np.count_nonzero(a == 0)), int(np.count_nonzero(b == 0)))


def test_bfloat16_is_read_as_what_it_is(tmp_path: Path) -> None:
    values = np.array([1.0, -2.5, 0.0, 3.0], np.float32).astype(ml_dtypes.bfloat16)
    other = np.array([1.0, -2.5, 0.5, 3.5], np.float32).astype(ml_dtypes.bfloat16)
    for name, data in (("a", values), ("b", other)):
        header = json.dumps({"w": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}}).encode()
        (tmp_path / name).write_bytes(struct.pack("<Q", len(header)) + header + data.tobytes())
    sides = [describe(Opened(Blob.of_file(tmp_path / name, f"{name}.safetensors"), NoSource())) for name in "ab"]
    found = diff_models(*sides).weights.changed[0].statistics
    assert found is not None
    assert (found.changed, found.max_abs, found.zeros) == (2, 0.5, (1, 0))


@pytest.mark.parametrize("dtype", FLOAT8)
def test_float8_codes_are_those_of_ml_dtypes(dtype: str) -> None:
    oracle = np.arange(256, dtype=np.uint8).view(getattr(ml_dtypes, dtype)).astype(float)
    np.testing.assert_array_equal(np.array(float8(dtype)), oracle)


@pytest.mark.parametrize("dtype", ["float16", "float32", "bfloat16"])
def test_rounding_is_that_of_the_type(dtype: str) -> None:
    values = np.concatenate([RNG.standard_normal(1000), [0.0, np.nan, np.inf, 1e-8, 65520.0, 1.00390625]])
    values = values.astype(np.float32).astype(float)
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(rounded(values, dtype), values.astype(kind).astype(float))


def test_nan_and_infinity_are_counted_and_kept_out_of_the_norms(tmp_path: Path) -> None:
    old = np.array([1.0, 2.0, 3.0, np.nan, np.inf], np.float32)
    new = np.array([1.5, np.nan, -np.inf, np.nan, np.inf], np.float32)
    found = one(tmp_path, old, new)
    assert (found.nan, found.inf, found.changed, found.max_abs) == (1, 1, 3, 0.5)
    assert found.relative_l2 == pytest.approx(0.5)


def test_numbers_too_large_to_square_leave_out_what_is_not_defined(tmp_path: Path) -> None:
    found = one(tmp_path, np.array([1e300]), np.array([-1e300]))
    assert found.relative_l2 is None
    assert found.max_abs == 2e300


def test_signs_of_zero_and_payloads_of_nan_are_changes_of_bytes_and_said_so(tmp_path: Path) -> None:
    old = np.array([0.0, 1.0, np.nan, 0.0], np.float32)
    new = old.copy()
    new[0] = -0.0
    new.view(np.uint32)[2] ^= 1
    result = diffed(tmp_path, {"w": old}, {"w": new})
    found = result.weights.changed[0].statistics
    assert found is not None
    assert (found.kind, found.changed, found.zero_signs, found.nan_payloads) == ("bits", 2, 1, 1)
    assert (found.max_abs, found.relative_l2) == (0.0, 0.0)
    assert [pattern.kind for pattern in result.weights.patterns] == ["bits"]


# --- kinds ------------------------------------------------------------------------------------------------------------
def test_a_cast_is_one_only_if_every_element_was_rounded(tmp_path: Path) -> None:
    old = RNG.standard_normal((40, 50)).astype(np.float32)
    assert one(tmp_path, old, old.astype(np.float16)).kind == "cast"
    off = old.astype(np.float16)
    off[3, 4] = np.nextafter(off[3, 4], np.float16(9))
    assert one(tmp_path, old, off).kind == "values"


def test_integers_that_follow_the_numbers_are_quantised(tmp_path: Path) -> None:
    old = RNG.standard_normal((40, 50)).astype(np.float32)
    scale = np.abs(old).max() / 127
    assert one(tmp_path, old, np.round(old / scale).astype(np.int8)).kind == "quantised"
    assert one(tmp_path, old, RNG.integers(-127, 127, (40, 50)).astype(np.int8)).kind == "values"


def test_more_rows_is_resized_and_says_what_became_of_the_old_ones(tmp_path: Path) -> None:
    old = RNG.standard_normal((10, 4)).astype(np.float32)
    found = one(tmp_path, old, np.concatenate([old, np.zeros((2, 4), np.float32)]))
    assert (found.kind, found.elements, found.changed) == ("resized", 40, 0)


def test_swapped_axes_are_proved(tmp_path: Path) -> None:
    old = RNG.standard_normal((6, 6)).astype(np.float32)
    assert one(tmp_path, old, old.T).kind == "transposed"
    kernel = RNG.standard_normal((2, 3, 4, 5)).astype(np.float32)
    found = one(tmp_path, kernel, kernel.transpose(2, 3, 1, 0))
    assert (found.kind, found.note) == ("transposed", "axes [2, 3, 1, 0]")
    off = old.T.copy()
    off[1, 2] += 1
    assert one(tmp_path, old, off).kind == "values"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rank", [1, 8, 32])
def test_a_low_rank_is_measured_through_the_rounding_of_the_sum(tmp_path: Path, rank: int, dtype: str) -> None:
    old = RNG.standard_normal((600, 500)).astype(dtype)
    change = RNG.standard_normal((600, rank)) @ RNG.standard_normal((rank, 500)) * 0.01
    found = one(tmp_path, old, (old + change).astype(dtype))
    assert (found.kind, found.rank) == ("low-rank", rank)


def test_full_rank_a_few_rows_and_small_matrices_are_not_called_low_rank(tmp_path: Path) -> None:
    old = RNG.standard_normal((600, 500)).astype(np.float32)
    assert one(tmp_path, old, old + RNG.standard_normal(old.shape).astype(np.float32) * 0.01).rank is None
    row = old.copy()
    row[3] += 1
    assert one(tmp_path, old, row).rank is None
    assert one(tmp_path, old[:20], old[:20] * 2).rank is None


# --- patterns and layers ----------------------------------------------------------------------------------------------
def encoder(scale: float = 0.0, *, only: str = "") -> Tensors:
    made = {}
    rng = np.random.default_rng(1)
    for layer in (*(f"encoder.layers.{number}" for number in range(8)), "classifier"):
        for part, shape in (("weight", (16, 16)), ("bias", (16,))):
            value = rng.standard_normal(shape).astype(np.float32)
            made[f"{layer}.{part}"] = value + (np.float32(scale) * value if layer.startswith(only) else 0)
    return made


def test_retrained_everywhere(tmp_path: Path) -> None:
    weights = diffed(tmp_path, encoder(), encoder(0.1)).weights
    assert [pattern.kind for pattern in weights.patterns] == ["retrained"]
    assert "18 of 18 tensors, the median relative L2 is 0.1" in weights.patterns[0].sentence
    assert {(layer.tensors, layer.changed) for layer in weights.layers} == {(2, 2)}
    assert len(weights.layers) == 9
    ratios = [layer.relative_l2 for layer in weights.layers]
    assert ratios == pytest.approx([0.1] * 9)


def test_only_the_head(tmp_path: Path) -> None:
    weights = diffed(tmp_path, encoder(), encoder(0.1, only="classifier")).weights
    assert [pattern.kind for pattern in weights.patterns] == ["head"]
    assert [layer.name for layer in weights.layers if layer.touched] == ["classifier"]


def test_a_layer_in_the_middle_is_no_head(tmp_path: Path) -> None:
    weights = diffed(tmp_path, encoder(), encoder(0.1, only="encoder.layers.3")).weights
    assert weights.patterns == ()


def test_layers_count_what_came_and_went(tmp_path: Path) -> None:
    before, after = encoder(), encoder()
    del after["classifier.bias"]
    after["adapter.down"] = np.ones((2, 2), np.float32)
    found = {layer.name: layer for layer in diffed(tmp_path, before, after).weights.layers if layer.touched}
    assert (found["classifier"].removed, found["adapter"].added) == (1, 1)
    assert found.keys() == {"classifier", "adapter"}
