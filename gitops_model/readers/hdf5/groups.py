"""Groups: the named links to other objects, in each of the forms that HDF5 has had. (III.A-III.G, IV.A.2.g)"""

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import NamedTuple

from gitops_model.errors import BadFile, Problem
from gitops_model.readers.hdf5.file import UNDEFINED, File, u16
from gitops_model.readers.hdf5.fractal_heap import FractalHeap
from gitops_model.readers.hdf5.header import LINK, LINK_INFO, SYMBOLS, Message

LIMIT_DEPTH = 32

GROUPS = frozenset((SYMBOLS, LINK_INFO, LINK))
"""The messages that only a group has."""


ENTRY = Struct("<QQB23x")
"""A symbol with addresses of eight bytes: where its name is in the heap, its object header, its kind of cache."""


class Link(NamedTuple):
    """A hard link: `address` is an object header. Soft links are other names of the same file and left out."""

    name: str
    address: int


def links(file: File, found: list[Message]) -> Iterator[Link]:
    """The links of the group with these messages. GM601 for a link to another file."""
    for message in found:
        if message.kind == SYMBOLS:
            yield from symbol_table(file, message.data)
        elif message.kind == LINK:
            link = link_message(file, message.data)
            if link is not None:
                yield link
        elif message.kind == LINK_INFO:
            yield from dense(file, message.data)


def is_group(found: list[Message]) -> bool:
    return not GROUPS.isdisjoint([message.kind for message in found])


def symbol_table(file: File, data: bytes) -> Iterator[Link]:
    """The old form: a B-tree (version 1) of symbol nodes, names in a local heap."""
    tree, heap = file.offset(data, 0), file.offset(data, file.offset_size)
    head = file.signed(heap, 8 + 2 * file.length_size + file.offset_size, b"HEAP")
    size = file.length(head, 8)
    names = file.at(file.offset(head, 8 + 2 * file.length_size), size)
    for node in leaves(file, tree, 0, set()):
        yield from symbols(file, node, names)


def leaves(file: File, address: int, depth: int, seen: set[int]) -> Iterator[int]:
    """Addresses of the symbol nodes below a B-tree node, in order."""
    if depth > LIMIT_DEPTH or address in seen:
        raise BadFile(Problem("GM002", "a B-tree of the HDF5 file runs in circles"))
    seen.add(address)
    head = file.signed(address, 8, b"TREE")
    kind, level, used = head[4], head[5], u16(head, 6)
    if kind != 0:
        raise BadFile(Problem("GM002", "a group of the HDF5 file has a tree of chunks"))
    step = file.length_size + file.offset_size
    body = file.at(address + 8 + 2 * file.offset_size, file.length_size + used * step)
    for index in range(used):
        child = file.offset(body, file.length_size + index * step)
        if level:
            yield from leaves(file, child, depth + 1, seen)
        else:
            yield child


def symbols(file: File, address: int, names: bytes) -> Iterator[Link]:
    head = file.signed(address, 8, b"SNOD")
    count = u16(head, 6)
    size = 2 * file.offset_size + 24
    body = file.at(address + 8, count * size)
    rows: Iterable[tuple[int, int, int]]
    if file.offset_size == 8:
        rows = ENTRY.iter_unpack(body)
    else:
        width = file.offset_size
        rows = (
            (file.offset(body, at), file.offset(body, at + width), body[at + 2 * width])
            for at in range(0, count * size, size)
        )
    for name_at, place, cache in rows:
        end = names.find(b"\0", name_at)
        if name_at >= len(names) or end < 0:
            raise BadFile(Problem("GM002", "a name in an HDF5 group lies outside its heap"))
        if cache != 2:  # 2: a soft link
            yield Link(names[name_at:end].decode("utf-8", "backslashreplace"), place)


def link_message(file: File, data: bytes) -> Link | None:
    """A link in the new form. (IV.A.2.g)"""
    if len(data) < 4 or data[0] != 1:
        raise BadFile(Problem("GM002", "a link of the HDF5 file is damaged"))
    flags = data[1]
    at = 2
    kind = 0
    if flags & 0x08:
        kind, at = data[at], at + 1
    at += (8 if flags & 0x04 else 0) + (1 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    length = int.from_bytes(data[at : at + width], "little")
    at += width
    raw = data[at : at + length]
    if len(raw) != length:
        raise BadFile(Problem("GM002", "a link of the HDF5 file is cut"))
    name = raw.decode("utf-8", "backslashreplace")
    if kind == 0:
        return Link(name, file.offset(data, at + length))
    if kind == 64:
        raise BadFile(
            Problem("GM601", f"the HDF5 link {name!r} leads to another file", hint="gitops-model explain GM601")
        )
    return None


def dense(file: File, data: bytes) -> Iterator[Link]:
    """Many links: messages in a fractal heap, in the order of a B-tree (version 2) by name."""
    at = 2 + (8 if data[1] & 1 else 0)
    heap_address, tree = file.offset(data, at), file.offset(data, at + file.offset_size)
    if UNDEFINED in (heap_address, tree):
        return
    heap = FractalHeap(file, heap_address)
    for record in records(file, tree):
        link = link_message(file, heap.object(record[4:]))
        if link is not None:
            yield link


def records(file: File, address: int) -> Iterator[bytes]:
    """The records of a B-tree, version 2. (III.A.2)"""
    head = file.signed(address, 22 + file.offset_size + 2 + file.length_size + 4, b"BTHD")
    node_size, record_size, depth = int.from_bytes(head[6:10], "little"), u16(head, 10), u16(head, 12)
    root, count = file.offset(head, 16), u16(head, 16 + file.offset_size)
    if root == UNDEFINED:
        return
    if depth > LIMIT_DEPTH or record_size < 5 or node_size < 16:
        raise BadFile(Problem("GM002", "a B-tree of the HDF5 file is damaged"))
    yield from node_records(file, root, count, depth, (node_size, record_size))


def node_records(file: File, address: int, count: int, depth: int, sizes: tuple[int, int]) -> Iterator[bytes]:
    node_size, record_size = sizes
    block = file.signed(address, node_size, b"BTIN" if depth else b"BTLF")
    if 6 + count * record_size > node_size:
        raise BadFile(Problem("GM002", "a B-tree node of the HDF5 file holds more than fits"))
    own = [block[6 + i * record_size : 6 + (i + 1) * record_size] for i in range(count)]
    if not depth:
        yield from own
        return
    # Child pointers: address, number of records, and (above level 1) the total below. Widths after III.A.2:
    # as many bytes as the largest possible count needs.
    most = (node_size - 10) // record_size
    width = (most.bit_length() + 7) // 8
    total_width = 0
    if depth > 1:
        total = most
        for _ in range(depth - 1):
            pointer = file.offset_size + width + total_width
            inner = (node_size - 10 - pointer) // (record_size + pointer)
            total = (inner + 1) * total + inner
            total_width = (total.bit_length() + 7) // 8
    pointer = file.offset_size + width + total_width
    at = 6 + count * record_size
    for index in range(count + 1):
        child = file.offset(block, at)
        child_count = int.from_bytes(block[at + file.offset_size : at + file.offset_size + width], "little")
        yield from node_records(file, child, child_count, depth - 1, sizes)
        if index < count:
            yield own[index]
        at += pointer
