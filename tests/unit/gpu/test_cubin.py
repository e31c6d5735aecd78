"""Cubins of every layout say their target; the older ones are known only by their headers (measured, see cubin.py)."""

import struct
from pathlib import Path

import pytest

from gitops_model.blob import Blob
from gitops_model.errors import BadFile
from gitops_model.gpu.cubin import Target, read_cubin, read_ptx, read_target

DATA = Path(__file__).parents[2] / "data" / "gpu"


def header(osabi: int, version: int, flags: int, machine: int = 190) -> bytes:
    ident = b"\x7fELF\x02\x01\x01" + bytes([osabi, 7]) + bytes(7)
    return ident + struct.pack("<HHIQQQI", 2, machine, version, 0, 0, 0, flags)


@pytest.mark.parametrize(
    "data, target",
    [
        (header(0x33, 0x76, 0x500550), Target(80, "", "11.8")),
        (header(0x33, 0x7C, 0x500D5A), Target(90, "a", "12.4")),
        (header(0x33, 0x81, 0x5A0559), Target(89, "", "12.9")),
        (header(0x41, 1, 0x06006402), Target(100, "", None)),
        (header(0x41, 1, 0x0600640A), Target(100, "a", None)),
        (header(0x41, 1, 0x06007902), Target(121, "", None)),
    ],
    ids=["11.8", "12.4 sm_90a", "12.9", "13.0", "12.8 sm_100a", "sm_121"],
)
def test_the_header_says_the_target(data: bytes, target: Target) -> None:
    assert read_target(data) == target


@pytest.mark.parametrize(
    "name, target",
    [
        ("old.cubin", Target(75, "", "13.0")),
        ("plain.cubin", Target(100, "", "13.0")),
        ("special.cubin", Target(90, "a", "13.0")),
    ],
)
def test_the_sections_of_a_new_cubin_say_suffix_and_toolkit(name: str, target: Target) -> None:
    assert read_cubin(Blob.of_bytes(name, (DATA / name).read_bytes())) == target


@pytest.mark.parametrize(
    "data, code",
    [
        (b"", "GM002"),
        (header(0x41, 1, 0)[:51], "GM002"),
        (header(0x41, 1, 0, machine=62), "GM002"),
        (header(0, 1, 0), "GM009"),
    ],
)
def test_what_is_no_cubin_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(BadFile) as caught:
        read_target(data)
    assert caught.value.problem.code == code


def test_a_comment_without_end_is_read_once() -> None:
    """Each byte of a long run of comment openers is looked at a bounded number of times."""
    with pytest.raises(BadFile):
        read_ptx(Blob.of_bytes("x.ptx", b"/*" * 40_000))
