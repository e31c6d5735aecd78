"""The wire walk: what it reads, and how little of it."""

import itertools
import random
from pathlib import Path

import pytest
from support import wire

from gitops_model.blob import Blob
from gitops_model.errors import BadFile
from gitops_model.readers.protobuf import (
    LARGEST,
    SMALLEST,
    WHOLE,
    Wire,
    count_varints,
    run_end,
    signed,
    signed32,
    untagged,
    varints,
)


class Counted(Blob):
    """A blob that counts the bytes read from it."""

    reads = 0
    total = 0

    def read(self, offset: int, length: int) -> bytes:
        self.reads += 1
        self.total += length
        return super().read(offset, length)


def counted(content: bytes) -> Counted:
    return Counted("m", len(content), data=content)


def walk(content: bytes) -> list[tuple[int, int, int]]:
    return list(Wire(counted(content)).fields(0, len(content), "M"))


# --- nothing to do --------------------------------------------------------------------------------------------------
def test_an_empty_message_has_no_fields() -> None:
    assert walk(b"") == []


def test_unknown_fields_are_fields() -> None:
    assert walk(wire.number(12345, 7)) == [(12345 << 3, 7, 4)]


# --- fields ---------------------------------------------------------------------------------------------------------
def test_each_wire_type_has_its_triple() -> None:
    content = (
        wire.number(1, 300) + wire.message(2, b"abc") + wire.fixed32(3, 1.0) + wire.tag(4, wire.FIXED64) + bytes(8)
    )
    assert walk(content) == [(0x08, 300, 3), (0x12, 5, 8), (0x1D, 9, 13), (0x21, 14, 22)]


@pytest.mark.parametrize("size", [SMALLEST, WHOLE, LARGEST, 2 * LARGEST])
@pytest.mark.parametrize("off", range(-24, 25, 3))
def test_fields_at_the_edge_of_a_window_are_whole(size: int, off: int) -> None:
    source = random.Random(f"{size} {off}")
    records: list[bytes] = [wire.message(1, bytes(max(0, size + off - 40)))]
    records += [
        source.choice(
            (
                wire.number(2, source.getrandbits(source.choice((7, 14, 64)))),
                wire.message(3, source.randbytes(source.randint(0, 30))),
                wire.fixed32(4, 0.5),
                wire.tag(5, wire.FIXED64) + bytes(8),
            )
        )
        for _ in range(60)
    ]
    records.append(wire.message(6, bytes(2 * LARGEST)))
    records += [wire.number(7, 1)] * 30
    ends = list(itertools.accumulate(len(record) for record in records))
    assert [end for _, _, end in walk(b"".join(records))] == ends


def test_the_window_may_move_between_two_fields() -> None:
    """A walk inside a walk, forwards and backwards."""
    inner = wire.number(1, 5) + wire.message(2, bytes(WHOLE))
    content = wire.message(3, inner) * 40
    wired = Wire(counted(content))
    seen = 0
    for tag, start, end in wired.fields(0, len(content), "outer"):
        assert tag == 0x1A
        fields = list(wired.fields(start, end, "inner"))
        assert [field[0] for field in fields] == [0x08, 0x12]
        assert wired.bytes(0, 1) == b"\x1a"
        seen += 1
    assert seen == 40


def test_signs() -> None:
    assert signed((1 << 64) - 1) == -1
    assert signed((1 << 63) - 1) == (1 << 63) - 1
    assert signed32((1 << 64) - 2) == -2
    assert signed32(1 << 32 | 5) == 5


# --- runs -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("count", [1, 1000, 300_000])
def test_a_run_of_numbers_is_taken_at_once(count: int) -> None:
    values = [index * 37 % 70_000 for index in range(count)]
    content = wire.number(2, 1) + b"".join(wire.number(8, value) for value in values) + wire.number(3, 1)
    blob = counted(content)
    fields = list(Wire(blob).runs(0, len(content), "M", frozenset((0x40,))))
    assert [fields[0][0], fields[-1][0]] == [0x10, 0x18]
    runs = fields[1:-1]
    assert {tag for tag, _, _ in runs} == {-0x40}
    assert len(runs) <= 2 + len(content) // SMALLEST
    assert all(end - start <= LARGEST for _, start, end in runs)
    found = b"".join(untagged(content[start:end]) for _, start, end in runs)
    assert varints(found) == values
    assert count_varints(found) == count


@pytest.mark.parametrize("kind,width", [(wire.FIXED32, 4), (wire.FIXED64, 8)])
def test_a_run_of_fixed_values_ends_where_the_tag_does(kind: int, width: int) -> None:
    tag = wire.tag(7, kind)
    content = (tag + b"\x3d" * width) * 100 + wire.number(1, 1)
    assert run_end(tag[0], content, 0, len(content)) == 100 * (width + 1)
    assert run_end(tag[0], content, 0, 100 * (width + 1) - 1) == 99 * (width + 1)


