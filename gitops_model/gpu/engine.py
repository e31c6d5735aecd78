"""Recognises a TensorRT engine. What is inside is not documented, so it stays opaque.

A serialised engine begins with `ptrt` (or `ftrt` before TensorRT 6); Ultralytics writes a u32 length and that many
bytes of JSON before it (lutzroeder/netron source/tensorrt.js, 0126fa8c, read 2026-11-24). The number behind the mark is
that of the serialisation, for which there is no public table of versions. The compute capability and the TensorRT
version that an engine is bound to must be stated.
"""

import json
import struct
from typing import NamedTuple, cast

from gitops_model.gpu.part import Bytes

MARKS = (b"ptrt", b"ftrt")
MAX_METADATA = 1 << 20


class Engine(NamedTuple):
    """`serialization` is the number behind the mark; `metadata` what an exporter wrote before it, as texts."""

    serialization: int
    metadata: dict[str, str]


def find_engine(file: Bytes) -> Engine | None:
    """The engine in a file, or None when it has no mark of one."""
    head = file.read(0, min(8, file.size))
    if len(head) < 8:
        return None
    if head[:4] in MARKS:
        return Engine(struct.unpack_from("<I", head, 4)[0], {})
    (length,) = struct.unpack_from("<I", head)
    if head[4:5] != b"{" or length > MAX_METADATA or 4 + length + 8 > file.size:
        return None
    behind = file.read(4 + length, 8)
    if behind[:4] not in MARKS:
        return None
    try:
        value = cast(object, json.loads(file.read(4, length)))
    except (ValueError, RecursionError):
        value = None
    row = cast(dict[str, object], value) if isinstance(value, dict) else {}
    return Engine(
        struct.unpack_from("<I", behind, 4)[0],
        {name: item for name, item in row.items() if isinstance(item, str)},
    )
