"""Object headers: the messages that say what an object is. (IV.A)"""

from struct import Struct
from typing import NamedTuple

from gitops_model.errors import BadFile, Problem
from gitops_model.readers.hdf5.file import File, u16, u32

DATASPACE, LINK_INFO, DATATYPE, FILL, LINK, EXTERNAL, LAYOUT = 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x08
FILTERS, ATTRIBUTE, CONTINUATION, SYMBOLS, ATTRIBUTE_INFO = 0x0B, 0x0C, 0x10, 0x11, 0x15

SHARED = 0x02
LIMIT_MESSAGES = 100_000


FIELDS = Struct("<HHB").unpack_from
"""Of a message in the old form: kind, length, flags."""


class Message(NamedTuple):
    kind: int
    flags: int
    data: bytes


def messages(file: File, address: int) -> list[Message]:
    """All messages of the object header at `address`, continuation blocks included."""
    head = file.at(address, min(16, max(4, file.size - address)))
    if head[:4] == b"OHDR":
        return version2(file, address)
    return version1(file, address, head if len(head) == 16 else file.at(address, 16))


def version1(file: File, address: int, head: bytes) -> list[Message]:
    if head[0] != 1:
        raise BadFile(Problem("GM002", f"no object header at address {address} of the HDF5 file"))
    count = u16(head, 2)
    blocks = [(address + 16, u32(head, 8))]
    found: list[Message] = []
    seen = {address + 16}
    while blocks and len(found) < count:
        start, size = blocks.pop(0)
        block = file.at(start, size)
        at = 0
        room = len(block)
        while at + 8 <= room and len(found) < count:
            kind, length, flags = FIELDS(block, at)
            at += 8
            if at + length > room:
                raise BadFile(Problem("GM002", "a message of an HDF5 object header is cut"))
            data = block[at : at + length]
            at += length
            found.append(Message(kind, flags, data))
            if kind == CONTINUATION:
                follow(file, data, blocks, seen)
    return found


def version2(file: File, address: int) -> list[Message]:
    head = file.at(address, 6)
    flags = head[5]
    at = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = int.from_bytes(file.at(at, width), "little")
    blocks = [(at + width, size)]
    found: list[Message] = []
    seen = {at + width}
    first = True
    extra = 2 if flags & 0x04 else 0
    while blocks:
        start, size = blocks.pop(0)
        block = file.at(start, size)
        if not first:
            if block[:4] != b"OCHK":
                raise BadFile(Problem("GM002", f"no OCHK block at address {start} of the HDF5 file"))
            block = block[4:-4]
        first = False
        at = 0
        while at + 4 + extra <= len(block):
            kind, length, message_flags = block[at], u16(block, at + 1), block[at + 3]
            at += 4 + extra
            data = block[at : at + length]
            if len(data) != length:
                raise BadFile(Problem("GM002", "a message of an HDF5 object header is cut"))
            found.append(Message(kind, message_flags, data))
            if len(found) > LIMIT_MESSAGES:
                raise BadFile(Problem("GM005", "an HDF5 object header has too many messages"))
            if kind == CONTINUATION:
                follow(file, data, blocks, seen)
            at += length
    return found


def follow(file: File, data: bytes, blocks: list[tuple[int, int]], seen: set[int]) -> None:
    place, size = file.offset(data, 0), file.length(data, file.offset_size)
    if place in seen:
        raise BadFile(Problem("GM002", "an HDF5 object header continues in itself"))
    seen.add(place)
    blocks.append((place, size))


def shared(file: File, message: Message) -> bytes:
    """The data of a message, fetched from where it is shared (a committed datatype). (IV.A.2)"""
    if not message.flags & SHARED:
        return message.data
    version, kind = message.data[0], message.data[1]
    if version == 3 and kind == 1:
        raise BadFile(Problem("GM009", "an HDF5 message in the shared message heap is not read"))
    address = file.offset(message.data, 8 if version == 1 else 2)
    for other in messages(file, address):
        if other.kind == message.kind and not other.flags & SHARED:
            return other.data
    raise BadFile(Problem("GM002", "a shared HDF5 message is not where it should be"))
