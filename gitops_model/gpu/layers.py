"""The files of an image: its layers unpacked into spool files, and a tree over them as a container would see it.

A layer is a tar archive, plain or with gzip, on top of the ones before it; `.wh.NAME` takes a name away, `.wh..wh..opq`
everything below its folder (opencontainers/image-spec, layer.md). Nothing is extracted: spool files without a name hold
the archives, and the tree knows where in them a file lies. Only files that say something about a GPU are kept in it.
"""

import os
import posixpath
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import BinaryIO, cast

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, Problem
from gitops_model.gpu.closure import Search
from gitops_model.gpu.image import Image, Store
from gitops_model.gpu.part import Bytes, Part
from gitops_model.gpu.requirements import is_device_path
from gitops_model.gpu.tar import Link, Member, members
from gitops_model.gpu.tree import Tree
from gitops_model.gpu.wheels import Package, installed, library_folders

MAX_LAYERS = 256
MAX_BYTES = 64 << 30
"""Bytes of all layers of one image, packed and unpacked each; images with CUDA and PyTorch have about 10 GiB."""
MAX_ENTRIES = 1 << 20
"""Entries of one layer."""
MAX_KEPT = 1 << 18
"""Files and links that are kept of one image."""
MAX_HOPS = 40
"""Links followed for one path (as Linux does)."""
MAX_CONF = 1 << 16
CHUNK = 1 << 20

WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"
DEFAULTS = ("lib", "usr/lib", "lib64", "usr/lib64")
MULTIARCH = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
_CONF = re.compile(r"etc/ld\.so\.conf(?:\.d/[^/]+\.conf)?\Z")


class Rootfs:
    """The files of all layers, the upper ones over the lower (`gitops_model.gpu.tree.Tree`)."""

    def __init__(self, layers: Iterable[Bytes]) -> None:
        self._files: dict[str, tuple[Bytes, Member]] = {}
        self._links: dict[str, Link] = {}
        for layer in layers:
            self._lay(layer)
        self._folders: dict[str, set[str]] = {}
        for path in (*self._files, *self._links):
            folder, _, name = path.rpartition("/")
            self._folders.setdefault(folder, set()).add(name)
            while folder:
                folder, _, name = folder.rpartition("/")
                self._folders.setdefault(folder, set()).add(name)

    def _lay(self, layer: Bytes) -> None:
        gone: set[str] = set()
        opaque: set[str] = set()
        files: dict[str, tuple[Bytes, Member]] = {}
        links: dict[str, Link] = {}
        taken: set[str] = set()
        for entry in members(layer, MAX_ENTRIES):
            folder, _, name = entry.name.rpartition("/")
            if name == OPAQUE:
                opaque.add(folder)
            elif name.startswith(WHITEOUT):
                gone.add(f"{folder}/{name[len(WHITEOUT) :]}" if folder else name[len(WHITEOUT) :])
            elif isinstance(entry, Link):
                links[entry.name] = entry
                files.pop(entry.name, None)
            else:
                # A plain file hides what was under its name, also when it says nothing itself.
                if entry.name in self._files or entry.name in self._links:
                    taken.add(entry.name)
                links.pop(entry.name, None)
                if _is_kept(entry.name):
                    files[entry.name] = (layer, entry)
        if gone or opaque or taken:
            for table in (self._files, self._links):
                for path in [path for path in table if _is_hidden(path, gone, opaque) or path in taken]:
                    del table[path]
        for path in links:
            self._files.pop(path, None)
        for path in files:
            self._links.pop(path, None)
        self._files.update(files)
        self._links.update(links)
        if len(self._files) + len(self._links) > MAX_KEPT:
            raise BadFile(
                Problem("GM005", "the image has too many libraries and links", expected=f"at most {MAX_KEPT}")
            )

    def open(self, path: str) -> Part | None:
        place = self._resolved(path)
        found = self._files.get(place) if place is not None else None
        return None if found is None else Part(found[0], found[1].offset, found[1].size, path)

    def names(self, path: str) -> tuple[str, ...]:
        place = self._resolved(path)
        return tuple(sorted(self._folders.get(place, ()))) if place is not None else ()

    def walk(self) -> Iterator[str]:
        """Every kept file, sorted."""
        yield from sorted(self._files)

    def _resolved(self, path: str) -> str | None:
        """The path without links; None for one that goes in circles. `..` stops at the root, as in a container."""
        left = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        done: list[str] = []
        hops = 0
        while left:
            part = left.pop()
            if part == "..":
                del done[-1:]
                continue
            link = self._links.get("/".join((*done, part)))
            if link is None:
                done.append(part)
                continue
            hops += 1
            if hops > MAX_HOPS or len(left) > 1 << 12:
                return None
            if link.hard or link.target.startswith("/"):
                done = []
            left += [step for step in reversed(link.target.split("/")) if step not in ("", ".")]
        return "/".join(done)


