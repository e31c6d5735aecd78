"""What the configuration of a container image says: architecture, environment, labels, and NVIDIA's requirements.

An image is a config blob named by a manifest, which an index may list per platform (opencontainers/image-spec:
manifest.md, image-index.md, config.md, image-layout.md). `docker save` writes `manifest.json` beside it, and older
versions nothing else. Every blob is checked against the digest and size that named it. Layers are
read on request alone (`layers.py`).
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, cast

from gitops_model.errors import BadFile, Problem
from gitops_model.gpu.tree import Tree

if TYPE_CHECKING:
    from gitops_model.net.registry import Registry  # imported where a registry is made: it brings HTTP along

MAX_DOCUMENT = 4 << 20
"""Bytes of an index or manifest (distribution-spec, "Pushing Manifests": registries take at least 4 MiB)."""
MAX_CONFIG = 8 << 20
CHUNK = 1 << 20
MAX_IMAGES = 64
"""Platforms of one image."""
MAX_DEPTH = 4
"""An index may list an index."""

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_DIGEST = re.compile(r"(sha256):([0-9a-f]{64})\Z|(sha512):([0-9a-f]{128})\Z")


class Descriptor(NamedTuple):
    """A blob by its digest; `size` is None where an old archive does not say."""

    digest: str
    size: int | None
    media_type: str = ""
    platform: str = ""


class Store(Protocol):
    """Where an image is. Both give bytes that fit the digest that was asked for, or raise."""

    def root(self) -> bytes:
        """The index or manifest that the reference names."""
        ...

    def blob(self, descriptor: Descriptor, limit: int) -> bytes:
        """A blob of at most `limit` bytes (GM005)."""
        ...

    def copy(self, descriptor: Descriptor, sink: BinaryIO, limit: int) -> None:
        """Write a blob to `sink`: for layers, which need not fit into memory."""
        ...


class Image(NamedTuple):
    """One platform of an image. `config` is the digest of its configuration, which is also its identity."""

    config: str
    architecture: str
    os: str
    environment: dict[str, str]
    labels: dict[str, str]
    layers: tuple[Descriptor, ...]


def read_images(store: Store, architecture: str | None = None) -> tuple[Image, ...]:
    """The images of every platform, or of one architecture (`amd64`); GM010 when there is none of that."""
    found: list[Image] = []
    others: set[str] = set()
    for descriptor, config in _manifests(store, _document(store.root(), "the image's manifest"), 0):
        if architecture is None or descriptor.platform in ("", architecture):
            image = _image(store, config)
            if architecture is None or image.architecture in ("", architecture):
                found.append(image)
            else:
                others.add(image.architecture)
        else:
            others.add(descriptor.platform)
    if not found:
        raise BadFile(
            Problem(
                "GM010",
                f"the image has nothing for {architecture or 'any platform'}",
                expected=architecture,
                found=", ".join(sorted(others)) or None,
            )
        )
    return tuple(found)


def _manifests(store: Store, document: dict[str, object], depth: int) -> Iterator[tuple[Descriptor, dict[str, object]]]:
    """Every image manifest below a document, with the descriptor that named it."""
    rows = document.get("manifests")
    if rows is None:
        yield Descriptor("", None), document
        return
    if depth == MAX_DEPTH:
        raise BadFile(Problem("GM005", "the image's indexes are nested too deeply", expected=f"at most {MAX_DEPTH}"))
    entries = _list(rows, "manifests")
    if len(entries) > MAX_IMAGES:
        raise BadFile(
            Problem(
                "GM005", "the image has too many platforms", expected=f"at most {MAX_IMAGES}", found=str(len(entries))
            )
        )
    for row in entries:
        descriptor = _descriptor(row)
        # Build attestations are listed as images of no platform (BuildKit, "Image attestation storage").
        if descriptor.platform == "unknown" or descriptor.media_type not in (*INDEX_TYPES, *MANIFEST_TYPES, ""):
            continue
        below = _document(store.blob(descriptor, MAX_DOCUMENT), "a manifest of the image")
        for inner, manifest in _manifests(store, below, depth + 1):
            yield (inner if inner.digest else descriptor), manifest


def _image(store: Store, manifest: dict[str, object]) -> Image:
    config = _descriptor(manifest.get("config"))
    layers = tuple(_descriptor(row) for row in _list(manifest.get("layers", []), "layers"))
    document = _document(store.blob(config, MAX_CONFIG), "the image's configuration")
    inner = _object(_or(document.get("config"), {}), "config")
    environment: dict[str, str] = {}
    for entry in _list(_or(inner.get("Env"), []), "Env"):
        name, equals, value = _text(entry, "Env").partition("=")
        if equals:
            environment[name] = value
    labels = {name: _text(value, "Labels") for name, value in _object(_or(inner.get("Labels"), {}), "Labels").items()}
    return Image(
        config.digest,
        _text(document.get("architecture", ""), "architecture"),
        _text(document.get("os", ""), "os"),
        environment,
        labels,
        layers,
    )


# --- images on disk ------------------------------------------------------------------------------------------------
class Layout:
    """An OCI image layout, or what `docker save` wrote, in a tree (a folder or a tar archive).

    `name` chooses among several images by reference name or tag; without it there must be one.
    """

    def __init__(self, tree: Tree, name: str | None = None) -> None:
        self._tree = tree
        self._name = name
        self._path = ""

    def root(self) -> bytes:
        index = self._read("index.json", MAX_DOCUMENT)
        if index is not None:
            return json.dumps(self._chosen(_document(index, "index.json"))).encode()
        old = self._read("manifest.json", MAX_DOCUMENT)
        if old is None:
            raise BadFile(Problem("GM009", "this is no image: it has neither index.json nor manifest.json"))
        return json.dumps(self._old(_parsed(old, "manifest.json"))).encode()

    def _chosen(self, index: dict[str, object]) -> dict[str, object]:
        rows = [_object(row, "manifests") for row in _list(index.get("manifests", []), "manifests")]
        names = [_object(_or(row.get("annotations"), {}), "annotations") for row in rows]
        if self._name is not None:
            keys = ("org.opencontainers.image.ref.name", "io.containerd.image.name")
            rows = [row for row, name in zip(rows, names, strict=True) if self._name in map(name.get, keys)]
        if not rows:
            raise BadFile(Problem("GM010", f"the layout holds no image {self._name or ''}".rstrip()))
        if len({_text(row.get("digest"), "digest") for row in rows}) > 1 and not any(
            row.get("platform") for row in rows
        ):
            raise BadFile(Problem("GM009", "the layout holds several images", expected="one, or a name to choose by"))
        return {"manifests": rows}

    def _old(self, value: object) -> dict[str, object]:
        """The manifest that `docker save` before version 25 does not write: there the configuration is a named file."""
        rows = [_object(row, "manifest.json") for row in _list(value, "manifest.json")]
        if self._name is not None:
            rows = [row for row in rows if self._name in _list(_or(row.get("RepoTags"), []), "RepoTags")]
        if len(rows) != 1:
            what = f"{len(rows)} images" if rows else f"no image {self._name or ''}".rstrip()
            raise BadFile(Problem("GM009" if rows else "GM010", f"the archive holds {what}", expected="one"))
        path = _text(rows[0].get("Config"), "Config")
        stem = path.removesuffix(".json").rpartition("/")[2]
        if not re.fullmatch(r"[0-9a-f]{64}", stem):
            raise BadFile(Problem("GM002", "the archive's configuration is not named by its digest", found=path))
        self._path = path
        return {"config": {"digest": f"sha256:{stem}"}, "layers": []}

    def blob(self, descriptor: Descriptor, limit: int) -> bytes:
        algorithm, _, hexadecimal = descriptor.digest.partition(":")
        data = self._read(f"blobs/{algorithm}/{hexadecimal}", limit)
        if data is None and self._path:
            data = self._read(self._path, limit)
        if data is None:
            raise BadFile(Problem("GM010", f"the layout lacks the blob {descriptor.digest}"))
        return verified(data, descriptor)

    def copy(self, descriptor: Descriptor, sink: BinaryIO, limit: int) -> None:
        algorithm, _, expected = descriptor.digest.partition(":")
        file = self._tree.open(f"blobs/{algorithm}/{expected}")
        if file is None:
            raise BadFile(Problem("GM010", f"the layout lacks the layer {descriptor.digest}"))
        with closing(file):
            if file.size > limit:
                raise BadFile(Problem("GM005", "a layer is too large", expected=f"at most {limit} bytes"))
            found = hashlib.new(algorithm)
            for at in range(0, file.size, CHUNK):
                part = file.read(at, min(CHUNK, file.size - at))
                found.update(part)
                sink.write(part)
        if found.hexdigest() != expected or descriptor.size not in (None, file.size):
            raise BadFile(_mismatch(descriptor, f"{algorithm}:{found.hexdigest()}", file.size))

    def _read(self, path: str, limit: int) -> bytes | None:
        file = self._tree.open(path)
        if file is None:
            return None
        with closing(file):
            if file.size > limit:
                raise BadFile(
                    Problem("GM005", f"{path} is too large", expected=f"at most {limit} bytes", found=str(file.size))
                )
            return file.read(0, file.size)


class Remote:
    """An image of a registry."""

    def __init__(self, registry: "Registry", version: str) -> None:
        self._registry = registry
        self._version = version

    def root(self) -> bytes:
        return self._registry.manifest(self._version, MAX_DOCUMENT)

    def blob(self, descriptor: Descriptor, limit: int) -> bytes:
        # A manifest is fetched as one: registries need not serve it as a blob.
        if descriptor.media_type in (*INDEX_TYPES, *MANIFEST_TYPES):
            data = self._registry.manifest(descriptor.digest, limit)
        else:
            data = self._registry.blob(descriptor.digest, limit)
        return verified(data, descriptor)

    def copy(self, descriptor: Descriptor, sink: BinaryIO, limit: int) -> None:
        self._registry.copy(descriptor.digest, sink, limit if descriptor.size is None else min(limit, descriptor.size))


def verified(data: bytes, descriptor: Descriptor) -> bytes:
    """The data, if it has the size and digest of the descriptor (GM201)."""
    algorithm, _, expected = descriptor.digest.partition(":")
    found = hashlib.new(algorithm, data).hexdigest()
    if found != expected or descriptor.size not in (None, len(data)):
        raise BadFile(_mismatch(descriptor, f"{algorithm}:{found}", len(data)))
    return data


def _mismatch(descriptor: Descriptor, found: str, size: int) -> Problem:
    return Problem(
        "GM201",
        "a blob of the image is not what its digest says",
        expected=f"{descriptor.digest}, {descriptor.size} bytes",
        found=f"{found}, {size} bytes",
    )


# --- JSON of strangers ---------------------------------------------------------------------------------------------
def _parsed(data: bytes, what: str) -> object:
    try:
        return cast(object, json.loads(data))
    except (ValueError, RecursionError):
        raise BadFile(Problem("GM002", f"{what} is not JSON")) from None


def _document(data: bytes, what: str) -> dict[str, object]:
    return _object(_parsed(data, what), what)


def _or(value: object, default: object) -> object:
    """Go writes null for an empty map or list."""
    return default if value is None else value


def _object(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BadFile(Problem("GM002", f"{what} of the image is not an object"))
    return cast(dict[str, object], value)


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        raise BadFile(Problem("GM002", f"{what} of the image is not a list"))
    return cast(list[object], value)


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise BadFile(Problem("GM002", f"{what} of the image is not a text"))
    return value


def _descriptor(value: object) -> Descriptor:
    row = _object(value, "a descriptor")
    digest = _text(row.get("digest"), "digest")
    size = row.get("size")
    if not _DIGEST.match(digest):
        raise BadFile(Problem("GM002", "a digest of the image is not sha256 or sha512 in hex", found=digest[:200]))
    if size is not None and (type(size) is not int or size < 0):
        raise BadFile(Problem("GM002", "a size in the image is no number of bytes"))
    platform = _object(_or(row.get("platform"), {}), "platform")
    return Descriptor(
        digest,
        size,
        _text(row.get("mediaType", ""), "mediaType"),
        _text(platform.get("architecture", ""), "architecture"),
    )
