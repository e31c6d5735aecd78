"""Paths in commands, from where the user stands."""

import os

import pytest

from gitops_model.checks.facts import Here


@pytest.mark.parametrize(
    "below, path, shown",
    [
        ("", "a/b", "a/b"),
        ("a/", "a/b", "b"),
        ("a/", "b", "../b"),
        ("a/b/", "a/c/d", "../c/d"),
        ("a/b/", "a/b/c", "c"),
        ("a/b/", "x", "../../x"),
        ("ab/", "a/b", "../a/b"),
    ],
)
def test_below_the_top(below: str, path: str, shown: str) -> None:
    assert Here(below=below).path(path) == shown
    assert os.path.relpath(path, below or ".") == shown


def test_above_the_top() -> None:
    assert Here("x/y/").path("a/b") == "x/y/a/b"
