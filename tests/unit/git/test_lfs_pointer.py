"""Pointers of Git LFS are read strictly: anything that is not one to the byte is a file like any other."""

import pytest

from gitops_model.blob import Pointer
from gitops_model.git.lfs import parse

OID = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
PLAIN = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize 12345\n".encode()
EXTENDED = (
    f"version https://git-lfs.github.com/spec/v1\next-0-foo sha256:{OID}\next-1-bar sha256:{OID}\n"
    f"oid sha256:{OID}\nsize 12345\n"
).encode()

NO_POINTERS = {
    "empty": b"",
    "no end of line": PLAIN[:-1],
    "a line more": PLAIN + b"\n",
    "crlf": PLAIN.replace(b"\n", b"\r\n"),
    "other version": PLAIN.replace(b"spec/v1", b"spec/v2"),
    "upper-case digest": PLAIN.replace(OID.encode(), OID.upper().encode()),
    "short digest": PLAIN.replace(OID.encode(), OID[:-1].encode()),
    "other algorithm": PLAIN.replace(b"sha256", b"sha512"),
    "keys out of order": f"version https://git-lfs.github.com/spec/v1\nsize 1\noid sha256:{OID}\n".encode(),
    "a key twice": PLAIN + b"size 12345\n",
    "unknown key": PLAIN + b"zebra 1\n",
    "negative size": PLAIN.replace(b"12345", b"-1"),
    "size with a leading zero": PLAIN.replace(b"12345", b"012345"),
    "size with digits of another script": PLAIN.replace(b"12345", "١٢٣".encode()),
    "huge size": PLAIN.replace(b"12345", b"9" * 20),
    "two blanks": PLAIN.replace(b"size ", b"size  "),
    "leading blank": b" " + PLAIN,
    "no size": PLAIN[: PLAIN.index(b"size")],
    "1024 bytes": EXTENDED.replace(b"foo", b"f" * (1024 - len(EXTENDED) + 3)),
    "weights that begin like one": PLAIN + bytes(5000),
    "git-xet": b"# xet version 0\nfilesize = 1\nhash = '" + OID.encode() + b"'\n",
}


@pytest.mark.parametrize("data", NO_POINTERS.values(), ids=NO_POINTERS.keys())
def test_no_pointer(data: bytes) -> None:
    assert parse(data) is None


@pytest.mark.parametrize("data", [PLAIN, EXTENDED], ids=["plain", "with extensions"])
def test_pointer(data: bytes) -> None:
    assert parse(data) == Pointer("lfs", "sha256", OID, 12345)


def test_the_longest_pointer_has_1023_bytes() -> None:
    data = EXTENDED.replace(b"foo", b"f" * (1023 - len(EXTENDED) + 3))
    assert len(data) == 1023
    assert parse(data) is not None
