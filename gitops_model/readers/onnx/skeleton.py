"""An ONNX file without its large weights: what a checker needs to see of a model of any size.

Every large tensor becomes one with external data, byte for byte as a ModelProto would say it, so that a library that
parses the whole file has little to parse. Small tensors stay: shape inference looks at the values of shapes and axes.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Attribute, Graph, Model, Node, Span, Tensor
from gitops_model.readers.protobuf import LEN, Wire

LARGE = 64 * 1024
"""Bytes of a tensor from which on it is left out."""

LARGEST = 256 * 1024 * 1024
"""Bytes of a skeleton."""


class Skeleton(NamedTuple):
    """`files` are the other files that it refers to, with the sizes that they need to have."""

    content: bytes
    files: dict[str, int]


def skeleton(blob: Blob, model: Model) -> Skeleton:
    """Raises BadFile GM012 where even the rest is more than a library could be given."""
    files: dict[str, int] = {}
    spans: list[Span] = []
    for tensor in all_tensors(model):
        span = tensor.data
        if not isinstance(span, Span):
            continue
        if span.file:
            files[span.file] = max(files.get(span.file, 0), span.offset + span.length)
        elif span.length > LARGE:
            spans.append(span)
    spans = sorted(set(spans))
    left = blob.size - sum(span.length for span in spans)
    if left > LARGEST:
        raise BadFile(
            Problem(
                "GM012",
                f"not checked deeply: {left} bytes beside the large weights are too many for onnx.checker",
                expected=f"at most {LARGEST} bytes",
                found=f"{left} bytes",
            )
        )
    if not spans:
        return Skeleton(blob.read(0, blob.size), files)
    elided = "weights"
    while elided in files or any(location.startswith(elided + "/") for location in files):
        elided += "_"
    files[elided] = spans[-1].length if len(spans) == 1 else max(span.length for span in spans)
    return Skeleton(_Rewriting(blob, spans, elided).message(0, blob.size), files)


class _Rewriting:
    def __init__(self, blob: Blob, spans: list[Span], elided: str) -> None:
        self.wire = Wire(blob)
        self.lengths = {span.offset: span.length for span in spans}
        self.offsets = [span.offset for span in spans]
        self.elided = elided

    def message(self, start: int, end: int) -> bytes:
        """The message with new fields where large tensors are. Its nesting is known to be bounded: it was read."""
        parts: list[bytes] = []
        kept = behind = start
        for tag, first, following in self.wire.fields(start, end, "ModelProto"):
            before, behind = behind, following
            if tag & 7 != LEN or following - first <= LARGE:
                continue
            index = bisect_left(self.offsets, first)
            if index == len(self.offsets) or self.offsets[index] >= following:
                continue
            parts.append(self.wire.blob.read(kept, before - kept))
            if self.offsets[index] == first and self.lengths[first] == following - first:
                parts.append(self.external(following - first))
            else:
                parts.append(field(tag, self.message(first, following)))
            kept = following
        parts.append(self.wire.blob.read(kept, end - kept))
        return b"".join(parts)

    def external(self, length: int) -> bytes:
        """`external_data` and `data_location` of a TensorProto, in place of its data."""
        entries = {"location": self.elided, "offset": "0", "length": str(length)}
        said = [field(0x6A, field(0x0A, key.encode()) + field(0x12, text.encode())) for key, text in entries.items()]
        return b"".join(said) + b"\x70\x01"


def field(tag: int, content: bytes) -> bytes:
    return varint(tag) + varint(len(content)) + content


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def all_tensors(model: Model) -> Iterator[Tensor]:
    """Weights, and the tensors in attributes of any node."""
    yield from model.tensors
    waiting: list[Node] = [node for function in model.functions for node in function.nodes]
    defaults = [attribute for function in model.functions for attribute in function.defaults]
    if model.graph is not None:
        waiting += model.graph.nodes
    for attribute in defaults:
        yield from _in_attribute(attribute, waiting)
    while waiting:
        for attribute in waiting.pop().attributes:
            yield from _in_attribute(attribute, waiting)


def _in_attribute(attribute: Attribute, waiting: list[Node]) -> Iterator[Tensor]:
    """The tensors of one attribute; the nodes of its graphs are added to those that wait."""
    values = (attribute.value,) if not attribute.kind.endswith("s") else attribute.value
    if not isinstance(values, tuple):
        return
    for value in values:
        if isinstance(value, Graph):
            waiting += value.nodes
        elif isinstance(value, Tensor) and "tensor" in attribute.kind:
            yield value
