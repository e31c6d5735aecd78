"""From a locator to canonical bytes: each kind of locator, its laws, and what hostile ones come to."""

import errno
import mmap
import random
import struct
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tensor_bytes import Files, got, refused

from gitops_model import blob as blob_module
from gitops_model.blob import Blob, NoSource
from gitops_model.errors import BadFile
from gitops_model.ir import Inline, Joined, Span, Strided, Strings, Swapped, Varints
from gitops_model.readers import bytes as tensor_bytes
from gitops_model.readers.bytes import TensorBytes
from gitops_model.readers.locators import pieces, views


# --- spans ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("mapped", [True, False])
def test_a_span_comes_in_bounded_pieces_from_a_file(tmp_path: Path, *, mapped: bool) -> None:
    content = random.Random(1).randbytes(3_000_001)
    (tmp_path / "m").write_bytes(content)
    with Blob.of_file(tmp_path / "m") as blob, TensorBytes(blob, NoSource(), mapped=mapped) as data:
        for offset, length in [(0, len(content)), (1, 2_500_000), (4096, 70_000), (4095, 65_537), (17, 5), (9, 0)]:
            chunks = [bytes(chunk) for chunk in data.chunks(Span(offset, length), 1 << 19)]
            assert b"".join(chunks) == content[offset : offset + length]
            assert all(len(chunk) <= (1 << 19) + 4096 for chunk in chunks)


