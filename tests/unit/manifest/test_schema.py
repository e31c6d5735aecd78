"""The patterns of the schema: strict at the end, and read in linear time."""

import re
import time
from collections.abc import Iterator

import pytest

from gitops_model.manifest.typed import Json
from gitops_model.manifest.validate import schema

LONG = 100_000
HOSTILE = [
    "0" * LONG + "!",
    "a" * LONG + "!",
    "." * LONG + "!",
    "1." * LONG + "!",
    "a-" * LONG + "!",
    "../" * LONG,
    "/" * LONG,
    "1.0.0-" + "0a." * LONG + "!",
    "1.0.0+" + "a." * LONG + "!",
    "sha256:" + "0" * LONG,
]


def patterns(part: Json = None) -> Iterator[str]:
    part = schema() if part is None else part
    if isinstance(part, dict):
        if isinstance(pattern := part.get("pattern"), str):
            yield pattern
        for inner in part.values():
            yield from patterns(inner) if isinstance(inner, dict | list) else ()
    elif isinstance(part, list):
        for item in part:
            yield from patterns(item) if isinstance(item, dict | list) else ()


ALL = sorted(set(patterns()))


def test_there_are_patterns() -> None:
    assert len(ALL) >= 9


@pytest.mark.parametrize("pattern", ALL)
def test_a_pattern_is_strict_at_its_ends(pattern: str) -> None:
    """Python's `$` also matches before a line break at the end; ECMA-262's does not."""
    assert pattern.startswith("^")
    assert pattern.endswith("(?!\n)$")


@pytest.mark.parametrize("pattern", ALL)
def test_a_pattern_takes_linear_time(pattern: str) -> None:
    start = time.process_time()
    for text in HOSTILE:
        re.search(pattern, text)
    assert time.process_time() - start < 2
