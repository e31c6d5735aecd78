"""Datatypes and dataspaces. (IV.A.2.b, IV.A.2.d)"""

from typing import NamedTuple

from gitops_model.errors import BadFile, Problem
from gitops_model.readers.hdf5.file import File, u16, u32


class Datatype(NamedTuple):
    """`dtype` is our name, or "text" (fixed length), "vlen text", or "" with `what` saying what it is instead."""

    dtype: str
    itemsize: int
    big: bool
    what: str = ""


FLOATS = {(2, 5, 10): "float16", (4, 8, 23): "float32", (8, 11, 52): "float64", (2, 8, 7): "bfloat16"}
"""(bytes, exponent bits, mantissa bits) → our name."""


def datatype(data: bytes) -> Datatype:
    """The type that the message says. Records, references and the like get a `what` and no dtype."""
    if len(data) < 8:
        raise BadFile(Problem("GM002", "an HDF5 datatype is cut"))
    kind, bits, size = data[0] & 0x0F, data[1], u32(data, 4)
    big = bool(bits & 1)
    if kind == 0 and size in (1, 2, 4, 8):
        precision = u16(data, 10)
        if precision == size * 8:
            return Datatype(f"{'int' if bits & 8 else 'uint'}{size * 8}", size, big)
    if kind == 1 and len(data) >= 20:
        name = FLOATS.get((size, data[13], data[15]))
        if name and not bits & 0x40:
            return Datatype(name, size, big)
    if kind == 3:
        return Datatype("text", size, big=False)
    if kind == 6:
        return compound(data, size)
    if kind == 8:
        base = datatype(data[8:])
        if base.itemsize == 1 and b"FALSE\0" in data and b"TRUE\0" in data:
            return base._replace(dtype="bool")  # as h5py stores NumPy's bool
        return base
    if kind == 9 and bits & 0x0F == 1:
        return Datatype("vlen text", size, big=False)
    names = {0: "odd integers", 1: "odd floats", 2: "times", 4: "bit fields", 5: "opaque bytes", 7: "references"}
    names |= {9: "sequences of varying length", 10: "fixed arrays"}
    return Datatype("", size, big=False, what=names.get(kind, f"type class {kind}"))


def compound(data: bytes, size: int) -> Datatype:
    """Two equal floats named r and i are a complex number, as h5py and PyTables store them."""
    version, count = data[0] >> 4, u16(data, 1)
    half = {8: "complex64", 16: "complex128"}.get(size)
    names: list[bytes] = []
    at = 8
    if half and count == 2 and version >= 1:
        member = None
        for _ in range(2):
            end = data.find(b"\0", at)
            if end < 0:
                break
            names.append(data[at:end])
            at = at + (end - at) // 8 * 8 + 8 if version < 3 else end + 1
            at += {1: 4 + 28, 2: 4}.get(version, 1)  # version 3 and up: a one-byte offset, for records this small
            member = datatype(data[at : at + 20])
            at += 20
        if names == [b"r", b"i"] and member is not None and member.dtype in ("float32", "float64"):
            return Datatype(half, size, member.big)
    return Datatype("", size, big=False, what="records")


def limits(file: File, data: bytes) -> tuple[int, ...] | None:
    """The largest dims that the dataset may grow to (UNDEFINED: no limit); None where they are the present ones."""
    version, rank, flags = data[0], data[1], data[2]
    if not flags & 1:
        return None
    at = (8 if version == 1 else 4) + rank * file.length_size
    return tuple(file.number(data, at + i * file.length_size, file.length_size) for i in range(rank))


def dataspace(file: File, data: bytes) -> tuple[int, ...] | None:
    """The dims; None for a null dataspace."""
    if len(data) < 4:
        raise BadFile(Problem("GM002", "an HDF5 dataspace is cut"))
    version, rank = data[0], data[1]
    if version not in (1, 2) or rank > 32:
        raise BadFile(Problem("GM002", f"an HDF5 dataspace of version {version} and rank {rank}"))
    if version == 2 and data[3] == 2:
        return None
    at = 8 if version == 1 else 4
    if at + rank * file.length_size > len(data):
        raise BadFile(Problem("GM002", "an HDF5 dataspace is cut"))
    dims = tuple(file.length(data, at + i * file.length_size) for i in range(rank))
    if any(dim >= 1 << 62 for dim in dims):
        raise BadFile(Problem("GM002", "an HDF5 dataspace has a dimension without end"))
    return dims
