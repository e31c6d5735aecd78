"""PyTorch files against what torch itself read in them (tests/data/torch/*.json, written by `make test-oracles`)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import models
from support.folder import Folder

from gitops_model.blob import Blob
from gitops_model.fingerprint import fingerprint
from gitops_model.ir import Model
from gitops_model.readers import read_model
from gitops_model.readers.bytes import TensorBytes

DATA = Path(__file__).parents[3] / "data" / "torch"
GOLDEN: dict[str, dict[str, list[Any]]] = json.loads((DATA / "golden.json").read_text(encoding="utf-8"))
PINNED: dict[str, dict[str, list[Any]]] = json.loads((DATA / "pinned.json").read_text(encoding="utf-8"))


def ours(path: Path) -> tuple[Model, dict[str, list[Any]]]:
    source = Folder(path.parent)
    with Blob.of_file(path) as blob, TensorBytes(blob, source) as data:
        model = read_model(blob, source)
        found = fingerprint(model, data).tensors
    return model, {item.name: [item.dtype, list(item.shape), item.digest] for item in found}


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_every_tensor_is_what_torch_reads(name: str) -> None:
    model, found = ours(DATA / name)
    if model.format == "torchscript":  # constants have no name that torch would list
        found = {key: value for key, value in found.items() if not key.startswith("CONSTANTS.")}
    assert found == GOLDEN[name]


def test_every_pinned_model_is_what_torch_reads(model_file: Callable[[str, str], Path]) -> None:
    listed = models.model_files(".pt", ".pth", ".jit", ".ckpt")
    assert {f"{package} {path}" for package, path in listed} == set(PINNED)
    for package, path in listed:
        model, found = ours(model_file(package, path))
        expected = PINNED[f"{package} {path}"]
        if model.format == "torchscript":  # what a module holds beside parameters and buffers is not listed by torch
            found = {key: value for key, value in found.items() if key in expected}
        assert found == expected, path


def test_tied_tensors_count_under_every_name() -> None:
    _, found = ours(DATA / "views.pt")
    assert found["tied.one"] == found["tied.two"]


def test_training_state_is_set_apart_and_the_wrapper_stripped() -> None:
    model, _ = ours(DATA / "checkpoint.pt")
    groups = {tensor.name: tensor.group for tensor in model.tensors}
    assert groups["0.weight"] == ""
    assert groups["optimizer_state_dict.state.0.exp_avg"] == "optimizer"


def test_one_state_dict_has_one_weights_digest_in_every_container() -> None:
    digests = set[str]()
    for name in ("state_dict.pt", "deflated.pt", "other_root.pt", "checkpoint.pt", "script.pt", "module.pt"):
        source = Folder(DATA)
        with Blob.of_file(DATA / name) as blob, TensorBytes(blob, source) as data:
            digests.add(fingerprint(read_model(blob, source), data).weights)
    assert len(digests) == 1
