"""The ELF reader says what the loader would see, and trusts no number of the file."""

import struct

import pytest
from support.elf import Sym, library

from gitops_model.blob import Blob
from gitops_model.errors import BadFile
from gitops_model.gpu.elf import Dynamic, Elf, read_dynamic, read_elf, read_notes
from gitops_model.gpu.forward_compat import SECTION, ForwardCompat, read_forward_compat
from gitops_model.gpu.symbols import NeededVersion, Symbol, read_symbols, read_versions

SYMBOLS = (
    Sym("mine", "liba.so.1", defined=True),
    Sym("newer", "LIBA_2", defined=True),
    Sym("plain", defined=True),
    Sym("cublasCreate_v2", "libcublas.so.12", "libcublas.so.12"),
    Sym("memcpy", "GLIBC_2.14", "libc.so.6"),
    Sym("dlopen", "GLIBC_2.34", "libc.so.6"),
    Sym("cuInit"),
    Sym("maybe", weak=True),
)


def opened(data: bytes) -> tuple[Blob, Elf, Dynamic]:
    blob = Blob.of_bytes("liba.so.1", data)
    elf = read_elf(blob)
    dynamic = read_dynamic(blob, elf)
    assert dynamic is not None
    return blob, elf, dynamic


def code_of(data: bytes) -> str:
    with pytest.raises(BadFile) as caught:
        list(read_symbols(*opened(data)))
    return caught.value.problem.code


def test_the_dynamic_section_is_read() -> None:
    _, elf, dynamic = opened(
        library("liba.so.1", needed=("libb.so.2", "libc.so.6"), rpath="/a:$ORIGIN", runpath="$ORIGIN/../x")
    )
    assert dynamic.soname == "liba.so.1"
    assert dynamic.needed == ("libb.so.2", "libc.so.6")
    assert dynamic.rpath == ("/a", "$ORIGIN")
    assert dynamic.runpath == ("$ORIGIN/../x",)
    assert elf.machine == 62


def test_a_file_without_a_dynamic_section_has_none() -> None:
    data = bytearray(library("liba.so.1"))
    struct.pack_into("<I", data, 64 + 56, 0)
    blob = Blob.of_bytes("x", bytes(data))
    assert read_dynamic(blob, read_elf(blob)) is None


@pytest.mark.parametrize("hashed", ["sysv", "gnu", "none"])
def test_symbols_and_their_versions_are_read(hashed: str) -> None:
    found = {
        symbol.name: symbol for symbol in read_symbols(*opened(library("liba.so.1", symbols=SYMBOLS, hashed=hashed)))
    }
    assert found == {
        "mine": Symbol("mine", "liba.so.1", None, defined=True, weak=False),
        "newer": Symbol("newer", "LIBA_2", None, defined=True, weak=False),
        "plain": Symbol("plain", None, None, defined=True, weak=False),
        "cublasCreate_v2": Symbol("cublasCreate_v2", "libcublas.so.12", "libcublas.so.12", defined=False, weak=False),
        "memcpy": Symbol("memcpy", "GLIBC_2.14", "libc.so.6", defined=False, weak=False),
        "dlopen": Symbol("dlopen", "GLIBC_2.34", "libc.so.6", defined=False, weak=False),
        "cuInit": Symbol("cuInit", None, None, defined=False, weak=False),
        "maybe": Symbol("maybe", None, None, defined=False, weak=True),
    }


def test_an_empty_gnu_hash_does_not_hide_undefined_symbols() -> None:
    """GNU ld writes a first symbol of 1 when nothing is defined, whatever stands in the table."""
    only = (Sym("cuInit"), Sym("cuMemAlloc_v2"))
    assert [symbol.name for symbol in read_symbols(*opened(library("a", symbols=only, hashed="gnu")))] == [
        "cuInit",
        "cuMemAlloc_v2",
    ]


def test_needed_versions_name_their_library() -> None:
    versions = read_versions(*opened(library("liba.so.1", symbols=SYMBOLS)))
    assert sorted(versions.needed.values()) == [
        NeededVersion("libc.so.6", "GLIBC_2.14", weak=False),
        NeededVersion("libc.so.6", "GLIBC_2.34", weak=False),
        NeededVersion("libcublas.so.12", "libcublas.so.12", weak=False),
    ]


# --- files that lie -------------------------------------------------------------------------------------------------
def test_every_truncation_is_a_problem_of_the_file() -> None:
    data = library("liba.so.1", needed=("libb.so.2",), symbols=SYMBOLS, hashed="gnu")
    for length in range(1, len(data)):
        assert code_of(data[:length]) in {"GM001", "GM002", "GM009"}, length


def patched(data: bytes, at: int, layout: str, *values: int) -> bytes:
    copy = bytearray(data)
    struct.pack_into(layout, copy, at, *values)
    return bytes(copy)


@pytest.mark.parametrize(
    "at, layout, value, code",
    [
        (4, "<B", 1, "GM009"),  # 32-bit
        (5, "<B", 2, "GM009"),  # big endian
        (40, "<Q", 2**63, "GM001"),  # section table
        (58, "<H", 40, "GM002"),  # size of a section row
        (60, "<H", 0xFFFF, "GM001"),  # number of sections
        (62, "<H", 0xFFF0, "GM002"),  # section of names
        (32, "<Q", 2**63, "GM001"),  # program headers
        (54, "<H", 32, "GM002"),  # size of a program header
        (56, "<H", 0xFFFF, "GM005"),  # number of program headers
        (64 + 56 + 8, "<Q", 2**40, "GM001"),  # where the dynamic section is
        (64 + 56 + 32, "<Q", 2**40, "GM005"),  # its size
    ],
)
def test_each_field_of_the_headers_is_checked(at: int, layout: str, value: int, code: str) -> None:
    assert code_of(patched(library("liba.so.1", needed=("b",), symbols=SYMBOLS), at, layout, value)) == code


