"""Pointers of git-xet."""

import pytest

from gitops_model.blob import Pointer
from gitops_model.git.pointers import parse

HASH = "a" * 64
POINTER = f"# xet version 0\nfilesize = 12345\nhash = '{HASH}'\n".encode()


def test_pointer() -> None:
    assert parse(POINTER) == Pointer("xet", "xet", HASH, 12345)


@pytest.mark.parametrize(
    "data",
    [b"", POINTER[:-3], POINTER + b"x", POINTER.replace(b"version 0", b"version 1"), POINTER.replace(b"12345", b"-1")],
    ids=["empty", "cut", "longer", "another version", "negative"],
)
def test_no_pointer(data: bytes) -> None:
    assert parse(data) is None
