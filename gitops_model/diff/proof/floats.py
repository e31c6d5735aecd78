"""Values of attributes, packed so that equal bits compare equal: NaN is itself, and -0.0 is not 0.0."""

import struct
from typing import Any, cast

from gitops_model.diff.proof.table import list_of
from gitops_model.ir import OtherType


def packed(value: object) -> Any:
    """A hashable form: floats by their float32 bytes (as the file stores them), texts as bytes."""
    if isinstance(value, float):
        return pack_float(value)
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, OtherType):
        return ("type", value.text)
    if isinstance(value, (list, tuple)):
        return tuple(packed(item) for item in list_of(cast("object", value)))
    return value if isinstance(value, (int, bytes)) else repr(value)


MOST_LOST = 2.0**-7
"""Share of a number that may be lost where it is written in the type of what it meets: 1e-12 is no float16."""


def as_type(dtype: str, value: float) -> bytes | None:
    """A number's bytes in a type of floats; None in another type, and where too much of it would be lost."""
    layout = {"float32": "<f", "float64": "<d", "float16": "<e"}.get(dtype)
    if layout is None:
        return None
    try:
        raw = struct.pack(layout, value)
    except OverflowError:
        return None
    return None if abs(struct.unpack(layout, raw)[0] - value) > abs(value) * MOST_LOST else raw


def pack_float(value: float) -> tuple[str, bytes]:
    try:
        return ("float", struct.pack("<f", value))
    except OverflowError:
        return ("double", struct.pack("<d", value))


def unpack_float(value: Any, default: float = 0.0) -> float:
    """The number that `pack_float` packed; `default` where there is none. Raises TypeError for anything else."""
    if value is None:
        return default
    kind, raw = value
    return struct.unpack("<f" if kind == "float" else "<d", raw)[0]
