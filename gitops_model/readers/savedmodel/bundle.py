"""Variables: a tensor bundle, `PREFIX.index` (a sorted string table) and its `PREFIX.data-NNNNN-of-NNNNN` shards.

Table layout: tensorflow/core/lib/io (format.cc, block.cc), LevelDB's; entries: protobuf/tensor_bundle.proto.
"""

from collections.abc import Iterator
from math import prod

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Locator, Span, Swapped, Tensor
from gitops_model.readers.protobuf import VARINT, Wire, varint
from gitops_model.readers.savedmodel.protos import dtype_of, shape_of, tag

MAGIC = bytes.fromhex("57fb808b247547db")
"""The last eight bytes of a table: 0xdb4775248b80fb57, little endian."""

LIMIT_BLOCK = 64 * 1024 * 1024
LIMIT_KEYS = 2_000_000

SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def variables(blob: Blob, folder: str) -> tuple[list[Tensor], list[str]]:
    """(tensors, names of the shards they lie in). `folder` is where the shards are, relative to the model."""
    stem = blob.path.rpartition("/")[2].removesuffix(".index")
    tensors: list[Tensor] = []
    shards = 1
    swapped = False
    used: set[int] = set()
    for key, value in table(blob):
        entry = Blob.of_bytes(blob.path, value)
        try:
            if not key:
                shards, swapped = header(entry)
                continue
            found = variable(entry, key, swapped=swapped)
        except BadFile as error:
            message = f"entry {key!r} of the variables: {error.problem.message}"
            raise BadFile(Problem("GM002", message)) from error
        if found is None:
            continue
        tensor, shard = found
        if shard >= shards:
            raise BadFile(Problem("GM002", f"variable {key!r} lies in shard {shard} of {shards}"))
        used.add(shard)
        name = f"{folder}{stem}.data-{shard:05}-of-{shards:05}"
        tensors.append(tensor._replace(data=relocate(tensor.data, name)))
    return tensors, [f"{folder}{stem}.data-{shard:05}-of-{shards:05}" for shard in sorted(used)]


def relocate(data: Locator, file: str) -> Locator:
    if isinstance(data, Swapped):
        return data._replace(base=relocate(data.base, file))
    return data._replace(file=file) if isinstance(data, Span) else data


def header(entry: Blob) -> tuple[int, bool]:
    """BundleHeaderProto: number of shards, big endian."""
    shards, big = 1, False
    for name, value, _ in Wire(entry).fields(0, entry.size, "BundleHeaderProto", root=True):
        if name == tag(1, VARINT):
            shards = value
        elif name == tag(2, VARINT):
            big = value == 1
    if not 0 < shards <= 99999:
        raise BadFile(Problem("GM002", f"a bundle of {shards} shards"))
    return shards, big


def variable(entry: Blob, key: str, *, swapped: bool) -> tuple[Tensor, int] | None:
    """BundleEntryProto: the tensor and its shard; None for texts (the object graph) and for slices."""
    wire = Wire(entry)
    number, dims, shard, offset, size, sliced = 0, (), 0, 0, 0, False
    for name, first, behind in wire.fields(0, entry.size, "BundleEntryProto", root=True):
        if name == tag(1, VARINT):
            number = first
        elif name == tag(2):
            dims = shape_of(wire, first, behind)
        elif name == tag(3, VARINT):
            shard = first
        elif name == tag(4, VARINT):
            offset = first
        elif name == tag(5, VARINT):
            size = first
        elif name == tag(7):
            sliced = True
    dtype, itemsize = dtype_of(number)
    if sliced:
        raise BadFile(Problem("GM009", "a partitioned variable is not read"))
    if not itemsize:
        return None
    if dims is None or any(dim < 0 for dim in dims) or prod(dims) * itemsize != size:
        raise BadFile(Problem("GM002", f"a variable of shape {dims and list(dims)} and type {dtype} has {size} bytes"))
    data: Locator = Span(offset, size)
    unit = itemsize // 2 if dtype.startswith("complex") else itemsize
    if swapped and unit > 1:
        data = Swapped(data, unit)
    name = key.removesuffix(SUFFIX)
    group = "optimizer" if name.startswith(("optimizer/", "_optimizer/")) or "/.OPTIMIZER_SLOT/" in key else ""
    return Tensor(name, dtype, dims, data, size, group), shard


def table(blob: Blob) -> Iterator[tuple[str, bytes]]:
    """Every key with its value, in order. Raises BadFile GM001 (no footer: cut short), GM002, GM009 (compressed)."""
    if blob.size < 48 or blob.read(blob.size - 8, 8) != MAGIC:
        raise BadFile(Problem("GM001", "the index of the variables has no footer: it is cut short, or no index"))
    footer = blob.read(blob.size - 48, 48)
    at = 0
    try:
        for _ in range(2):  # the handle of the meta index block, which is empty
            _, at = varint(footer, at)
        offset, at = varint(footer, at)
        size, at = varint(footer, at)
    except (IndexError, ValueError) as error:
        raise BadFile(Problem("GM002", "the index of the variables has a damaged footer")) from error
    count = 0
    for _, handle in block(blob, offset, size):
        try:
            begin, at = varint(handle, 0)
            length, at = varint(handle, at)
        except (IndexError, ValueError) as error:
            raise BadFile(Problem("GM002", "the index of the variables is damaged")) from error
        for key, value in block(blob, begin, length):
            count += 1
            if count > LIMIT_KEYS:
                raise BadFile(Problem("GM005", f"more than {LIMIT_KEYS} variables"))
            yield key.decode("utf-8", "backslashreplace"), value


def block(blob: Blob, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """The entries of a block: keys share prefixes with the one before; restarts and a type byte stand behind."""
    if size > LIMIT_BLOCK:
        raise BadFile(Problem("GM005", f"a block of {size} bytes in the index of the variables"))
    data = blob.read(offset, size + 1)
    if data[size]:
        raise BadFile(Problem("GM009", "the index of the variables is compressed, which is not read"))
    if size < 4:
        raise BadFile(Problem("GM002", "a block of the index of the variables is damaged"))
    end = size - 4 - 4 * int.from_bytes(data[size - 4 : size], "little")
    at = 0
    key = b""
    try:
        while at < end:
            shared, at = varint(data, at)
            own, at = varint(data, at)
            length, at = varint(data, at)
            if shared > len(key) or at + own + length > end or own > 1 << 16:
                raise ValueError("an entry leaves its block")
            key = key[:shared] + data[at : at + own]
            yield key, data[at + own : at + own + length]
            at += own + length
    except (IndexError, ValueError) as error:
        raise BadFile(Problem("GM002", "a block of the index of the variables is damaged")) from error
