"""Numbers in attributes, packed so that equal bits compare equal: NaN is itself, and -0.0 is not 0.0."""

import struct
from typing import Any


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