def test_a_slice_that_somebody_keeps_does_not_break_the_walk(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(bytes(1 << 20))
    with Blob.of_file(tmp_path / "m") as blob, TensorBytes(blob, NoSource()) as data:
        kept = [memoryview(chunk)[:1] for chunk in data.chunks(Span(0, 1 << 20), 1 << 18)]
        assert len(kept) == 4


def test_a_file_is_mapped_once_and_let_go_of_behind_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Map(mmap.mmap):
        made: ClassVar[list[int]] = []
        dropped: ClassVar[list[tuple[int, int]]] = []

        def madvise(self, option: int, start: int = 0, length: int = 0) -> None:
            assert option == mmap.MADV_DONTNEED
            self.dropped.append((start, length))

    def made(fd: int, length: int, access: int) -> Map:
        Map.made.append(length)
        return Map(fd, length, access=access)

    monkeypatch.setattr(blob_module.mmap, "mmap", made)
    size = 5 << 20
    (tmp_path / "m").write_bytes(bytes(size))
    with Blob.of_file(tmp_path / "m") as blob:
        assert sum(len(window) for window in blob.windows(100, size - 200, 1 << 20)) == size - 200
        assert sum(len(window) for window in blob.windows(0, size, 1 << 20)) == size
    assert Map.made == [size]
    assert sum(length for _, length in Map.dropped) >= 2 * size - 200 - 4096
    assert max(length for _, length in Map.dropped) <= 1 << 20


def test_where_the_address_space_is_limited_a_file_is_read_without_a_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(blob_module.mmap, "mmap", refuse)
    content = random.Random(2).randbytes(1 << 20)
    (tmp_path / "m").write_bytes(content)
    with Blob.of_file(tmp_path / "m") as blob:
        assert b"".join(map(bytes, blob.windows(0, len(content), 1 << 18))) == content


def test_a_file_that_shrank_since_it_was_opened_is_truncated(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(bytes(1 << 20))
    for mapped in (True, False):
        with Blob.of_file(tmp_path / "m") as blob, TensorBytes(blob, NoSource(), mapped=mapped) as data:
            (tmp_path / "m").write_bytes(bytes(1 << 18))
            with pytest.raises(BadFile) as caught:
                for _ in data.chunks(Span(0, 1 << 20)):
                    pass
            assert caught.value.problem.code == "GM001"
        (tmp_path / "m").write_bytes(bytes(1 << 20))


@pytest.mark.parametrize("span", [Span(0, 11), Span(11, 1), Span(-1, 2), Span(2**62, 2**62), Span(5, -1)])
def test_a_span_outside_the_file_is_refused_before_anything_is_read(span: Span) -> None:
    assert refused(bytes(10), span).code == "GM001"


# --- other files ------------------------------------------------------------------------------------------------------
def test_another_file_is_opened_once_and_closed() -> None:
    source = Files({"w.bin": b"0123456789"})
    with TensorBytes(Blob.of_bytes("m", b""), source) as data:
        for offset in range(5):
            assert b"".join(map(bytes, data.chunks(Span(offset, 2, "w.bin")))) == b"0123456789"[offset : offset + 2]
        assert source.opened == ["w.bin"]
        assert source.closed == []
    assert source.closed == ["w.bin"]


def test_many_other_files_are_open_a_few_at_a_time() -> None:
    source = Files({f"{number}": b"x" for number in range(100)})
    with TensorBytes(Blob.of_bytes("m", b""), source) as data:
        for number in range(100):
            assert [bytes(chunk) for chunk in data.chunks(Span(0, 1, f"{number}"))] == [b"x"]
            assert len(source.opened) - len(source.closed) <= tensor_bytes.OPEN_FILES
    assert sorted(source.closed) == sorted(source.files)


def test_a_file_in_use_is_not_closed_for_another() -> None:
    source = Files({f"{number}": b"ab" * 10 for number in range(40)})
    with TensorBytes(Blob.of_bytes("m", b""), source) as data:
        walk = data.chunks(Span(0, 20, "0"))
        next(walk)
        for number in range(1, 40):
            list(data.chunks(Span(0, 1, f"{number}")))
        assert "0" not in source.closed
        assert list(walk) == []


def test_a_short_or_absent_other_file_is_named() -> None:
    source = Files({"w.bin": b"0123"})
    short = refused(b"", Span(0, 5, "w.bin"), source)
    assert short.code == "GM001"
    assert "w.bin" in short.message
    assert refused(b"", Span(0, 5, "v.bin"), source).code == "GM010"
    assert refused(b"", Span(0, 5, "v.bin")).code == "GM010"


# --- numbers and strings ----------------------------------------------------------------------------------------------
def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


@given(
    st.sampled_from([("b", 1), ("h", 2), ("i", 4), ("q", 8), ("B", 1), ("H", 2), ("I", 4), ("Q", 8)]).flatmap(
        lambda kind: st.tuples(
            st.just(kind),
            st.lists(
                st.integers(-(1 << 8 * kind[1] - 1), (1 << 8 * kind[1] - 1) - 1)
                if kind[0].islower()
                else st.integers(0, (1 << 8 * kind[1]) - 1),
                max_size=40,
            ),
        )
    ),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_varints_become_fixed_numbers(
    kind: tuple[tuple[str, int], list[int]], tagged: bool, rng: random.Random
) -> None:
    (code, width), numbers = kind
    content = bytearray()
    spans: list[Span] = []
    left = list(numbers)
    while left:
        count = rng.randint(1, len(left))
        content += b"junk"
        run = b"".join((b"\x28" if tagged else b"") + varint(number) for number in left[:count])
        spans.append(Span(len(content), len(run)))
        content += run
        left = left[count:]
    assert got(bytes(content), Varints(tuple(spans), width, tagged)) == struct.pack(f"<{len(numbers)}{code}", *numbers)


def test_varints_that_straddle_what_is_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [random.Random(3).randrange(1 << 40) for _ in range(500)]
    content = b"".join(map(varint, numbers))
    for chunk in (11, 16, 64, 1000):
        monkeypatch.setattr(pieces, "CHUNK", chunk)
        assert got(content, Varints((Span(0, len(content)),), 8)) == struct.pack("<500Q", *numbers)


@pytest.mark.parametrize(
    "content, width, code",
    [
        (varint(256), 1, "GM007"),
        (varint(-129), 1, "GM007"),
        (varint(1 << 32), 4, "GM007"),
        (varint(-(1 << 31) - 1), 4, "GM007"),
        (b"\x80", 4, "GM002"),
        (b"\x80" * 20, 8, "GM002"),
        (b"\xff" * 10 + b"\x01", 8, "GM002"),
        (b"\xff" * 9 + b"\x7f", 8, "GM007"),
    ],
)
def test_varints_that_no_element_can_hold_are_refused(content: bytes, width: int, code: str) -> None:
    assert refused(content, Varints((Span(0, len(content)),), width)).code == code


def test_strings_are_their_lengths_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [b"", b"a", b"\xff\x00", b"x" * 300, b""]
    content = b"--" + b"--".join(texts)
    spans: list[Span] = []
    place = 2
    for text in texts:
        spans.append(Span(place, len(text)))
        place += len(text) + 2
    expected = b"".join(struct.pack("<Q", len(text)) + text for text in texts)
    for chunk in (7, 64, 1 << 20):
        monkeypatch.setattr(pieces, "CHUNK", chunk)
        assert got(content, Strings(tuple(spans))) == expected


def test_small_pieces_are_not_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"\x01\x61" * 20_000
    calls: list[int] = []
    plain = Blob.read

    def counting(blob: Blob, offset: int, length: int) -> bytes:
        calls.append(length)
        return plain(blob, offset, length)

    monkeypatch.setattr(Blob, "read", counting)
    spans = tuple(Span(place, 1) for place in range(1, 40_000, 2))
    assert got(content, Strings(spans)) == (struct.pack("<Q", 1) + b"a") * 20_000
    assert len(calls) == 1


def test_joined_pieces_follow_one_another() -> None:
    assert got(b"0123456789", Joined((Span(2, 3), Inline(b"xy"), Joined((Span(0, 1), Span(9, 1)))))) == b"234xy09"


# --- views and the other byte order -----------------------------------------------------------------------------------
@given(st.sampled_from([1, 2, 4, 8]), st.integers(0, 50))
def test_swapped_elements_are_little_endian(size: int, count: int) -> None:
    content = random.Random(count).randbytes(size * count)
    expected = np.frombuffer(content, f">u{size}").astype(f"<u{size}").tobytes()
    assert got(content, Swapped(Span(0, len(content)), size)) == expected


def test_swapped_bytes_that_are_no_whole_elements_are_refused() -> None:
    assert refused(bytes(7), Swapped(Span(0, 7), 4)).code == "GM002"


@st.composite
def arrays(draw: st.DrawFn) -> "tuple[bytes, Strided, bytes]":
    """A base, a view of it, and the elements that NumPy sees in that view."""
    kind = draw(st.sampled_from(["u1", "<u2", "<u4", "<u8", "<c16"]))
    shape = draw(st.lists(st.integers(0, 5), max_size=4))
    array = np.frombuffer(random.Random(1).randbytes(1 << 14), kind)[: max(1, int(np.prod(shape)))]
    array = array[: int(np.prod(shape))].reshape(shape)
    base = array
    view = array.transpose(draw(st.permutations(range(array.ndim))))
    for axis in range(view.ndim):
        step = draw(st.sampled_from([1, 1, 2, -1, -2]))
        start = draw(st.integers(0, 2))
        view = view[(slice(None),) * axis + (slice(start, None, step) if step > 0 else slice(None, None, step),)]
    if draw(st.booleans()):
        view = np.broadcast_to(view, (draw(st.integers(0, 3)), *view.shape))
    start = (view.__array_interface__["data"][0] - base.__array_interface__["data"][0]) // base.itemsize
    if not view.size:
        start = 0
    strides = tuple(stride // base.itemsize for stride in view.strides)
    return base.tobytes(), Strided(Span(0, base.nbytes), base.itemsize, start, view.shape, strides), view.tobytes()


@given(arrays(), st.sampled_from([1, 24, 100, 1 << 20]))
def test_a_view_has_the_elements_that_numpy_sees(case: "tuple[bytes, Strided, bytes]", block: int) -> None:
    base, locator, expected = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(views, "BLOCK", block)
        assert got(base, locator) == expected
        assert got(b"", locator._replace(base=Inline(base))) == expected


@pytest.mark.parametrize("block", [64, 4096, 1 << 22])
def test_a_transposed_matrix_is_put_together_in_blocks(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(views, "BLOCK", block)
    array = np.arange(300 * 70, dtype="<i4").reshape(300, 70)
    locator = Strided(Span(0, array.nbytes), 4, 0, (70, 300), (1, 70))
    with TensorBytes(Blob.of_bytes("m", array.tobytes()), NoSource()) as data:
        chunks = [bytes(chunk) for chunk in data.chunks(locator)]
    assert b"".join(chunks) == array.T.tobytes()
    assert max(map(len, chunks)) <= max(block, 4)


@pytest.mark.parametrize(
    "view",
    [
        Strided(Span(0, 16), 4, 0, (5,), (1,)),
        Strided(Span(0, 16), 4, 1, (4,), (1,)),
        Strided(Span(0, 16), 4, 0, (2, 2), (4, 1)),
        Strided(Span(0, 16), 4, 0, (2,), (-1,)),
        Strided(Span(0, 16), 4, -1, (1,), (1,)),
        Strided(Span(0, 16), 4, 2**62, (1,), (2**62,)),
        Strided(Span(0, 16), 4, 0, (2**62, 2**62), (2**62, 1)),
    ],
)
def test_a_view_beyond_its_storage_is_refused(view: Strided) -> None:
    assert refused(bytes(16), view).code in {"GM001", "GM002"}


def test_a_view_of_no_elements_needs_no_storage() -> None:
    assert got(b"", Strided(Span(0, 0), 4, 0, (0, 7), (7, 1))) == b""
