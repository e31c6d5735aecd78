"""What a manifest says, as values; each can say where it stands in the file."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from gitops_model.ir import Dim
from gitops_model.manifest import nodes
from gitops_model.manifest.nodes import Node
from gitops_model.manifest.text import Place, Text
from gitops_model.manifest.typed import Json


class Digest(NamedTuple):
    """One checksum. `start` and `end` are the byte offsets of its hexadecimal digits in the file.

    `fixable` is false where those bytes are not the digits themselves (an alias, an escape, a folded text): then
    another value cannot be written there without changing more.
    """

    algorithm: str
    value: str
    place: Place
    start: int
    end: int
    fixable: bool


class Listed(NamedTuple):
    """A file of the model: its path relative to the manifest, and its digests in the order of the file."""

    path: str
    place: Place
    digests: tuple[Digest, ...]


class Declared(NamedTuple):
    """An input or output as the manifest declares it.

    A tensor has `dtype` and `shape` (None: unknown rank); anything else has `type`, in the text of `ir.OtherType`.
    `dims` are the places of the dimensions.
    """

    name: str
    place: Place
    dtype: str | None = None
    dtype_place: Place | None = None
    shape: tuple[Dim, ...] | None = None
    shape_place: Place | None = None
    dims: tuple[Place, ...] = ()
    type: str | None = None


_NONE: Mapping[str, Json] = MappingProxyType({})


class Manifest(NamedTuple):
    """A manifest, as far as it could be understood.

    Parts that are wrong are left out (a Problem says so) or empty: a `version` that is no SemVer is "". `inputs` and
    `outputs` are None where they are not declared. The free sections hold JSON values, typed by the schema.
    """

    name: str
    version: str
    architecture: tuple[str, ...]
    checksums: dict[str, Listed]
    inputs: tuple[Declared, ...] | None = None
    outputs: tuple[Declared, ...] | None = None
    runtime: Mapping[str, Json] = _NONE
    provenance: Mapping[str, Json] = _NONE
    signing: Mapping[str, Json] = _NONE
    serving: Mapping[str, Json] = _NONE
    targets: tuple[str, ...] = ()
    acceptance: Mapping[str, Json] = _NONE
    text: Text | None = None
    root: Node | None = None

    def where(self, *path: str | int) -> Place | None:
        """The place of the value at `path` (`where("runtime", "memory_mib")`), or of its nearest parent in the file."""
        if self.text is None or self.root is None:
            return None
        return self.text.place(node_at(self.root, path).start)

    def where_key(self, *path: str | int) -> Place | None:
        """The place of the key of the value at `path`."""
        if self.text is None or self.root is None:
            return None
        return self.text.place(key_at(self.root, path))


def node_at(root: Node, path: "tuple[str | int, ...]") -> Node:
    """The node at `path`, or the last one on the way to it that exists."""
    node = root
    for step in path:
        if isinstance(node, nodes.Mapping) and isinstance(step, str) and step in node.entries:
            node = node.entries[step][1]
        elif isinstance(node, nodes.Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            break
    return node


def key_at(root: Node, path: "tuple[str | int, ...]") -> int:
    """The character position of the key of the value at `path`; of the value itself for an item of a list."""
    parent = node_at(root, path[:-1])
    if path and isinstance(parent, nodes.Mapping) and isinstance(path[-1], str) and path[-1] in parent.entries:
        return parent.entries[path[-1]][0].start
    return node_at(root, path).start
