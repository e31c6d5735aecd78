"""The lines of notes: one text per content, foreign ones kept."""

import json

import pytest

from gitops_model.git.notes import canonical, file_digests, join, parse_line, split


def test_one_text_per_content() -> None:
    one = canonical({"v": 1, "kind": "fingerprint", "tensors": [["ß\u2028", "float32", [1, 2], "00"]]})
    two = canonical({"tensors": [["ß\u2028", "float32", [1, 2], "00"]], "kind": "fingerprint", "v": 1})
    assert one == two == '{"kind":"fingerprint","tensors":[["ß\u2028","float32",[1,2],"00"]],"v":1}'


@pytest.mark.parametrize("name", ["\ud800", "a\udcffb", "\udc80\ud800", "\u2028\x85\n\r\t\0", "😀"])
def test_any_name_comes_back_and_is_valid_utf_8(name: str) -> None:
    line = canonical({"v": 1, "kind": "x", "name": name})
    note = join([line])
    note.decode("utf-8")
    assert note.count(b"\n") == 1
    (back,) = split(note)
    assert json.loads(back)["name"] == name


def test_numbers_that_json_lacks_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical({"v": float("nan")})


def test_lines_are_sorted_by_bytes_and_unique() -> None:
    assert join(["b", "a", "b", "\uffff", "\U00010000"]) == "a\nb\n\uffff\n\U00010000\n".encode()


def test_what_is_no_line_of_ours_is_kept_as_it_is() -> None:
    content = b'written by hand\n\n  \n{"kind":"new","v":2}\n\xff\xfe\n'
    assert join(split(content)) == b'written by hand\n{"kind":"new","v":2}\n\xff\xfe\n'


@pytest.mark.parametrize(
    "line",
    ["", "no json", "[]", "1", "null", '{"v":2,"kind":"fingerprint"}', '{"v":1}', '{"v":1,"kind":1}', "[" * 100_000],
    ids=["empty", "text", "list", "number", "null", "version 2", "no kind", "kind is a number", "deep"],
)
def test_not_understood(line: str) -> None:
    assert parse_line(line) is None


def test_understood() -> None:
    assert parse_line('{"kind":"gpu","v":1,"x":[]}') == {"kind": "gpu", "v": 1, "x": []}


@pytest.mark.parametrize("files", [None, 1, [], "x", {"sha256": 1}, {}])
def test_file_digests_of_a_hostile_line(files: object) -> None:
    assert file_digests({"files": files}) == {}
