"""Whether files hold the same weights: every grade, what decides it, and what must not."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from support.folder import Folder

from gitops_model.blob import Blob
from gitops_model.diff.result import Side
from gitops_model.diff.same import Sameness, compare
from gitops_model.pipeline.load import Opened, describe

RNG = np.random.default_rng(3)
WEIGHTS = {
    "conv.weight": RNG.standard_normal((8, 3, 3, 3)).astype(np.float32),
    "conv.bias": RNG.standard_normal(32).astype(np.float32),
    "fc.weight": RNG.standard_normal((10, 32)).astype(np.float32),
    "epsilon": np.array([1e-5], np.float32),
}


def side(path: Path) -> Side:
    return describe(Opened(Blob.of_file(path), Folder(path.parent)))


def said(tmp_path: Path, changed: dict[str, np.ndarray], tolerance: float = 1e-6) -> Sameness:
    save_file(WEIGHTS, tmp_path / "a.safetensors")
    np.savez(tmp_path / "b.npz", **changed)
    return compare(side(tmp_path / "a.safetensors"), side(tmp_path / "b.npz"), tolerance)


def grades(found: Sameness) -> dict[str, str]:
    return {pair.before.name: pair.grade for pair in found.pairs}


def test_the_same_bytes_in_another_format_are_exact(tmp_path: Path) -> None:
    found = said(tmp_path, WEIGHTS)
    assert found.same
    assert found.grade == "exact"
    assert found.small == (1, 1)
    assert all(pair.distance is None for pair in found.pairs), "bytes that are equal are not measured"


def test_names_do_not_matter_where_contents_are_equal(tmp_path: Path) -> None:
    found = said(tmp_path, {f"renamed.{i}": array for i, array in enumerate(WEIGHTS.values())})
    assert found.grade == "exact"


def test_another_order_of_axes_is_proved_and_said(tmp_path: Path) -> None:
    turned = np.ascontiguousarray(WEIGHTS["conv.weight"].transpose(2, 3, 1, 0))
    found = said(tmp_path, WEIGHTS | {"conv.weight": turned})
    assert grades(found)["conv.weight"] == "transposed"
    assert next(pair.note for pair in found.pairs if pair.grade == "transposed") == "axes [2, 3, 1, 0]"


def test_the_same_elements_shuffled_are_not_the_same(tmp_path: Path) -> None:
    shuffled = RNG.permutation(WEIGHTS["conv.weight"].reshape(-1)).reshape(8, 3, 3, 3)
    found = said(tmp_path, WEIGHTS | {"conv.weight": shuffled})
    assert grades(found)["conv.weight"] == "apart"
    assert not found.same


def test_half_precision_is_close_under_a_tolerance_that_allows_it(tmp_path: Path) -> None:
    half = {name: array.astype(np.float16) for name, array in WEIGHTS.items()}
    assert said(tmp_path, half, 1e-3).grade == "close"
    assert said(tmp_path, half, 1e-6).grade == "apart"


def test_the_distance_is_the_largest_one_that_numpy_measures(tmp_path: Path) -> None:
    other = WEIGHTS["fc.weight"].copy()
    other[3, 7] += 0.25
    found = said(tmp_path, WEIGHTS | {"fc.weight": other})
    pair = next(pair for pair in found.pairs if pair.grade == "apart")
    expected = np.abs(other.astype(float) - WEIGHTS["fc.weight"]).max()
    assert pair.distance == pytest.approx(expected)
    assert [pair.before.name for pair in found.out_of_step] == ["fc.weight"]


def test_a_factor_per_channel_is_a_folding(tmp_path: Path) -> None:
    factors = RNG.uniform(0.5, 2, 8).astype(np.float32)
    folded = WEIGHTS["conv.weight"] * factors[:, None, None, None]
    found = said(tmp_path, WEIGHTS | {"conv.weight": folded})
    assert grades(found)["conv.weight"] == "folded"


def test_a_factor_per_element_is_no_folding(tmp_path: Path) -> None:
    other = {"conv.bias": WEIGHTS["conv.bias"] * RNG.uniform(0.5, 2, 32).astype(np.float32)}
    assert grades(said(tmp_path, WEIGHTS | other))["conv.bias"] == "apart"


def test_a_missing_tensor_is_told(tmp_path: Path) -> None:
    found = said(tmp_path, {name: array for name, array in WEIGHTS.items() if name != "fc.weight"})
    assert [tensor.name for tensor in found.only_before] == ["fc.weight"]
    assert found.grade == "apart"


def test_nan_at_the_same_place_is_no_difference_and_elsewhere_infinitely_far(tmp_path: Path) -> None:
    with_nan = WEIGHTS["conv.bias"].copy()
    with_nan[0] = np.nan
    found = said(tmp_path, WEIGHTS | {"conv.bias": with_nan})
    assert next(pair.distance for pair in found.out_of_step) == float("inf")


def test_small_tensors_decide_when_they_are_all_there_is(tmp_path: Path) -> None:
    save_file({"a": np.ones(3, np.float32)}, tmp_path / "a.safetensors")
    save_file({"a": np.zeros(3, np.float32)}, tmp_path / "b.safetensors")
    assert compare(side(tmp_path / "a.safetensors"), side(tmp_path / "b.safetensors")).grade == "apart"


def test_a_file_without_weights_holds_nothing_to_compare(tmp_path: Path) -> None:
    save_file({}, tmp_path / "a.safetensors")
    assert compare(side(tmp_path / "a.safetensors"), side(tmp_path / "a.safetensors")).grade == "nothing"
