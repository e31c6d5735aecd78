"""What counts as a slip of the pen."""

import pytest

from gitops_model.nearest import distance, nearest

KEYS = ("name", "version", "architecture", "checksums", "inputs", "outputs")


@pytest.mark.parametrize(
    "word, meant",
    [
        ("nmae", "name"),
        ("ouputs", "outputs"),
        ("output", "outputs"),
        ("checksum", "checksums"),
        ("Version", "version"),
        ("architetcure", "architecture"),
        ("description", None),
        ("x", None),
        ("", None),
        ("v" * 10_000, None),
    ],
)
def test_nearest(word: str, meant: str | None) -> None:
    assert nearest(word, KEYS) == meant


def test_hyphens_and_underscores_are_one_thing() -> None:
    assert nearest("fail_on", ("fail-on", "ignore")) == "fail-on"


@pytest.mark.parametrize(
    "left, right, edits", [("", "", 0), ("a", "", 1), ("ab", "ba", 1), ("abc", "xbc", 1), ("kitten", "sitting", 3)]
)
def test_distance(left: str, right: str, edits: int) -> None:
    assert distance(left, right) == distance(right, left) == edits
