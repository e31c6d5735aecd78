"""Constants of a graph: initializers, and Constant nodes that hold a value; they are one thing to the recipes.

Numbers and strings in attributes count as the tensor that a Constant node would make of them: so a list that the reader
left in the file has the digest of one that it holds.
"""

import struct

from gitops_model.fingerprint.encode import tensor_header
from gitops_model.ir import AttributeValue, Locator, Node, Tensor
from gitops_model.readers.onnx.constant import constant_of

Content = tuple[str, tuple[int, ...], Locator]
"""Type, shape and place of a tensor: what its digest follows from, whatever it is called."""


def content(tensor: Tensor) -> Content:
    return tensor.dtype, tensor.shape, tensor.data


def constant_tensor(node: Node) -> Tensor | None:
    """The tensor that a node is; None for any other node, and for one whose value a caller of its function gives."""
    if node.op_type != "Constant" or node.domain != "ai.onnx" or len(node.attributes) != 1:
        return None
    if node.inputs or len(node.outputs) != 1:
        return None
    return constant_of("", node.attributes[0])


def plain_tensor(kind: str, value: AttributeValue) -> bytes | None:
    """What is hashed for numbers and strings: the header and the bytes of their tensor. None for other kinds."""
    items = value if isinstance(value, tuple) else (value,)
    shape = (len(items),) if kind.endswith("s") else ()
    if kind in ("int", "ints"):
        return tensor_header("int64", shape) + b"".join(map(_int64, items))
    if kind in ("float", "floats"):
        return _floats(shape, items)
    if kind in ("string", "strings"):
        return tensor_header("string", shape) + b"".join(map(_string, items))
    return None


def _int64(item: object) -> bytes:
    assert isinstance(item, int)
    return (item & (1 << 64) - 1).to_bytes(8, "little")


def _floats(shape: tuple[int, ...], items: tuple[object, ...]) -> bytes:
    """float32, which is what ONNX has; float64 where another format's number needs it."""
    try:
        return tensor_header("float32", shape) + struct.pack(f"<{len(items)}f", *items)
    except OverflowError:
        return tensor_header("float64", shape) + struct.pack(f"<{len(items)}d", *items)


def _string(item: object) -> bytes:
    assert isinstance(item, bytes)
    return len(item).to_bytes(8, "little") + item
