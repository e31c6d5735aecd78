"""The CUDA libraries that the dynamic loader would find, in its order, read as files: nothing is loaded or run.

Order as in ld.so(8): LD_LIBRARY_PATH, the cache that ldconfig wrote (/etc/ld.so.cache), the default folders. The layout
of the cache is that of glibc sysdeps/generic/dl-cache.h ("glibc-ld.so.cache1.1").
"""

import os
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.gpu.elf import read_dynamic, read_elf
from gitops_model.gpu.fatbin import scan
from gitops_model.gpu.symbols import read_symbols

CACHE = "/etc/ld.so.cache"
MAX_CACHE = 64 * 1024 * 1024
MAX_SYMBOLS = 4096
"""Symbols listed of one library; of one that has more none are listed, and `symbols` is null."""

_MAGIC = b"glibc-ld.so.cache1.1"
_OLD_MAGIC = b"ld.so-1.7.0\0"
_HEADER = struct.Struct("<20sII20x")
_ENTRY = struct.Struct("<iIIIQ")
_LIBRARY_TYPES = {"x86_64": 0x0303, "aarch64": 0x0A03}
"""FLAG_ELF_LIBC6 with the flag of the architecture's 64-bit libraries."""

_DEFAULT = ("/lib64", "/usr/lib64", "/lib/{}-linux-gnu", "/usr/lib/{}-linux-gnu", "/lib", "/usr/lib")
_CUDA = re.compile(
    r"lib(?:cuda|cudart|cublas(?:Lt)?|cudnn[a-z_]*|cufft(?:w)?|cufile|cupti|curand|cusolver(?:Mg)?|cusparse(?:Lt)?|"
    r"cutensor|nccl|npp[a-z]+|nvinfer[a-z_]*|nvonnxparser|nvJitLink|nvjpeg|nvrtc(?:-builtins)?|nvToolsExt|nvvm|"
    r"nvidia-(?:ml|ptxjitcompiler|nvvm))\.so\.[0-9]+(?:\.[0-9]+)?",
    re.ASCII,
)
_VERSION = re.compile(r"\.so\.([0-9]{1,9}(?:\.[0-9]{1,9}){1,5})\Z", re.ASCII)
_WITH_KERNELS = ("libcublas", "libcudnn")
"""Libraries whose status for a GPU without code is one of the predicted errors."""


class Library(NamedTuple):
    """A file by the name under which the loader finds it."""

    soname: str
    path: str


def find(environment: Mapping[str, str], machine: str, root: str = "") -> list[Library]:
    """The CUDA libraries, first come first served. `machine` is that of uname; `root` is put before every path."""
    found: dict[str, str] = {}
    for name, path in _candidates(environment, machine, root):
        if name not in found and _CUDA.fullmatch(name) and os.path.isfile(root + path):
            found[name] = path
    return [Library(soname, path) for soname, path in found.items()]


def _candidates(environment: Mapping[str, str], machine: str, root: str) -> Iterator[tuple[str, str]]:
    for folder in re.split("[:;]", environment.get("LD_LIBRARY_PATH", "")):
        if folder.startswith("/"):
            yield from _listing(folder, root)
    yield from cached(root + CACHE, machine)
    for folder in _DEFAULT:
        yield from _listing(folder.format(machine), root)


def _listing(folder: str, root: str) -> Iterator[tuple[str, str]]:
    try:
        names = sorted(os.listdir(root + folder))
    except OSError:
        return
    for name in names:
        yield name, os.path.join(folder, name)


def cached(filename: str, machine: str) -> Iterator[tuple[str, str]]:
    """(soname, path) of each entry of ldconfig's cache for this architecture; nothing where it cannot be read."""
    try:
        with Blob.of_file(filename) as blob:
            data = blob.read(0, blob.size) if blob.size <= MAX_CACHE else b""
    except (BadFile, CouldNotRun):
        return
    if data.startswith(_OLD_MAGIC) and len(data) >= 16:
        # the format of libc5 stands before the one in use, which is then 8-aligned
        count = int.from_bytes(data[12:16], "little")
        data = data[(16 + 12 * count + 7) // 8 * 8 :] if count <= len(data) // 12 else b""
    if len(data) < _HEADER.size or not data.startswith(_MAGIC):
        return
    _, count, _ = _HEADER.unpack_from(data)
    if count > (len(data) - _HEADER.size) // _ENTRY.size:
        return
    wanted = _LIBRARY_TYPES.get(machine)
    for number in range(count):
        flags, name, path, _, _ = _ENTRY.unpack_from(data, _HEADER.size + number * _ENTRY.size)
        if flags == wanted:
            texts = _text(data, name), _text(data, path)
            if texts[0] and texts[1].startswith("/"):
                yield texts


def _text(data: bytes, offset: int) -> str:
    end = data.find(b"\0", offset, offset + 4096)
    return data[offset:end].decode("utf-8", "replace") if end > offset else ""


# --- what is in them -----------------------------------------------------------------------------------------------
def describe(library: Library, root: str = "") -> dict[str, Any]:
    """The library as a target lists it. What cannot be read stays null: nobody knows."""
    entry: dict[str, Any] = {"soname": library.soname, "path": library.path}
    version = version_of(root + library.path)
    if version is not None:
        entry["version"] = version
    try:
        with Blob.of_file(root + library.path) as blob:
            symbols = _defined(blob)
            if symbols is not None:
                entry["symbols"] = symbols
            if library.soname.startswith(_WITH_KERNELS):
                found = scan(blob)
                if not found.problems:
                    entry["compute_capabilities"] = sorted({arch for kind, arch in found.counts() if kind == "sass"})
    except (BadFile, CouldNotRun):
        return entry
    return entry


def version_of(filename: str) -> str | None:
    """The version in the name of the file that a soname leads to: `libcuda.so.1` → `libcuda.so.550.54.15`."""
    match = _VERSION.search(os.path.basename(os.path.realpath(filename)))
    return match[1] if match else None


def _defined(blob: Blob) -> list[str] | None:
    """The versioned symbols that a library defines, or None where it has none or too many to list."""
    elf = read_elf(blob)
    dynamic = read_dynamic(blob, elf)
    if dynamic is None:
        return None
    names: set[str] = set()
    for symbol in read_symbols(blob, elf, dynamic):
        if symbol.defined and symbol.version is not None:
            names.add(symbol.name)
            if len(names) > MAX_SYMBOLS:
                return None
    return sorted(names) or None
