"""What strangers call things comes out as text and nothing else, for each place where it may stand."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support.hostile import NAMES

from gitops_model.render.inert import code, command_data, command_property, for_html, for_terminal, one_line, prose

ANY = st.text(st.characters(codec=None), max_size=40) | st.sampled_from(NAMES)
GFM = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")


def steers(text: str) -> set[str]:
    """Characters that a terminal or a layout engine obeys rather than shows."""
    return {c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp", "Cs"} and c not in "\n\t"}


def is_command(text: str) -> bool:
    """Whether the Actions runner would obey a line of this text (ActionCommand.cs: `::` first, `##[` anywhere)."""
    return any(line.strip().startswith("::") or "##[" in line for line in text.splitlines())


# --- no-op cases: a plain name must be readable as it is -----------------------------------------------------------
@pytest.mark.parametrize(
    "name", ["encoder.0.weight", "a/b_c-d", "日本語/重み", "naïve", "x:y", "", "If_0.then_branch/x"]
)
def test_plain_names_stay(name: str) -> None:
    assert for_terminal(name) == one_line(name) == name
    assert for_html(name) == name


@pytest.mark.parametrize("name", ["encoder.0.weight", "a/b_c-d", "日本語/重み", "*args", "a_b_c_"])
def test_plain_names_are_code_spans(name: str) -> None:
    assert code(name) == f"`{name}`"


# --- hostile ones -------------------------------------------------------------------------------------------------
@given(ANY)
def test_terminal(name: str) -> None:
    shown = for_terminal(name)
    assert not steers(shown)
    assert not is_command(shown)


def test_every_steering_character_is_spelled_out() -> None:
    every = "".join(steers("".join(map(chr, range(0x110000)))))
    assert len(every) > 2000
    assert for_terminal(every).isprintable()


@given(ANY)
def test_one_line(name: str) -> None:
    shown = one_line(name, 30)
    assert not steers(shown)
    assert not is_command(shown)
    assert "\n" not in shown
    assert "\t" not in shown
    assert len(shown) <= 30


@given(ANY)
def test_a_name_in_a_table_is_one_cell_of_text(name: str) -> None:
    """Rendered, the name is the text of one code element; the row has its three cells; nothing else came into being."""
    shown = code(name, 1000)
    html = GFM.render(f"| a | b | c |\n|---|---|---|\n| x | {shown} | y |\n")
    assert html.count("<td>") == 3
    cell = html.partition("<td>x</td>\n<td>")[2].partition("</td>")[0]
    inner = re.fullmatch(r"<code>(.*)</code>", cell, re.DOTALL)
    assert inner, cell
    assert "<" not in inner[1]
    assert unescaped(inner[1]).replace("\u200b", "") == one_line(name, 1000) or not name.strip()


def test_markdown_source_holds_nothing_to_be_taken_for_ours() -> None:
    """Searches of the raw text (a comment's marker, a mention) find nothing of a name's."""
    for shown in [make(name) for name in NAMES for make in (code, prose)]:
        assert not set("<>@") & set(shown.replace("<code>", "").replace("</code>", ""))
        assert "\n" not in shown


@given(ANY)
def test_prose_is_one_paragraph_of_text(name: str) -> None:
    html = GFM.render(f"Reason {prose(name, 1000)} end.\n")
    text = re.fullmatch(r"<p>(.*)</p>\n", html, re.DOTALL)
    assert text, html
    assert "<" not in text[1]
    words = " ".join(f"Reason {one_line(name, 1000)} end.".split())
    assert " ".join(unescaped(text[1]).replace("\u200b", "").split()) == words


@given(ANY)
def test_html(name: str) -> None:
    shown = for_html(name, 1000)
    assert not set("<>\"'") & set(shown)
    assert unescaped(shown) == one_line(name, 1000)


@given(ANY, ANY)
def test_workflow_command_is_one_command(name: str, message: str) -> None:
    """Read back as the runner reads it, the command is ours and its parts are the texts."""
    line = f"::error file={command_property(name)},line=3::{command_data(message)}"
    assert "\n" not in line
    assert "\r" not in line
    head, data = re.fullmatch(r"::error ([^:]*)::(.*)", line, re.DOTALL).groups()  # type: ignore[union-attr]
    properties = dict(part.split("=", 1) for part in head.split(","))
    assert properties.keys() == {"file", "line"}
    assert properties["line"] == "3"
    assert from_runner(properties["file"]) == one_line(name, 1000)
    assert from_runner(data) == one_line(message, 2000)


def from_runner(text: str) -> str:
    for escaped, letter in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escaped, letter)
    return text


def unescaped(html: str) -> str:
    for escaped, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        html = html.replace(escaped, letter)
    return html
