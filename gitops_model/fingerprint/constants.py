"""Constants of a graph: initializers, and Constant nodes that hold a value; they are one thing to the recipes."""

import struct
from typing import NamedTuple

from gitops_model.fingerprint.encode import tensor_header
from gitops_model.ir import Attribute, Node, Sparse, Tensor


class Constant(NamedTuple):
    """Type and shape of a constant; `tensor` where its bytes are in the file, `value` where an attribute is it."""

    dtype: str
    shape: tuple[int, ...]
    sparse: bool
    tensor: Tensor | None
    value: bytes = b""

    def digest(self) -> bytes:
        """The tensor digest of a constant that is an attribute's value."""
        from blake3 import blake3

        return blake3(tensor_header(self.dtype, self.shape) + self.value).digest()


def of_tensor(tensor: Tensor) -> Constant:
    return Constant(tensor.dtype, tensor.shape, isinstance(tensor.data, Sparse), tensor)


def of_node(node: Node) -> Constant | None:
    """The constant that a node is; None for any other node, and for one whose value a caller of its function gives."""
    if node.op_type != "Constant" or node.domain != "ai.onnx" or len(node.attributes) != 1:
        return None
    if node.inputs or len(node.outputs) != 1:
        return None
    return of_attribute(node.attributes[0])


def of_attribute(attribute: Attribute) -> Constant | None:
    name, kind, value = attribute
    if isinstance(value, Tensor):
        return of_tensor(value) if name in ("value", "sparse_value") else None
    if name != f"value_{kind}" or kind not in _PLAIN:
        return None
    dtype, shape, items = _PLAIN[kind], (), (value,)
    if isinstance(value, tuple):
        shape, items = (len(value),), value
    return Constant(dtype, shape, sparse=False, tensor=None, value=b"".join(_element(item) for item in items))


_PLAIN = {
    "int": "int64",
    "ints": "int64",
    "float": "float32",
    "floats": "float32",
    "string": "string",
    "strings": "string",
}


def _element(item: object) -> bytes:
    if isinstance(item, int):
        return (item & (1 << 64) - 1).to_bytes(8, "little")
    if isinstance(item, float):
        return struct.pack("<f", item)
    assert isinstance(item, bytes)
    return len(item).to_bytes(8, "little") + item
