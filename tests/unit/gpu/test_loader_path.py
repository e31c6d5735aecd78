"""The order of the dynamic loader, and ldconfig's cache as ldconfig writes it."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_model.gpu.loader_path import CACHE, cached, describe, find, version_of
from gitops_model.gpu.loader_path import Library as Found

MACHINE = os.uname().machine


def library(path: Path, soname: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    words = ["gcc", "-shared", "-fPIC", "-nostdlib", f"-Wl,-soname,{soname}", "-x", "c", "-", "-o", path]
    subprocess.run(words, input=b"int f;", check=True)


def ldconfig(folder: Path, cache: Path) -> None:
    """Write a cache with the libraries of `folder`."""
    program = shutil.which("ldconfig", path="/sbin:/usr/sbin:/usr/bin:/bin")
    assert program, "ldconfig is part of every Linux with glibc"
    configuration = cache.parent / "ld.so.conf"
    configuration.write_text(f"{folder}\n")
    subprocess.run([program, "-X", "-f", configuration, "-C", cache], check=True, capture_output=True)


def test_the_cache_that_ldconfig_writes_is_read(tmp_path: Path) -> None:
    library(tmp_path / "cuda/libcudart.so.12", "libcudart.so.12")
    library(tmp_path / "cuda/libnvrtc.so.12", "libnvrtc.so.12")
    cache = tmp_path / "cache"
    ldconfig(tmp_path / "cuda", cache)
    entries = dict(cached(str(cache), MACHINE))
    assert entries["libcudart.so.12"] == str(tmp_path / "cuda/libcudart.so.12")
    assert entries["libnvrtc.so.12"] == str(tmp_path / "cuda/libnvrtc.so.12")
    assert list(cached(str(cache), "s390x")) == []  # entries of other architectures do not count


def test_the_cache_of_this_machine_names_libc() -> None:
    entries = dict(cached(CACHE, MACHINE))
    assert os.path.exists(entries["libc.so.6"])


def made(entries: list[tuple[str, str]], flags: int = 0x0303) -> bytes:
    """A cache by hand."""
    texts = b""
    rows = b""
    start = 48 + 24 * len(entries)
    for name, path in entries:
        offsets = []
        for text in (name, path):
            offsets.append(start + len(texts))
            texts += text.encode() + b"\0"
        rows += struct.pack("<iIIIQ", flags, *offsets, 0, 0)
    return struct.pack("<20sII20x", b"glibc-ld.so.cache1.1", len(entries), len(texts)) + rows + texts


def test_a_cache_made_by_hand(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(made([("liba.so.1", "/x/liba.so.1"), ("libb.so.1", "relative"), ("", "/x")]))
    assert list(cached(str(tmp_path / "cache"), "x86_64")) == [("liba.so.1", "/x/liba.so.1")]
    old = struct.pack("<12sI", b"ld.so-1.7.0\0", 2) + b"\0" * 24  # 40 bytes: already 8-aligned
    (tmp_path / "both").write_bytes(old + made([("liba.so.1", "/x/liba.so.1")]))
    assert list(cached(str(tmp_path / "both"), "x86_64")) == [("liba.so.1", "/x/liba.so.1")]


@given(st.data())
def test_no_cache_is_a_crash(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    good = bytearray(made([("liba.so.1", "/x/liba.so.1"), ("libb.so.1", "/x/libb.so.1")]))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.getbasetemp() / "cache"
    file.write_bytes(bytes(good[: data.draw(st.integers(0, len(good)))]))
    for name, path in cached(str(file), "x86_64"):
        assert name
        assert path.startswith("/")


def test_counts_that_the_file_cannot_hold_are_not_believed(tmp_path: Path) -> None:
    for data in (
        struct.pack("<20sII20x", b"glibc-ld.so.cache1.1", 0xFFFFFFFF, 0),
        struct.pack("<12sI", b"ld.so-1.7.0\0", 0xFFFFFFFF),
        b"",
    ):
        (tmp_path / "cache").write_bytes(data)
        assert list(cached(str(tmp_path / "cache"), "x86_64")) == []
    assert list(cached(str(tmp_path / "none"), "x86_64")) == []
    assert list(cached(str(tmp_path), "x86_64")) == []
    os.mkfifo(tmp_path / "fifo")
    assert list(cached(str(tmp_path / "fifo"), "x86_64")) == []


def test_ld_library_path_then_the_cache_then_the_default_folders(tmp_path: Path) -> None:
    for folder in ("own", "cached", "usr/lib"):
        (tmp_path / folder).mkdir(parents=True)
        for name in ("libcudart.so.12", "libcudart.so", "libc.so.6", "libcudart.so.12.4.127"):
            (tmp_path / folder / name).write_bytes(b"")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/ld.so.cache").write_bytes(made([("libcudart.so.12", "/cached/libcudart.so.12")]))

    def first(**environment: str) -> list[Found]:
        return find(environment, "x86_64", str(tmp_path))

    assert first(LD_LIBRARY_PATH="/own") == [Found("libcudart.so.12", "/own/libcudart.so.12")]
    assert first(LD_LIBRARY_PATH="own:;/none") == [Found("libcudart.so.12", "/cached/libcudart.so.12")]
    (tmp_path / "cached/libcudart.so.12").unlink()  # the cache is older than the folder
    assert first() == [Found("libcudart.so.12", "/usr/lib/libcudart.so.12")]


def test_the_version_is_in_the_name_that_a_soname_leads_to(tmp_path: Path) -> None:
    (tmp_path / "libcuda.so.550.54.15").write_bytes(b"")
    (tmp_path / "libcuda.so.1").symlink_to("libcuda.so.550.54.15")
    assert version_of(str(tmp_path / "libcuda.so.1")) == "550.54.15"
    (tmp_path / "libcudnn.so.9").write_bytes(b"")  # as in wheels
    assert version_of(str(tmp_path / "libcudnn.so.9")) is None


def test_a_library_that_cannot_be_read_is_listed_without_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "libcublas.so.12").write_bytes(b"\x7fELF" + b"\xff" * 60)
    entry = describe(Found("libcublas.so.12", "/libcublas.so.12"), str(tmp_path))
    assert entry == {"soname": "libcublas.so.12", "path": "/libcublas.so.12"}
