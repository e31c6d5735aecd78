"""Protobuf's wire format, written by hand: for files that no serialiser would write, and for those that any may."""

import random
import struct
from collections.abc import Iterable

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

VARINT, FIXED64, LEN, FIXED32 = 0, 1, 2, 5


def varint(value: int, *, padding: int = 0) -> bytes:
    """A number of 64 bits; `padding` more bytes than it needs (allowed up to 10)."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    for _ in range(padding):
        out[-1] |= 0x80
        out.append(0)
    return bytes(out)


def tag(field: int, kind: int) -> bytes:
    return varint(field << 3 | kind)


def number(field: int, value: int) -> bytes:
    return tag(field, VARINT) + varint(value)


def message(field: int, *content: bytes | str, length: int | None = None) -> bytes:
    """A length-delimited field; `length` is what it claims instead of the truth."""
    data = b"".join(part.encode() if isinstance(part, str) else part for part in content)
    return tag(field, LEN) + varint(len(data) if length is None else length) + data


def fixed32(field: int, value: float) -> bytes:
    return tag(field, FIXED32) + struct.pack("<f", value)


# --- the same message, written in another way -----------------------------------------------------------------------
def scrambled(original: Message, source: random.Random) -> bytes:
    """Bytes that parse to the same message: other order, split messages, unknown fields, overwritten scalars.

    Only fields of different numbers change places: within a repeated field the order is the value.
    """
    queues: list[list[bytes]] = []
    for field, value in original.ListFields():
        queues.append(list(_records(field, value, source)))
    queues.append([_unknown(source) for _ in range(source.choice((0, 0, 1, 2)))])
    out: list[bytes] = []
    while queues := [queue for queue in queues if queue]:
        out.append(source.choice(queues).pop(0))
    return b"".join(out)


def _records(field: FieldDescriptor, value: object, source: random.Random) -> Iterable[bytes]:
    if field.is_repeated:
        values = list(value)  # type: ignore[call-overload]
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for item in values:
                yield message(field.number, scrambled(item, source))
        elif field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
            for item in values:
                yield message(field.number, item)
        else:
            yield from _list(field, values, source)
        return
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        assert isinstance(value, Message)
        yield from _split(field, value, source)
    elif field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
        if source.random() < 0.2 and field.containing_oneof is None:
            yield message(field.number, "decoy")
        yield message(field.number, value)  # type: ignore[arg-type]
    else:
        if source.random() < 0.2 and field.containing_oneof is None:
            yield _tagged(field, 3)
        yield _tagged(field, value)


def _split(field: FieldDescriptor, value: Message, source: random.Random) -> Iterable[bytes]:
    """A message in one piece, or in two that parsers merge."""
    if source.random() < 0.6 or any(item.containing_oneof for item in value.DESCRIPTOR.fields):
        yield message(field.number, scrambled(value, source))
        return
    first, second = type(value)(), type(value)()
    for item, content in value.ListFields():
        half = source.choice((first, second))
        if item.is_repeated:
            getattr(half, item.name).extend(content)
        elif item.type == FieldDescriptor.TYPE_MESSAGE:
            getattr(half, item.name).CopyFrom(content)
        else:
            setattr(half, item.name, content)
    yield message(field.number, scrambled(first, source))
    yield message(field.number, scrambled(second, source))


def _list(field: FieldDescriptor, values: list[object], source: random.Random) -> Iterable[bytes]:
    """Numbers: single fields, packed pieces, or a mixture."""
    while values:
        count = source.randint(1, len(values))
        piece, values = values[:count], values[count:]
        if source.random() < 0.5:
            yield message(field.number, b"".join(_scalar(field, value, source) for value in piece))
        else:
            for value in piece:
                yield _tagged(field, value)


def _tagged(field: FieldDescriptor, value: object) -> bytes:
    data = _scalar(field, value)
    kind = {FieldDescriptor.TYPE_FLOAT: FIXED32, FieldDescriptor.TYPE_DOUBLE: FIXED64}.get(field.type, VARINT)
    return tag(field.number, kind) + data


def _scalar(field: FieldDescriptor, value: object, source: random.Random | None = None) -> bytes:
    if field.type == FieldDescriptor.TYPE_FLOAT:
        return struct.pack("<f", value)
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return struct.pack("<d", value)
    assert isinstance(value, int)
    data = varint(value)
    padding = source.randint(0, 10 - len(data)) if source is not None and source.random() < 0.1 else 0
    return varint(value, padding=padding)


def _unknown(source: random.Random) -> bytes:
    field = source.randint(200, 5000)
    return source.choice(
        (
            number(field, source.getrandbits(64)),
            message(field, source.randbytes(source.randint(0, 200))),
            tag(field, FIXED32) + source.randbytes(4),
            tag(field, FIXED64) + source.randbytes(8),
        )
    )