def unpack(store: Store, image: Image, stack: ExitStack) -> Rootfs:
    """Fetch and unpack the layers of an image; `stack` closes the spool files."""
    if not image.layers:
        raise BadFile(
            Problem("GM009", "where the layers of the image are is not said", hint="save it with Docker 25 or newer")
        )
    if len(image.layers) > MAX_LAYERS:
        raise BadFile(Problem("GM005", "the image has too many layers", expected=f"at most {MAX_LAYERS}"))
    layers: list[Bytes] = []
    packed_left = plain_left = MAX_BYTES
    for descriptor in image.layers:
        packed = _spool(stack)
        store.copy(descriptor, packed, packed_left)
        packed_left -= packed.tell()
        packed.seek(0)
        mark = packed.read(4)
        packed.seek(0)
        if mark[:2] == b"\x1f\x8b":
            plain = _spool(stack)
            _gunzip(packed, plain, plain_left)
            packed.close()
        elif mark == b"\x28\xb5\x2f\xfd":
            raise BadFile(
                Problem("GM009", "a layer of the image is compressed with zstd", expected="gzip or none", found="zstd")
            )
        else:
            plain = packed
        plain_left -= plain.seek(0, os.SEEK_END)
        plain.flush()
        layers.append(stack.enter_context(Blob.of_fd(descriptor.digest, os.dup(plain.fileno()))))
    return Rootfs(layers)


def search_of(image: Image, root: Tree) -> Search:
    """Where the loader looks in a container: LD_LIBRARY_PATH, ld.so.conf, the usual folders, and preloaded packages."""
    multiarch = MULTIARCH.get(image.architecture)
    named = [path.strip("/") for path in image.environment.get("LD_LIBRARY_PATH", "").split(":") if path.strip("/")]
    folders: list[str] = []
    for path in ("etc/ld.so.conf", *(f"etc/ld.so.conf.d/{name}" for name in root.names("etc/ld.so.conf.d"))):
        file = root.open(path)
        if file is not None and file.size <= MAX_CONF:
            lines = file.read(0, file.size).decode("utf-8", "replace").splitlines()
            told = (line.split("#")[0].strip() for line in lines if line.startswith("/"))
            folders += [posixpath.normpath(folder).strip("/") for folder in told]
    for folder in DEFAULTS:
        folders += [f"{folder}/{multiarch}", folder] if multiarch and "64" not in folder else [folder]
    return Search(tuple(named), tuple(dict.fromkeys(folders)))


def packages_of(root: Rootfs) -> tuple[tuple[Package, ...], tuple[str, ...]]:
    """The Python packages of every site-packages folder, and the folders from which these preload libraries."""
    sites = {path.rpartition("/")[0].rpartition("/")[0] for path in root.walk() if ".dist-info/" in path}
    packages = tuple(package for site in sorted(sites) for package in installed(root, site))
    return packages, tuple(folder for site in sorted(sites) for folder in library_folders(root, site))


def _is_kept(path: str) -> bool:
    return (
        is_device_path(path) or path.endswith((".dist-info/METADATA", ".dist-info/RECORD")) or bool(_CONF.match(path))
    )


def _is_hidden(path: str, gone: set[str], opaque: set[str]) -> bool:
    if path in gone:
        return True
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        if folder in gone or folder in opaque:
            return True
    return False


def _spool(stack: ExitStack) -> BinaryIO:
    return stack.enter_context(cast(BinaryIO, tempfile.TemporaryFile()))


def _gunzip(source: BinaryIO, sink: BinaryIO, limit: int) -> None:
    """Members one behind another; at most `limit` bytes come out, a piece at a time."""
    size = 0
    unpacker = zlib.decompressobj(wbits=31)
    data = b""
    try:
        while data := unpacker.unconsumed_tail or data or source.read(CHUNK):
            if unpacker.eof:
                unpacker = zlib.decompressobj(wbits=31)
            part = unpacker.decompress(data, CHUNK)
            data = unpacker.unused_data.lstrip(b"\0")  # zeros behind a member are padding
            size += len(part)
            if size > limit:
                raise BadFile(
                    Problem("GM005", "the layers of the image are too large", expected=f"at most {limit} bytes")
                )
            sink.write(part)
    except zlib.error as error:
        raise BadFile(Problem("GM002", f"a layer of the image is no gzip file: {error}")) from None
    if not unpacker.eof:
        raise BadFile(Problem("GM001", "a layer of the image ends in the middle of its gzip data"))
