"""Constant nodes as weights: every way in which the operator (opset 1, 11, 12) can hold its value."""

import struct
from typing import cast

from gitops_model.ir import Attribute, Inline, Tensor

LISTS = {"value_ints": "ints", "value_floats": "floats", "value_string": "string"}
"""The values that may be too long to be held, and the kind that they must have."""


def constant_of(name: str, attribute: Attribute) -> Tensor | None:
    """The tensor that a Constant node makes of this attribute; None where it is not one that holds the value.

    Tensors keep their place in the file; numbers and strings are few or small and are written out.
    """
    value = attribute.value
    if isinstance(value, Tensor):
        if attribute.name in ("value", "sparse_value"):
            return value
        return value._replace(name=name) if LISTS.get(attribute.name) == attribute.kind else None
    if attribute.name == "value_int" and attribute.kind == "int":
        return Tensor(name, "int64", (), Inline(struct.pack("<q", value)), 8)
    if attribute.name == "value_float" and attribute.kind == "float":
        return Tensor(name, "float32", (), Inline(struct.pack("<f", value)), 4)
    if attribute.name == "value_string" and attribute.kind == "string":
        data = canonical((cast(bytes, value),))
        return Tensor(name, "string", (), Inline(data), len(data))
    if attribute.name == "value_ints" and attribute.kind == "ints":
        ints = cast(tuple[int, ...], value)
        return Tensor(name, "int64", (len(ints),), Inline(struct.pack(f"<{len(ints)}q", *ints)), 8 * len(ints))
    if attribute.name == "value_floats" and attribute.kind == "floats":
        floats = cast(tuple[float, ...], value)
        return Tensor(
            name, "float32", (len(floats),), Inline(struct.pack(f"<{len(floats)}f", *floats)), 4 * len(floats)
        )
    if attribute.name == "value_strings" and attribute.kind == "strings":
        strings = cast(tuple[bytes, ...], value)
        data = canonical(strings)
        return Tensor(name, "string", (len(strings),), Inline(data), len(data))
    return None


def canonical(strings: tuple[bytes, ...]) -> bytes:
    """u64-LE length and the bytes, one after another."""
    return b"".join(struct.pack("<Q", len(text)) + text for text in strings)
