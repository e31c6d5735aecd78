"""Long texts line by line: a diff that leads from one to the other, short, bounded, the same for equal texts."""

import difflib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_model.diff.result import TextDiff
from gitops_model.diff.texts import (
    LONG,
    MOST_CHARACTERS,
    MOST_LINES,
    MOST_TEXTS,
    broken,
    compared,
    diff,
    lines_of,
)

TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'user' %}{{ '<|user|>' + message['content'] }}"
    "{% elif message['role'] == 'system' %}{{ '<|system|>' + message['content'] }}{% endif %}"
    "{% if loop.last and add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}{% endfor %}"
)


def apply(found: TextDiff, lines: list[str]) -> list[str]:
    """What a unified diff makes of lines."""
    out: list[str] = []
    at = 0
    for line in found.lines:
        head = re.fullmatch(r"@@ -(\d+),(\d+) \+(\d+),(\d+) @@", line)
        if head:
            begin, count, new, number = map(int, head.groups())
            out += lines[at : begin - (count > 0)]
            at = begin - (count > 0)
            assert len(out) == new - (number > 0)
        elif line[0] == "+":
            out.append(line[1:])
        else:
            assert lines[at] == line[1:]
            at += 1
            out += [line[1:]] if line[0] == " " else []
    return out + lines[at:]


@given(
    st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=40),
    st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=40),
)
def test_leads_from_one_to_the_other_by_a_shortest_way(one: list[str], other: list[str]) -> None:
    old, new = "\n".join(one), "\n".join(other)
    found = compared(old, new)
    assert apply(found, lines_of(old)) == lines_of(new)
    edits = [line for line in difflib.unified_diff(lines_of(old), lines_of(new), lineterm="", n=0) if line[0] in "+-"]
    assert found.added + found.removed <= max(len(edits) - 2, 0)
    assert found.added == sum(line[0] == "+" for line in found.lines)
    assert found.removed == sum(line[0] == "-" for line in found.lines)


@given(st.text(alphabet="ab {}%,\n", max_size=2000))
def test_breaking_loses_nothing(text: str) -> None:
    for line in text.split("\n"):
        assert "".join(broken(line)) == line
    assert compared(text, text) == TextDiff((), 0, 0)


@pytest.mark.parametrize(
    "was, now",
    [
        pytest.param("short", "other", id="short"),
        pytest.param(3, 4, id="numbers"),
        pytest.param(None, "x" * LONG, id="not long enough"),
    ],
)
def test_what_fits_in_a_line_is_no_text(was: str | int | None, now: str | int | None) -> None:
    assert diff({"key": (was, now)}) == {}


def test_a_template_in_one_line() -> None:
    """As chat templates are stored: the change is found where it is, and what stands behind it is not changed."""
    now = "{{ bos }}" + TEMPLATE.replace("'system'", "'developer'")
    found = diff({"tokenizer.chat_template": (TEMPLATE, now)})["tokenizer.chat_template"]
    assert [line for line in found.lines if line[0] in "+-"] == [
        "+{{ bos }}",
        "-{% elif message['role'] == 'system' %}",
        "+{% elif message['role'] == 'developer' %}",
    ]


def test_json_in_one_line() -> None:
    was = "{" + ",".join(f'"token{number}":{number}' for number in range(2000)) + "}"
    found = compared(was, was.replace('"token1000":1000,', ""))
    assert found.removed < 12
    assert any("token1000" in line for line in found.lines)


def test_a_text_that_came_or_went() -> None:
    found = diff({"a": (None, TEMPLATE), "b": ("x\ny", None)})
    assert (found["a"].removed, found["b"].added) == (0, 0)
    assert found["b"].lines == ("@@ -1,2 +0,0 @@", "-x", "-y")


def test_far_apart_changes_are_hunks() -> None:
    lines = [f"line {number}" for number in range(100)]
    changed = ["x" if number in (10, 14, 60) else line for number, line in enumerate(lines)]
    found = compared("\n".join(lines), "\n".join(changed))
    assert [line for line in found.lines if line[0] == "@"] == ["@@ -8,11 +8,11 @@", "@@ -58,7 +58,7 @@"]


@pytest.mark.parametrize(
    "was, now",
    [
        pytest.param("a\n" * 20_000, "b\n" * 20_000, id="many lines"),
        pytest.param("a\nb\n" * 2000, "b\nb\na\n" * 1500, id="lines that are alike"),
        pytest.param("\n".join(map(str, range(2000))), "\n".join(map(str, range(5000, 7000))), id="nothing in common"),
    ],
)
def test_too_different(was: str, now: str) -> None:
    found = compared(was, now)
    assert found.note
    assert len(found.lines) == MOST_LINES
    assert found.left_out > 0
    assert found.added - found.removed == len(lines_of(now)) - len(lines_of(was))


def test_too_long() -> None:
    was = "x" * MOST_CHARACTERS + "before" + "y" * 100
    found = compared(was, was.replace("before", "after"))
    assert f"{MOST_CHARACTERS:,}" in found.note
    assert [line[:1] for line in found.lines] == ["-", "+"]
    assert "before" in found.lines[0]
    assert "after" in found.lines[1]
    assert max(map(len, found.lines)) < 200


def test_not_more_than_so_many_texts() -> None:
    assert len(diff({str(number): ("a\nb", "a\nc") for number in range(100)})) == MOST_TEXTS
