"""Laws of the scanners: hostile bytes give a problem, never an exception; the work is linear; nothing is invented."""

import contextlib
import io
import struct
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.elf import Sym, library

from gitops_model.blob import Blob
from gitops_model.errors import BadFile
from gitops_model.gpu.closure import Search, close
from gitops_model.gpu.elf import read_dynamic, read_elf
from gitops_model.gpu.engine import find_engine
from gitops_model.gpu.fatbin import Scan, scan
from gitops_model.gpu.forward_compat import SECTION, read_forward_compat
from gitops_model.gpu.image import Layout, read_images
from gitops_model.gpu.symbols import read_symbols
from gitops_model.gpu.tar import Tar
from gitops_model.gpu.tree import Loose
from gitops_model.gpu.wheels import locked

DATA = Path(__file__).parents[2] / "data" / "gpu"
DEVICE = {
    path.name: path.read_bytes()
    for path in sorted(DATA.iterdir())
    if path.is_file() and path.suffix not in (".py", ".json")
}
FATBINS = {name: data for name, data in DEVICE.items() if name.endswith(".fatbin")}
HOST = library(
    "liba.so.1",
    needed=("libcudart.so.12", "liba.so.1"),
    rpath="$ORIGIN/x",
    symbols=(
        Sym("mine", "liba.so.1", defined=True),
        Sym("cudaMalloc", "libcudart.so.12", "libcudart.so.12"),
        Sym("memcpy", "GLIBC_2.14", "libc.so.6"),
        Sym("cuInit"),
    ),
    hashed="gnu",
    notes=((SECTION, b"NVIDIA Corporation", 1, b'{"CUDA Version": "13.1", "Driver": [535]}'),),
)

EDGES = [0, 1, 7, 8, 16, 63, 64, 255, 0x7F, 0x80, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63, 2**64 - 1, 0xBA55ED50]
mutations = st.lists(
    st.tuples(
        st.sampled_from(["byte", "u32", "u64", "cut", "drop", "double", "zero"]),
        st.integers(0, 1 << 20),
        st.one_of(st.sampled_from(EDGES), st.integers(0, 2**64 - 1)),
    ),
    min_size=1,
    max_size=6,
)


def mutated(data: bytes, steps: list[tuple[str, int, int]]) -> bytes:
    """Near the structure more often than not: most places are folded into the first 512 bytes or the last 2048."""
    copy = bytearray(data)
    for kind, place, number in steps:
        if not copy:
            break
        at = place % min(512, len(copy)) if place % 2 else len(copy) - 1 - place % min(2048, len(copy))
        at = place % len(copy) if place % 5 == 0 else at
        if kind == "byte":
            copy[at] = number & 0xFF
        elif kind in ("u32", "u64"):
            width = 4 if kind == "u32" else 8
            copy[at : at + width] = (number & (1 << 8 * width) - 1).to_bytes(width, "little")
        elif kind == "cut":
            del copy[at:]
        elif kind == "drop":
            del copy[at : at + number % 64]
        elif kind == "double":
            copy[at:at] = copy[at : at + number % 4096]
        else:
            copy[at : at + number % 64] = bytes(number % 64)
    return bytes(copy)


class Counted:
    """A file that counts the bytes and calls it gives, and refuses what a file would refuse."""

    def __init__(self, data: bytes, path: str = "x.so") -> None:
        self.path, self.size, self.data = path, len(data), data
        self.given = self.calls = 0

    def read(self, offset: int, length: int) -> bytes:
        assert 0 <= offset <= offset + length <= self.size, "every range is checked before it is asked for"
        self.given += length
        self.calls += 1
        return self.data[offset : offset + length]


def as_counts(found: Scan) -> Counter[tuple[str, str]]:
    return Counter(found.counts())


# --- device code ----------------------------------------------------------------------------------------------------
@pytest.mark.fuzz
@given(st.sampled_from(sorted(DEVICE)), mutations)
def test_mutated_device_code_is_never_an_exception(name: str, steps: list[tuple[str, int, int]]) -> None:
    file = Counted(mutated(DEVICE[name], steps))
    found = scan(file)
    assert found.containers or found.problems or file.data[:4] == b"\x7fELF"
    assert file.given <= 32 * file.size + (1 << 16)
    assert file.calls <= file.size + 64


@pytest.mark.fuzz
@given(st.binary(max_size=4096))
def test_any_bytes_are_never_an_exception(data: bytes) -> None:
    for head in (b"", b"\x50\xed\x55\xba\1\0\x10\0", b"\x7fELF\2\1\1", b"\x7fELF\2\1\1\x41", b".version 8.0\n"):
        scan(Counted(head + data))


