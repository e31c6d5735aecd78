"""GGUF metadata: typed key-value pairs, shown as text; long arrays by count and digest."""

from gitops_model.errors import BadFile, Problem
from gitops_model.readers.cursor import Cursor

SCALARS: dict[int, tuple[str, int]] = {
    0: ("B", 1), 1: ("b", 1), 2: ("H", 2), 3: ("h", 2), 4: ("I", 4), 5: ("i", 4), 6: ("f", 4), 7: ("?", 1),
    10: ("Q", 8), 11: ("q", 8), 12: ("d", 8),
}  # fmt: skip
"""Value type → struct code and size (gguf_metadata_value_type)."""

NAMES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "bool", "string", "array", "uint64", "int64")
STRING, ARRAY = 8, 9

LIMIT_TEXT = 16 * 1024 * 1024
LIMIT_DEPTH = 4
SHORT = 16
"""Arrays up to this length are shown item by item."""


class Values:
    """The metadata: `texts` for showing, `integer(key)` for the few keys that the reader itself needs."""

    def __init__(self, cursor: Cursor, count: int) -> None:
        self.texts: dict[str, str] = {}
        self._integers: dict[str, int] = {}
        for _ in range(count):
            key = read_text(cursor, "a metadata key", 65535)
            if key in self.texts:
                raise BadFile(Problem("GM002", f"metadata key {key!r} stands twice"))
            kind = cursor.u32()
            if kind == STRING:
                self.texts[key] = read_text(cursor, f"metadata {key!r}", LIMIT_TEXT)
            elif kind == ARRAY:
                self.texts[key] = read_array(cursor, key, 0)
            else:
                value = read_scalar(cursor, kind, key)
                self.texts[key] = str(value).lower() if isinstance(value, bool) else repr(value)
                if isinstance(value, int):
                    self._integers[key] = value

    def integer(self, key: str) -> int | None:
        return self._integers.get(key)


def read_scalar(cursor: Cursor, kind: int, key: str) -> int | float:
    if kind not in SCALARS:
        raise BadFile(Problem("GM002", f"metadata {key!r} has value type {kind}, which GGUF does not know"))
    return cursor.number(*SCALARS[kind])


def read_text(cursor: Cursor, what: str, limit: int) -> str:
    length = cursor.u64()
    if length > limit:
        cursor.skip(length)  # a length that the file does not hold is the truer finding
        raise BadFile(Problem("GM005", f"{what} has {length} bytes, the limit is {limit}"))
    return cursor.take(length).decode("utf-8", "backslashreplace")


def read_array(cursor: Cursor, key: str, depth: int) -> str:
    """The items of a short array; of a long one the count, the type and the BLAKE3 of its bytes in the file."""
    kind, count = cursor.u32(), cursor.u64()
    if depth > LIMIT_DEPTH:
        raise BadFile(Problem("GM005", f"metadata {key!r} nests arrays more than {LIMIT_DEPTH} deep"))
    smallest = {STRING: 8, ARRAY: 12}.get(kind) or SCALARS.get(kind, ("", 0))[1]
    if not smallest:
        raise BadFile(Problem("GM002", f"metadata {key!r} is an array of value type {kind}, which GGUF does not know"))
    if cursor.offset + count * smallest > cursor.blob.size:
        raise BadFile(cursor.blob.truncated(cursor.offset, count * smallest))
    if count <= SHORT:
        if kind == STRING:
            return repr([read_text(cursor, f"an item of {key!r}", LIMIT_TEXT) for _ in range(count)])
        if kind == ARRAY:
            return f"[{', '.join(read_array(cursor, key, depth + 1) for _ in range(count))}]"
        return repr([read_scalar(cursor, kind, key) for _ in range(count)])
    begin = cursor.offset
    if kind == STRING:
        for _ in range(count):
            cursor.skip(cursor.u64())
    elif kind == ARRAY:
        for _ in range(count):
            read_array(cursor, key, depth + 1)
    else:
        cursor.skip(count * smallest)
    return f"{count} x {NAMES[kind] if kind < len(NAMES) else 'float64'}, blake3:{digest(cursor, begin)}"


def digest(cursor: Cursor, begin: int) -> str:
    from blake3 import blake3

    hasher = blake3()
    for window in cursor.blob.windows(begin, cursor.offset - begin):
        hasher.update(window)
    return hasher.hexdigest(16)
