"""The scanner finds in each nvcc output what its -gencode options ask for, and says so when it cannot see all."""

import json
from pathlib import Path

import pytest

from gitops_model.blob import Blob
from gitops_model.gpu.fatbin import MAGIC_BYTES, MAX_PROBLEMS, Image, Scan, scan

DATA = Path(__file__).parents[2] / "data" / "gpu"
EXPECTED: dict[str, dict[str, int]] = json.loads((DATA / "expected.json").read_text())


def scanned(data: bytes, name: str = "x.so") -> Scan:
    return scan(Blob.of_bytes(name, data))


def counted(found: Scan) -> dict[str, int]:
    return {f"{kind} {arch}": number for (kind, arch), number in found.counts().items()}


def codes(found: Scan) -> set[str]:
    return {problem.code for problem in found.problems}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_image_that_nvcc_was_asked_for_is_found(name: str) -> None:
    found = scanned((DATA / name).read_bytes(), name)
    assert counted(found) == EXPECTED[name]
    assert not found.problems


@pytest.mark.parametrize("name", ["size.fatbin", "speed.fatbin", "bare.fatbin"])
def test_compression_changes_nothing_but_what_the_cubin_says_of_its_toolkit(name: str) -> None:
    found = scanned((DATA / name).read_bytes())
    assert counted(found) == {"ptx 90": 1, "sass 80": 1}
    assert found.toolkits == ({"13.0"} if name == "bare.fatbin" else set())


def test_ptx_says_its_isa_and_sass_has_none() -> None:
    ((_, images),) = scanned((DATA / "special.fatbin").read_bytes()).containers
    assert Image("ptx", "90a", "9.0", None) in images
    assert {image.ptx_isa for image in images if image.kind == "sass"} == {None}


def test_a_text_of_ptx_is_read_behind_its_comments() -> None:
    text = b"\n// one\n/* two\n*/ .version 8.7\n.target sm_120f, debug\n.address_size 64\n"
    ((_, images),) = scanned(text, "k.ptx").containers
    assert images == (Image("ptx", "120f", "8.7", None),)


def test_sections_are_kept_apart() -> None:
    assert [section for section, _ in scanned((DATA / "library.so").read_bytes()).containers] == [".nv_fatbin"]
    assert [section for section, _ in scanned((DATA / "relocatable.o").read_bytes()).containers] == ["__nv_relfatbin"]


def test_a_section_counts_its_registrations() -> None:
    assert scanned((DATA / "library.so").read_bytes()).wrappers == 1
    assert scanned((DATA / "one.fatbin").read_bytes()).wrappers is None


def test_several_containers_stand_one_behind_another() -> None:
    one, ptx = ((DATA / f"{name}.fatbin").read_bytes() for name in ("one", "ptx"))
    found = scanned(one + ptx + bytes(40) + one)
    assert counted(found) == {"sass 75": 2, "ptx 75": 1, "ptx 90": 1}
    assert sum(found.containers.values()) == 3
    assert not found.problems


# --- a file with nothing to find ------------------------------------------------------------------------------------
def test_a_library_without_device_code_is_no_trouble() -> None:
    library = renamed((DATA / "library.so").read_bytes())
    at = library.index(MAGIC_BYTES)
    size = 16 + int.from_bytes(library[at + 8 : at + 16], "little")
    found = scanned(library[:at] + bytes(size) + library[at + size :])
    assert not found.containers
    assert not found.problems


@pytest.mark.parametrize(
    "data, code",
    [
        (b"", "GM001"),
        (b"hello", "GM009"),
        (b"MZ" + bytes(100), "GM009"),
        (b"\x7fELF", "GM001"),
        (b"\x7fELF\x01\x01" + bytes(100), "GM009"),
        (b".version", "GM009"),
        (b".version 8.0\n.address_size 64", "GM002"),
    ],
)
def test_another_kind_of_file_is_said_to_be_one(data: bytes, code: str) -> None:
    found = scanned(data)
    assert codes(found) == {code}
    assert not found.containers


# --- device code in other places ------------------------------------------------------------------------------------
def renamed(library: bytes) -> bytes:
    """A library whose device code is in a section that the runtime does not know."""
    return library.replace(b".nv_fatbin\0", b".my_rodata\0").replace(b".nvFatBinSegment\0", b".myFatBinSegment\0")


