"""Digests that were recorded once are computed the same for ever: notes in users' repositories hold them.

A line of digests.txt never changes. A recipe that must change gets a new number (docs/format.md), and new lines.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_model.blob import Blob, NoSource
from gitops_model.fingerprint import fingerprint
from gitops_model.readers import read_model
from gitops_model.readers.bytes import TensorBytes

LINES = [
    line.split()
    for line in Path(__file__).with_name("digests.txt").read_text().splitlines()
    if not line.startswith("#")
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line[0]}:{line[1]}")
def test_a_recorded_digest_is_what_it_was(model_file: Callable[[str, str], Path], line: list[str]) -> None:
    package, path, *recorded = line
    with Blob.of_file(model_file(package, path)) as blob, TensorBytes(blob, NoSource()) as data:
        found = fingerprint(read_model(blob, NoSource()), data)
    digests = [found.weights, found.structure, found.model, *([found.signature] if found.signature else [])]
    assert digests == recorded