def tag_place(data: bytes, tag: int) -> int:
    (start,) = struct.unpack_from("<Q", data, 64 + 56 + 8)
    while struct.unpack_from("<q", data, start)[0] != tag:
        start += 16
    return start + 8


@pytest.mark.parametrize("tag", [5, 6, 4, 0x6FFFFFF0, 0x6FFFFFFE, 0x6FFFFFFC])
@pytest.mark.parametrize("value", [2**64 - 1, 2**40, 1 << 20])
def test_an_address_outside_the_file_is_refused(tag: int, value: int) -> None:
    data = library("liba.so.1", needed=("b",), symbols=SYMBOLS)
    assert code_of(patched(data, tag_place(data, tag), "<Q", value)) == "GM002"


def test_a_huge_table_of_strings_is_not_read() -> None:
    data = library("liba.so.1", symbols=SYMBOLS)
    assert code_of(patched(data, tag_place(data, 10), "<Q", 2**62)) in {"GM002", "GM005"}


def test_a_huge_number_of_symbols_is_refused() -> None:
    data = library("liba.so.1", symbols=SYMBOLS)
    (at,) = struct.unpack_from("<Q", data, tag_place(data, 4))
    assert code_of(patched(data, at + 4, "<I", 2**32 - 1)) == "GM005"
    assert code_of(patched(data, at + 4, "<I", 100_000)) == "GM002"


def test_a_table_of_versions_that_repeats_itself_is_refused() -> None:
    data = library("liba.so.1", symbols=SYMBOLS)
    (at,) = struct.unpack_from("<Q", data, tag_place(data, 0x6FFFFFFE))
    assert code_of(patched(data, at + 12, "<I", 2**32 - 1)) == "GM001", "the next record"
    assert code_of(patched(data, at + 8, "<I", 48)) == "GM002", "the first record's entries are the second's"


def test_names_that_share_a_table_a_million_times_are_stopped() -> None:
    """All symbols may point at one long name; what is handed out stays within a few times the table's size."""
    many = (*(Sym(f"n{index}") for index in range(2000)), Sym("x" * 30_000))
    data = bytearray(library("liba.so.1", symbols=many))
    (table,) = struct.unpack_from("<Q", data, tag_place(bytes(data), 6))
    (long,) = struct.unpack_from("<I", data, table + 24 * len(many))
    for index in range(1, len(many)):
        struct.pack_into("<I", data, table + 24 * index, long)
    assert code_of(bytes(data)) == "GM005"


def test_the_chain_of_a_gnu_hash_must_end() -> None:
    data = library("liba.so.1", symbols=SYMBOLS, hashed="gnu")
    (at,) = struct.unpack_from("<Q", data, tag_place(data, 0x6FFFFEF5))
    assert code_of(patched(data, at + 28, "<III", 0, 0, 0)) == "GM002"
    assert code_of(patched(data, at + 24, "<I", 1 << 20)) == "GM002", "a last symbol behind the end of the file"


# --- notes ----------------------------------------------------------------------------------------------------------
REAL = b'{"Format": 1, "CUDA Version": "13.1", "Driver": [535, 550, 570, 575, 580, 590], "Device": [1, 2, 7, 8]}'


def compat(description: bytes, owner: bytes = b"NVIDIA Corporation", section: str = SECTION) -> Blob:
    return Blob.of_bytes("libcuda.so", library("libcuda.so.1", notes=((section, owner, 1, description),)))


def test_the_forward_compatibility_note_is_read() -> None:
    assert read_forward_compat(compat(REAL)) == ForwardCompat("13.1", (535, 550, 570, 575, 580, 590), (1, 2, 7, 8))
    assert read_forward_compat(compat(REAL + bytes(13))) == read_forward_compat(compat(REAL)), "padded with zeros"
    assert read_forward_compat(compat(b'{"CUDA Version": "13.2"}')) == ForwardCompat("13.2", (), ())


def test_a_libcuda_without_the_note_has_none() -> None:
    assert read_forward_compat(Blob.of_bytes("x", library("libcuda.so.1"))) is None
    assert read_forward_compat(compat(REAL, owner=b"GNU")) is None
    assert read_forward_compat(compat(REAL, section=".note.other")) is None


@pytest.mark.parametrize(
    "description",
    [b"", b"{", b"[]", b"[" * 100_000, b"{}", b'{"CUDA Version": 13}', b'{"CUDA Version": "1", "Driver": {}}',
     b'{"CUDA Version": "1", "Device": [true]}', b"\xff"],
)  # fmt: skip
def test_a_note_that_is_not_understood_is_malformed(description: bytes) -> None:
    with pytest.raises(BadFile) as caught:
        read_forward_compat(compat(description))
    assert caught.value.problem.code == "GM002"


def test_a_note_larger_than_its_section_is_left_out() -> None:
    blob = compat(REAL)
    section = read_elf(blob).section(SECTION)
    assert section is not None
    assert len(list(read_notes(blob, section))) == 1
    assert not list(read_notes(blob, section._replace(size=section.size - 8)))
