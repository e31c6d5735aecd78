"""A diff leaves nothing out: with one description it gives the other, forwards and back, and of nothing it is empty."""

import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper
from support import format_zoo, models, onnx_zoo
from support.diff_law import check_nothing, held, onnx_side, side
from support.folder import Folder
from support.onnx_edits import EDITS, edited
from support.onnx_random import all_graphs

from gitops_model.blob import Blob
from gitops_model.diff import Side, diff_models
from gitops_model.diff.apply import apply
from gitops_model.diff.apply import describe as description
from gitops_model.pipeline.load import Opened, describe
from gitops_model.readers import FORMATS

PAIRS = json.loads((Path(__file__).parents[1] / "data" / "pairs.json").read_text(encoding="utf-8"))


# --- of nothing -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", format_zoo.FILES)
def test_a_file_does_not_differ_from_itself(name: str, tmp_path: Path) -> None:
    for path, content in format_zoo.beside(name).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    check_nothing(side(name, format_zoo.FILES[name](), Folder(tmp_path)))


@pytest.mark.parametrize("name", onnx_zoo.ZOO)
def test_a_model_does_not_differ_from_itself(name: str) -> None:
    check_nothing(onnx_side(onnx_zoo.ZOO[name]()))


@pytest.mark.parametrize("package, path", models.model_files(*(suffix for row in FORMATS for suffix in row.suffixes)))
def test_a_released_model_does_not_differ_from_itself(package: str, path: str) -> None:
    check_nothing(on_disk(models.model_file(package, path)))


def on_disk(file: Path) -> Side:
    return describe(Opened(Blob.of_file(file), Folder(file.parent)))


# --- releases ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("pair", [pytest.param(pair, id=pair["id"]) for pair in PAIRS])
def test_released_pairs(pair: dict[str, Any], model_file: Callable[[str, str], Path]) -> None:
    held(*(on_disk(model_file(pair[side]["package"], pair[side]["path"])) for side in ("before", "after")))


# --- graphs ---------------------------------------------------------------------------------------------------------
BASES = ("constants", "nested", "functions", "types", "around", "sparse", "strings", "raw-float-2x3")


def proto(graph: onnx.GraphProto) -> onnx.ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])


@pytest.mark.parametrize("edit", EDITS)
def test_one_edit(edit: str) -> None:
    for seed, name in enumerate(BASES):
        model = onnx_zoo.ZOO[name]()
        other = onnx.ModelProto()
        other.CopyFrom(model)
        EDITS[edit](other, random.Random(seed))
        held(onnx_side(model), onnx_side(other))


@given(st.sampled_from(BASES), st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_many_edits(name: str, rng: random.Random) -> None:
    model = onnx_zoo.ZOO[name]()
    first = edited(model, rng)
    held(onnx_side(first), onnx_side(edited(first, rng)))


@given(all_graphs, all_graphs, st.randoms(use_true_random=False))
@settings(max_examples=80, suppress_health_check=list(HealthCheck))
def test_models_that_have_little_in_common(one: onnx.GraphProto, other: onnx.GraphProto, rng: random.Random) -> None:
    before = onnx_side(proto(one))
    held(before, onnx_side(proto(other)))
    held(before, onnx_side(edited(proto(one), rng)))


@pytest.mark.parametrize("edit", EDITS)
def test_data_that_is_not_here(edit: str, tmp_path: Path) -> None:
    """Its tensors cannot be compared, and their facts are told all the same."""
    model = onnx_zoo.external(tmp_path)
    (tmp_path / "deep" / "w.bin").unlink()
    before = onnx_side(model, Folder(tmp_path))
    EDITS[edit](model, random.Random(edit))
    assert held(before, onnx_side(model, Folder(tmp_path))).weights.unknown


# --- files of tensors -----------------------------------------------------------------------------------------------
names = st.sampled_from(("a", "b", "layer.weight", "layer.bias", "layer/é")) | st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\:"), min_size=1, max_size=4
)
arrays = st.builds(
    lambda kind, shape, start: (np.arange(int(np.prod(shape))) + start).astype(kind).reshape(shape),
    st.sampled_from(("f4", "f2", "i8", "?")),
    st.lists(st.integers(0, 3), max_size=2),
    st.integers(0, 2),
)
states = st.dictionaries(names.filter(lambda name: name not in ("__metadata__", "file")), arrays, max_size=5)


def saved(state: "dict[str, np.ndarray]", ending: str, metadata: dict[str, str]) -> Side:
    if ending == "safetensors":
        return side("m.safetensors", safetensors.numpy.save(state, metadata or None))
    if ending == "onnx":
        weights = [onnx.numpy_helper.from_array(array, name) for name, array in state.items()]
        return onnx_side(onnx_zoo.model([onnx_zoo.node("Relu")], weights))
    out = io.BytesIO()
    np.savez(out, **state)  # pyright: ignore[reportArgumentType]
    return side("m.npz", out.getvalue())


endings = st.sampled_from(("safetensors", "npz", "onnx"))
files = st.tuples(states, endings, st.dictionaries(st.sampled_from("abc"), st.sampled_from(("", "1", "2"))))
File = tuple["dict[str, np.ndarray]", str, dict[str, str]]


@given(files, files)
@settings(max_examples=150)
def test_states_in_any_format(one: File, other: File) -> None:
    (state, ending, said), (later, later_ending, said_later) = one, other
    before = saved(state, ending, said)
    held(before, saved(later, later_ending, said_later))
    held(before, saved({**state, **later}, ending, said_later))


@given(states)
def test_a_state_does_not_differ_from_itself(state: "dict[str, np.ndarray]") -> None:
    for ending in ("safetensors", "npz", "onnx"):
        check_nothing(saved(state, ending, {"a": "1"}))


def test_a_diff_of_other_models_is_refused() -> None:
    one, other = (saved({"w": np.zeros(count)}, "npz", {}) for count in (2, 3))
    with pytest.raises(ValueError, match="'w' that is not there"):
        apply(diff_models(one, other), description(other))
