"""Lines, columns and bytes of characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_model.manifest.text import Text, decode

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.mark.parametrize(
    "text, index, place",
    [
        ("", 0, (1, 1)),
        ("ab", 2, (1, 3)),
        ("a\nb", 2, (2, 1)),
        ("a\r\nb", 3, (2, 1)),
        ("a\rb", 2, (2, 1)),
        ("a\n", 2, (2, 1)),
        ("\U0001f600b", 1, (1, 2)),
        ("é\té", 2, (1, 3)),
    ],
)
def test_places_count_characters_from_one(text: str, index: int, place: tuple[int, int]) -> None:
    assert Text(text).place(index) == place


@given(TEXTS, st.sampled_from([0, 3]))
def test_bytes_are_where_the_encoding_puts_them(characters: str, skipped: int) -> None:
    text = Text(characters, skipped)
    for index in range(len(characters) + 1):
        assert text.byte(index) == skipped + len(characters[:index].encode())


@given(TEXTS)
def test_places_and_lines_agree(characters: str) -> None:
    text = Text(characters)
    rebuilt = [text.place(index) for index in range(len(characters) + 1)]
    assert rebuilt == sorted(rebuilt)
    assert len(set(rebuilt)) == len(rebuilt)


def test_a_byte_order_mark_is_no_character() -> None:
    text, problems = decode(b"\xef\xbb\xbfname")
    assert problems == ()
    assert text is not None
    assert text.characters == "name"
    assert text.byte(0) == 3


@pytest.mark.parametrize(
    "character", ["\x00", "\x0b", "\x7f", "\x85", "\u2028", "\u2029", "\ufeff", "\ufffe", "\uffff"]
)
def test_refused_characters_have_a_place(character: str) -> None:
    _, problems = decode(f"a: 1\nb: é{character}".encode())
    assert [(problem.code, problem.line, problem.column) for problem in problems] == [("GM101", 2, 5)]