def test_a_run_that_its_message_cuts_is_malformed() -> None:
    content = wire.number(8, 300) * 3
    with pytest.raises(BadFile, match="the message ends at"):
        list(Wire(counted(content)).runs(0, len(content) - 1, "M", frozenset((0x40,))))


# --- how much is read -----------------------------------------------------------------------------------------------
def test_large_contents_are_not_read() -> None:
    content = (wire.number(1, 1) + wire.message(2, bytes(1 << 20))) * 20
    blob = counted(content)
    assert len(list(Wire(blob).fields(0, len(content), "M"))) == 40
    assert blob.total <= 21 * SMALLEST


def test_a_sequential_walk_reads_every_byte_once() -> None:
    content = wire.message(1, b"0123456789") * 400_000
    blob = counted(content)
    assert sum(1 for _ in Wire(blob).fields(0, len(content), "M")) == 400_000
    assert blob.total <= len(content) * 1.02
    assert blob.reads <= len(content) // LARGEST + 10


def test_content_beyond_4_gib_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    length = 5 << 30
    head = wire.tag(9, wire.LEN) + wire.varint(length)
    with path.open("wb") as out:
        out.write(head)
        out.seek(length, 1)
        out.write(wire.number(1, 42))
    with Blob.of_file(path) as blob:
        fields = list(Wire(blob).fields(0, blob.size, "M", root=True))
    assert fields == [(0x4A, len(head), len(head) + length), (0x08, 42, blob.size)]


# --- what it refuses ------------------------------------------------------------------------------------------------
BROKEN = {
    "a length beyond the end": wire.tag(1, wire.LEN) + wire.varint(1 << 62),
    "a varint without an end": b"\x08\x80",
    "a tag without a value": b"\x08",
    "half a tag": b"\x88",
    "a short fixed32": b"\x0d\x00",
    "a short fixed64": b"\x09\x00\x00\x00\x00\x00\x00\x00",
}
NONSENSE = {
    "start of a group": b"\x0b\x0c",
    "wire type 6": b"\x0e\x00",
    "field number 0": b"\x00\x00",
    "a field number of 33 bits": wire.varint(1 << 35) + b"\x00",
    "a varint of 11 bytes": b"\x08" + b"\xff" * 10 + b"\x01",
}


@pytest.mark.parametrize("padding", [0, WHOLE + 5], ids=["small", "large"])
@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_field_that_leaves_is_told_apart(content: bytes, padding: int) -> None:
    """One that leaves the file is a truncated file, one that leaves its message a malformed message."""
    before = wire.message(2, bytes(padding)) if padding else b""
    whole = before + content
    with pytest.raises(BadFile) as caught:
        list(Wire(counted(whole)).fields(0, len(whole), "M", root=True))
    assert caught.value.problem.code == "GM001"
    followed = whole + wire.number(1, 1) * 20
    with pytest.raises(BadFile) as caught:
        list(Wire(counted(followed)).fields(0, len(whole), "M"))
    assert caught.value.problem.code == "GM002"
    assert f"byte {len(before)}" in caught.value.problem.message


@pytest.mark.parametrize("root", [True, False])
@pytest.mark.parametrize("padding", [0, WHOLE + 5], ids=["small", "large"])
@pytest.mark.parametrize("content", NONSENSE.values(), ids=NONSENSE)
def test_what_is_no_field_is_malformed_everywhere(content: bytes, padding: int, root: bool) -> None:
    before = wire.message(2, bytes(padding)) if padding else b""
    whole = before + content + wire.number(1, 1) * 20
    with pytest.raises(BadFile) as caught:
        list(Wire(counted(whole)).fields(0, len(whole), "M", root=root))
    assert caught.value.problem.code == "GM002"


def test_fields_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitops_model.readers.protobuf.MOST_FIELDS", 1000)
    for content in (wire.number(1, 1) * 1001, wire.number(1, 1) * 1001 + wire.message(2, bytes(WHOLE))):
        with pytest.raises(BadFile) as caught:
            walk(content)
        assert caught.value.problem.code == "GM005"
    assert len(walk(wire.number(1, 1) * 1000)) == 1000


def test_a_text_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitops_model.readers.protobuf.LONGEST_TEXT", 1000)
    blob = counted(bytes(3000))
    assert Wire(blob).bytes(10, 1010) == bytes(1000)
    blob.total = 0
    with pytest.raises(BadFile) as caught:
        Wire(blob).bytes(10, 1011)
    assert caught.value.problem.code == "GM005"
    assert blob.total == 0
