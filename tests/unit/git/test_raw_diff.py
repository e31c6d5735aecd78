"""The machine formats of git, parsed."""

import pytest

from gitops_model.git.changes import Change, Range, parse_range, parse_raw
from gitops_model.git.entries import Entry, parse_index, parse_tree
from gitops_model.git.history import _per_commit

A, B, ZERO = "a" * 40, "b" * 40, "0" * 40


def test_nothing() -> None:
    assert parse_raw(b"") == []
    assert parse_index(b"") == []
    assert parse_tree(b"") == []


def test_raw_statuses() -> None:
    out = (
        f":100644 100755 {A} {B} M\0m.onnx\0:000000 120000 {ZERO} {B} A\0link\0:100644 000000 {A} {ZERO} D\0gone\0"
        f":100644 120000 {A} {B} T\0type\0:100644 100644 {A} {A} R100\0old name\0new name\0"
    ).encode()
    assert parse_raw(out) == [
        Change("M", 0o100644, 0o100755, A, B, "m.onnx"),
        Change("A", 0, 0o120000, None, B, "link"),
        Change("D", 0o100644, 0, A, None, "gone"),
        Change("T", 0o100644, 0o120000, A, B, "type"),
        Change("R", 0o100644, 0o100644, A, A, "new name", "old name"),
    ]


def test_a_path_may_look_like_a_head() -> None:
    out = f":100644 100644 {A} {B} M\0:100644 100644 x\0:100644 100644 {A} {B} M\0second\0".encode()
    assert [change.path for change in parse_raw(out)] == [":100644 100644 x", "second"]


def test_index_leaves_out_conflicts() -> None:
    records = [f"100644 {A} 0\ta\tb", f"100644 {A} 1\tc", f"100644 {B} 2\tc", f"160000 {B} 0\tsub", ""]
    assert parse_index("\0".join(records).encode()) == [Entry(0o100644, A, "a\tb"), Entry(0o160000, B, "sub")]


@pytest.mark.parametrize(
    "word, expected",
    [
        ("main", None),
        ("", None),
        ("v1.0", None),
        ("a..b", Range("a", "b")),
        ("a...b", Range("a", "b", merge_base=True)),
        ("..b", Range("HEAD", "b")),
        ("a..", Range("a", "HEAD")),
        ("...", Range("HEAD", "HEAD", merge_base=True)),
    ],
)
def test_ranges(word: str, expected: Range | None) -> None:
    assert parse_range(word) == expected


def test_history_is_cut_at_commits_even_where_a_path_is_an_id() -> None:
    head = f":100644 100644 {A} {B} M"
    out = "\0".join([A, head, B, head, "x", f"{B} (from {A})", head, "y", ""]).encode()
    cut = [(commit, [change.path for change in parse_raw(part)]) for commit, part in _per_commit(out)]
    assert cut == [(A, [B, "x"]), (B, ["y"])]
