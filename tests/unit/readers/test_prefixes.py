"""A file that was cut short is GM001 and nothing else, wherever it was cut (sampled for every format)."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.format_zoo import FILES

from gitops_model.blob import Blob, NoSource
from gitops_model.errors import BadFile
from gitops_model.readers import read_model

PADDING = {"a.gguf": 16}
"""Bytes of padding behind the last tensor, without which the file is still well-formed."""


def codes(name: str, data: bytes) -> list[str]:
    try:
        model = read_model(Blob.of_bytes(name, data), NoSource())
    except BadFile as error:
        return [error.problem.code]
    return [problem.code for problem in model.problems]


def places(size: int) -> list[int]:
    """Every length up to 128 and in the last 64 bytes, and 200 between."""
    return sorted({*range(min(size, 128)), *range(max(0, size - 64), size), *(size * i // 200 for i in range(200))})


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_sampled_prefix_is_truncated(name: str, model_file: Callable[[str, str], Path]) -> None:
    data = FILES[name]()
    whole = codes(name, data)
    assert "GM001" not in whole
    found = {length: codes(name, data[:length]) for length in places(len(data) - PADDING.get(name, 0))}
    assert {length: said for length, said in found.items() if said != ["GM001"]} == {}
