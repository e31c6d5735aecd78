"""Every dataset of a file with its path, as tensors."""

from math import prod

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Chunked, Inline, Locator, Span, Swapped, Tensor
from gitops_model.readers.hdf5.attributes import attributes
from gitops_model.readers.hdf5.file import UNDEFINED, File, u32
from gitops_model.readers.hdf5.groups import is_group, links
from gitops_model.readers.hdf5.header import (
    DATASPACE,
    DATATYPE,
    EXTERNAL,
    FILL,
    FILTERS,
    LAYOUT,
    Message,
    messages,
    shared,
)
from gitops_model.readers.hdf5.layout import Dataset, filters, locate
from gitops_model.readers.hdf5.types import dataspace, datatype, limits

LIMIT_OBJECTS = 500_000
LIMIT_DEPTH = 64

FREE_BYTES = 64 * 1024 * 1024
LARGEST_RATIO = 1100
"""A dataset may claim this many times what it stores (deflate gives at most 1032): more is a bomb."""


def datasets(file: File) -> tuple[list[Tensor], dict[str, str | list[str]], dict[str, str]]:
    """(tensors by path in the order of the groups, attributes of the root, what else there is and is not compared)."""
    tensors: list[Tensor] = []
    others: dict[str, str] = {}
    root = messages(file, file.root)
    stack: list[tuple[str, int, frozenset[int]]] = [("", file.root, frozenset())]
    count = 0
    while stack:
        path, address, above = stack.pop()
        count += 1
        if count > LIMIT_OBJECTS or len(above) > LIMIT_DEPTH:
            raise BadFile(Problem("GM005", "the groups of the HDF5 file are nested or shared without end"))
        if address in above:
            continue  # a hard link to a group above: the way back, not more data
        found = root if address == file.root else messages(file, address)
        if is_group(found):
            below = [
                (f"{path}/{link.name}" if path else link.name, link.address, above | {address})
                for link in links(file, found)
                if link.address != UNDEFINED
            ]
            stack.extend(reversed(below))
        else:
            tensor = dataset(file, path, found, others)
            if tensor is not None:
                tensors.append(tensor)
    return tensors, attributes(file, root), others


def dataset(file: File, path: str, found: list[Message], others: dict[str, str]) -> Tensor | None:
    """The tensor that an object is; None for a dataset without numbers (texts, references) and for other objects."""
    kinds = {message.kind: message for message in found}
    if LAYOUT not in kinds or DATATYPE not in kinds or DATASPACE not in kinds:
        return None
    if EXTERNAL in kinds:
        raise BadFile(
            Problem("GM601", f"dataset {path!r} keeps its values in another file", hint="gitops-model explain GM601")
        )
    kind = datatype(shared(file, kinds[DATATYPE]))
    dims = dataspace(file, shared(file, kinds[DATASPACE]))
    if dims is None:
        return None
    if kind.dtype in ("", "text", "vlen text"):
        others[f"not compared/{path}"] = kind.what or "texts"
        return None
    filter_names = filters(shared(file, kinds[FILTERS])) if FILTERS in kinds else ()
    fill = fill_value(shared(file, kinds[FILL]), kind.itemsize) if FILL in kinds else bytes(kind.itemsize)
    nbytes = prod(dims) * kind.itemsize
    bounds = limits(file, shared(file, kinds[DATASPACE]))
    data: Locator = locate(file, kinds[LAYOUT].data, Dataset(dims, kind.itemsize, fill, filter_names, bounds))
    stored = stored_bytes(data)
    if nbytes > max(FREE_BYTES, LARGEST_RATIO * stored):
        raise BadFile(Problem("GM005", f"dataset {path!r} claims {nbytes} bytes and stores {stored}"))
    unit = kind.itemsize // 2 if kind.dtype.startswith("complex") else kind.itemsize
    if kind.big and unit > 1 and nbytes:
        data = Swapped(data, unit)
    return Tensor(path, kind.dtype, dims, data, nbytes)


def stored_bytes(data: Locator) -> int:
    if isinstance(data, Span):
        return data.length
    if isinstance(data, Inline):
        return len(data.value)
    return sum(chunk.packed.length for chunk in data.chunks) if isinstance(data, Chunked) else 0


def fill_value(data: bytes, itemsize: int) -> bytes:
    """The element for places that were never written; zeros where none is set. (IV.A.2.f)"""
    zeros = bytes(itemsize)
    if len(data) < 4:
        return zeros
    if data[0] in (1, 2):
        if data[0] == 2 and not data[3]:
            return zeros
        at = 4
    elif data[0] == 3:
        if not data[1] & 0x20:
            return zeros
        at = 2
    else:
        return zeros
    value = data[at + 4 : at + 4 + u32(data, at)] if len(data) >= at + 4 else b""
    return value if len(value) == itemsize else zeros