def test_containers_in_a_data_section_are_found_and_say_where() -> None:
    library = renamed((DATA / "library.so").read_bytes())
    found = scanned(library)
    assert counted(found) == EXPECTED["library.so"]
    assert [section for section, _ in found.containers] == [".my_rodata"]


def test_a_mark_that_is_no_container_is_passed_over() -> None:
    library = renamed((DATA / "library.so").read_bytes())
    at = library.index(MAGIC_BYTES)
    found = scanned(library[: at + 8] + b"\xff" * 8 + library[at + 16 :])
    assert counted(found) == {"sass 80": 1}, "the bare cubin behind the broken container"
    assert not found.problems


# --- files that lie -------------------------------------------------------------------------------------------------
def test_every_truncation_of_a_container_is_noticed() -> None:
    data = (DATA / "ptx.fatbin").read_bytes()
    for length in range(len(data)):
        assert codes(scanned(data[:length])) & {"GM001", "GM002", "GM009"}, length


def test_a_registration_without_its_container_is_noticed() -> None:
    found = scanned((DATA / "library.so").read_bytes().replace(MAGIC_BYTES, bytes(4)))
    assert codes(found) == {"GM002"}


@pytest.mark.parametrize(
    "at, value, code",
    [
        (0, b"\0\0\0\1", "GM009"),  # the mark of the container
        (4, b"\2\0", "GM009"),  # its version
        (6, b"\0\0", "GM009"),  # the size of its header
        (8, b"\xff" * 8, "GM001"),  # the size of its content
        (16, b"\x77\0", "GM009"),  # the kind of an entry
        (20, b"\0\0\0\0", "GM002"),  # the size of its header
        (24, bytes(8), "GM002"),  # the size of its payload
        (24, b"\xff" * 8, "GM002"),
        (32, b"\xff" * 4, "GM002"),  # its compressed size
        (44, b"\x50", "GM002"),  # an architecture that the cubin denies
        (80, b"\0", "GM002"),  # the cubin's own mark
        (98, b"\0", "GM002"),  # the cubin's machine
        (87, b"\0", "GM009"),  # the cubin's OSABI
    ],
)
def test_each_field_of_a_container_is_checked(at: int, value: bytes, code: str) -> None:
    data = (DATA / "one.fatbin").read_bytes()
    found = scanned(data[:at] + value + data[at + len(value) :])
    assert codes(found) == {code}


def test_what_stands_before_the_trouble_is_kept() -> None:
    one = (DATA / "one.fatbin").read_bytes()
    found = scanned(one + b"no container at all, but long enough to be read as one" + one)
    assert counted(found)["sass 75"] >= 1
    assert "GM002" in codes(found)


def test_a_flood_of_trouble_is_not_kept() -> None:
    one = (DATA / "one.fatbin").read_bytes()
    broken = one[:16] + b"\x77" + one[17:]
    assert len(scanned(broken * 100).problems) == MAX_PROBLEMS


def test_a_flood_of_containers_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitops_model.gpu.fatbin.MAX_IMAGES", 100)
    empty = MAGIC_BYTES + b"\1\0\x10\0" + bytes(8)
    assert codes(scanned(empty * 99)) == set()
    assert codes(scanned(empty * 101)) == {"GM005"}


def test_sections_over_one_another_do_not_multiply_the_work() -> None:
    """Each of the library's sections is made to span the whole file: the bytes read stay linear."""
    import struct

    library = bytearray((DATA / "library.so").read_bytes())
    (table,) = struct.unpack_from("<Q", library, 40)
    (count,) = struct.unpack_from("<H", library, 60)
    for index in range(1, count - 1):
        struct.pack_into("<IQQQQ", library, table + 64 * index + 4, 1, 2, 0, 0, len(library))

    class Counted:
        path, size, total = "x.so", len(library), 0

        def read(self, offset: int, length: int) -> bytes:
            Counted.total += length
            return bytes(library[offset : offset + length])

    assert "GM002" in codes(scan(Counted()))
    assert Counted.total < 8 * len(library)