@given(st.sampled_from(sorted(FATBINS)), st.integers(0, 1 << 20))
def test_a_truncated_file_is_a_problem_and_invents_nothing(name: str, place: int) -> None:
    data = FATBINS[name]
    length = place % len(data)
    part = scan(Counted(data[:length]))
    assert part.problems
    assert as_counts(part) <= as_counts(scan(Counted(data)))


@given(
    st.lists(st.sampled_from(sorted(FATBINS)), min_size=1, max_size=6),
    st.lists(st.integers(0, 9), min_size=6, max_size=6),
)
def test_containers_add_up_whatever_padding_is_between_them(names: list[str], gaps: list[int]) -> None:
    data = b"".join(
        FATBINS[name] + bytes(-len(FATBINS[name]) % 8 + 8 * gap) for name, gap in zip(names, gaps, strict=False)
    )
    total = sum((as_counts(scan(Counted(FATBINS[name]))) for name in names), Counter[tuple[str, str]]())
    found = scan(Counted(data))
    assert as_counts(found) == total
    assert not found.problems


@given(st.sampled_from(sorted(FATBINS)), st.sampled_from(sorted(FATBINS)), st.binary(min_size=8, max_size=200))
def test_rubbish_between_containers_hides_nothing_but_is_a_problem(one: str, two: str, rubbish: bytes) -> None:
    rubbish = rubbish.replace(b"\0", b"\1").replace(b"\x50\xed", b"\x50\x51")
    gap = rubbish + bytes(-len(FATBINS[one] + rubbish) % 8)
    found = scan(Counted(FATBINS[one] + gap + FATBINS[two]))
    assert found.problems
    assert as_counts(found) == as_counts(scan(Counted(FATBINS[one]))) + as_counts(scan(Counted(FATBINS[two])))


# --- ELF ------------------------------------------------------------------------------------------------------------
@pytest.mark.fuzz
@given(mutations)
def test_a_mutated_library_is_read_or_refused(steps: list[tuple[str, int, int]]) -> None:
    file = Counted(mutated(HOST, steps))
    with contextlib.suppress(BadFile):
        elf = read_elf(file)
        dynamic = read_dynamic(file, elf)
        if dynamic is not None:
            names = sum(len(symbol.name) for symbol in read_symbols(file, elf, dynamic))
            assert names <= 16 * file.size + (1 << 13)
    with contextlib.suppress(BadFile):
        read_forward_compat(file)
    assert file.given <= 64 * file.size + (1 << 18)


@pytest.mark.fuzz
@given(mutations)
def test_the_closure_of_a_mutated_library_ends(steps: list[tuple[str, int, int]]) -> None:
    tree = Loose([Counted(mutated(HOST, steps), "liba.so.1"), Counted(HOST, "x/liba.so.1")])
    with contextlib.suppress(BadFile):
        close(tree, ("liba.so.1",), Search())


# --- archives, images, locks, engines -------------------------------------------------------------------------------
def archive() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as writer:
        for name, data in {"index.json": b'{"manifests": []}', "d/" * 60 + "x": b"y" * 700}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            writer.addfile(member, io.BytesIO(data))
    return stream.getvalue().rstrip(b"\0")


@pytest.mark.fuzz
@given(mutations)
def test_a_mutated_archive_is_indexed_or_refused(steps: list[tuple[str, int, int]]) -> None:
    file = Counted(mutated(archive(), steps))
    with contextlib.suppress(BadFile):
        tar = Tar(file)
        for name in tar.names(""):
            found = tar.open(name)
            assert found is None or len(found.read(0, found.size)) == found.size
        read_images(Layout(tar))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("sha256:" + "0" * 64),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["manifests", "config", "digest", "size", "mediaType", "platform", "layers", "architecture", "Env"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@pytest.mark.fuzz
@given(json_values)
def test_any_index_is_an_image_or_refused(value: Any) -> None:
    import json

    for name in ("index.json", "manifest.json"):
        with contextlib.suppress(BadFile):
            read_images(Layout(Loose([Blob.of_bytes(name, json.dumps(value).encode())])))


@pytest.mark.fuzz
@given(st.sampled_from(["requirements.txt", "uv.lock", "Pipfile.lock", "pylock.toml"]), st.text(max_size=300))
def test_any_lock_is_read_or_refused(name: str, text: str) -> None:
    with contextlib.suppress(BadFile):
        locked(Blob.of_bytes(name, text.encode()))


@given(st.binary(max_size=200))
def test_any_engine_is_one_or_none(data: bytes) -> None:
    find_engine(Blob.of_bytes("m.plan", data))
    find_engine(Blob.of_bytes("m.plan", struct.pack("<I", 2) + b"{}ptrt" + data))
