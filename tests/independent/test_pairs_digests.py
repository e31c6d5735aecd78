"""Structure and model digests on real successive versions: equal exactly where the measured truth says so."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from support import models

from gitops_model.blob import Blob, NoSource
from gitops_model.fingerprint import Fingerprint, fingerprint
from gitops_model.readers import read_model
from gitops_model.readers.bytes import TensorBytes

PAIRS = [
    pair for pair in json.loads((models.LOCK.parent / "pairs.json").read_text(encoding="utf-8"))
    if "graph_equal_ignoring_names_and_order" in pair["truth"]
]  # fmt: skip


@cache
def digests(path: Path) -> Fingerprint:
    with Blob.of_file(path) as blob, TensorBytes(blob, NoSource()) as data:
        return fingerprint(read_model(blob, NoSource()), data)


def test_there_are_pairs_with_a_measured_graph() -> None:
    assert len(PAIRS) == 14


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair["id"])
def test_digests_are_equal_exactly_where_the_models_are(
    model_file: Callable[[str, str], Path], pair: dict[str, dict[str, str]]
) -> None:
    before, after = (digests(model_file(pair[side]["package"], pair[side]["path"])) for side in ("before", "after"))
    truth = pair["truth"]
    assert (before.structure == after.structure) == truth["graph_equal_ignoring_names_and_order"]
    assert (before.model == after.model) == truth["model_equal_ignoring_names_and_order"]
    if truth["bytes_equal"]:
        assert before == after
    if truth["kind"] == "renamed-only":
        assert before.weights != after.weights
    if truth["io_changed"]:
        assert before.signature != after.signature
