"""Differences on a terminal: as wide as it is, without colours where none are wanted, names as they are."""

import importlib.util
import re
import unicodedata

import pytest
from support.hostile import NAMES
from support.hostile_diff import compared

from gitops_model.render import Look, render
from gitops_model.render.diff import Compared

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
STEERS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def columns(line: str) -> int:
    wide = {letter: 2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line}
    return sum(0 if unicodedata.combining(letter) else wide[letter] for letter in line)


MARKUP = ["[red]markup[/red]", "[/]", ":smile:", "[link=x]y[/link]"]


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("name", [*NAMES, "a/very/long.name" * 30, *MARKUP], ids=ascii)
def test_fits_and_is_inert(name: str, width: int) -> None:
    text = render("diff", "text", compared(name), Look(width=width))
    assert all(columns(line.replace("\\x3a", ":")) <= width for line in text.splitlines())
    assert not STEERS.search(text)
    assert not [line for line in text.splitlines() if line.strip().startswith("::") or "##[" in line]


@pytest.mark.parametrize("name", [*MARKUP, "plain"])
def test_names_are_no_markup(name: str) -> None:
    text = render("diff", "text", compared(name), Look(width=200))
    assert text.count(name) >= 20


@pytest.mark.parametrize("name", ["plain", "\x1b[31mred", "[bold]x"])
def test_colours_only_where_wanted(name: str) -> None:
    """The same words with and without them."""
    plain, coloured = (render("diff", "text", compared(name), Look(colour, 100)) for colour in (False, True))
    assert "\x1b" not in plain
    assert ESCAPES.search(coloured)
    stripped = ESCAPES.sub("", coloured)
    assert [line.rstrip() for line in stripped.splitlines()] == [line.rstrip() for line in plain.splitlines()]


def test_the_verdict_comes_first() -> None:
    lines = render("diff", "text", compared("plain"), Look(width=80)).splitlines()
    assert "weights+graph, version bump: major" in "".join(lines[:3])
    assert lines[0].startswith("╭─ plainx → plain ─")


def test_plain_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "rich" else find(name))
    assert render("diff", "text", compared("plain"), Look(width=80)) == render(
        "diff", "text", compared("plain"), Look()
    )


def test_nothing_of_nothing() -> None:
    assert render("diff", "text", Compared((), "a", "b"), Look(width=80)) == ""
