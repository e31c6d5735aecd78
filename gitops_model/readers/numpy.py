"""NumPy `.npy` and `.npz`: one array, or a zip archive of them.

Layout: numpy/lib/format.py (versions 1 to 3). The header is a Python literal; it is read by a small parser of ours that
knows exactly the three keys NumPy writes, never evaluated. Object arrays hold pickles: GM009, they are not weights.
"""

import re
from math import prod

from gitops_model.blob import Blob, Source
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Inline, Locator, Model, Span, Strided, Swapped, Tensor
from gitops_model.readers.pickling.arrays import DTYPES, fortran_strides
from gitops_model.readers.zip import Archive, Entry

TITLE = "a NumPy array"

MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
LIMIT_HEADER = 1 << 16

HEADER = re.compile(
    r"^\{\s*'descr':\s*(?P<descr>'[^']*'|\[.*\]),\s*'fortran_order':\s*(?P<fortran>True|False),\s*"
    r"'shape':\s*\((?P<shape>[0-9L,\s]*)\),?\s*\}\s*$",
    re.DOTALL,
)
"""The header as every NumPy has written it (keys sorted)."""


def sniff(head: bytes) -> bool:
    if not head:
        return False
    return head[:6] == MAGIC[: len(head)] or head[:4] in (ZIP_MAGIC[: len(head)], EMPTY_ZIP)


def read(blob: Blob, _source: Source) -> Model:
    """Describe an array or an archive of arrays. Raises BadFile: GM001 cut short, GM002, GM009 object arrays, GM606."""
    head = blob.head(6)
    if head[:4] == ZIP_MAGIC[: len(head)] or head[:4] == EMPTY_ZIP:
        return read_npz(blob)
    if not sniff(head):
        raise BadFile(Problem("GM004", "this is no NumPy array", expected="\\x93NUMPY or a zip archive"))
    tensor, header = read_header(blob, "", blob.size)
    end = header.offset + header.length + tensor.nbytes
    if blob.size < end:
        raise BadFile(blob.truncated(header.length, tensor.nbytes))
    problems = () if blob.size == end else (Problem("GM002", f"{blob.size - end} bytes follow the array"),)
    return Model("numpy", (place(tensor, Span(header.length, tensor.nbytes)),), problems=problems, header=header)


def read_npz(blob: Blob) -> Model:
    archive = Archive.open(blob)
    if archive.entries and not any(name.endswith(".npy") for name in archive.entries):
        raise BadFile(Problem("GM009", f"this zip archive of {len(archive.entries)} entries holds no array"))
    tensors: list[Tensor] = []
    problems = list(archive.problems)
    for name, entry in archive.entries.items():
        if name.endswith("/"):
            continue
        if not name.endswith(".npy"):
            problems.append(Problem("GM002", f"entry {name!r} of the archive is no array"))
            continue
        tensors.append(read_entry(archive, entry))
    return Model("numpy", tuple(tensors), properties={"container": "npz"}, problems=tuple(problems))


def read_entry(archive: Archive, entry: Entry) -> Tensor:
    """The array in one entry, stored or deflated, named by the entry without `.npy`."""
    name = entry.name.removesuffix(".npy")
    prefix = Blob.of_bytes(entry.name, archive.begin(entry, LIMIT_HEADER + 12))
    try:
        tensor, header = read_header(prefix, name, entry.size)
    except BadFile as error:
        if error.problem.code != "GM001":
            raise
        raise BadFile(Problem("GM002", f"entry {entry.name!r} is no whole array")) from error
    if header.length + tensor.nbytes != entry.size:
        message = f"entry {entry.name!r} has {entry.size} bytes, its array {header.length + tensor.nbytes}"
        raise BadFile(Problem("GM002", message))
    return place(tensor, archive.locate(entry, header.length, tensor.nbytes))


def read_header(blob: Blob, name: str, size: int) -> tuple[Tensor, Span]:
    """The array's description, its `data` still unplaced, and the span of the header; `size` bounds its claims."""
    if blob.size < 10:
        raise BadFile(blob.truncated(0, 10))
    if blob.read(0, 6) != MAGIC:
        raise BadFile(Problem("GM002", "this is no NumPy array"))
    major = blob.read(6, 1)[0]
    if major not in (1, 2, 3):
        raise BadFile(Problem("GM009", f"NumPy format version {major} is not known", expected="1, 2 or 3"))
    width = 2 if major == 1 else 4
    length = int.from_bytes(blob.read(8, width), "little")
    if length > LIMIT_HEADER:
        if length > size:
            raise BadFile(blob.truncated(8 + width, length))
        raise BadFile(Problem("GM005", f"the header of the array has {length} bytes, the limit is {LIMIT_HEADER}"))
    text = blob.read(8 + width, length).decode("utf-8" if major == 3 else "latin-1", "replace")
    match = HEADER.match(text)
    if match is None:
        raise BadFile(Problem("GM002", "the header of the array is not what NumPy writes"))
    dtype, itemsize, big = dtype_of(match["descr"])
    dims = tuple(int(part.strip().rstrip("L")) for part in match["shape"].split(",") if part.strip(" \nL"))
    if len(dims) > 64 or any(dim >= 1 << 62 for dim in dims):
        raise BadFile(Problem("GM002", "the shape of the array is beyond every array"))
    layout = ("F" if match["fortran"] == "True" and len(dims) > 1 else "C") + (">" if big else "<")
    nbytes = prod(dims) * itemsize
    return Tensor(name, dtype, dims, Inline(layout.encode()), nbytes), Span(0, 8 + width + length)


def dtype_of(descr: str) -> tuple[str, int, bool]:
    """(our name, bytes per element, big endian) of a `descr`. GM009 for objects, strings, times and records."""
    code = descr.strip("'")
    kind = code.lstrip("<>=|")
    if kind in DTYPES:
        return *DTYPES[kind], code.startswith(">")
    what = {"O": "Python objects (a pickle)", "V": "raw records", "U": "texts", "S": "byte strings"}.get(kind[:1])
    if descr.startswith("["):
        what = "records"
    raise BadFile(
        Problem("GM009", f"an array of {what or kind!r} is not read", hint="save the numbers as plain arrays")
    )


def place(tensor: Tensor, data: Locator) -> Tensor:
    """Put the bytes behind a described array, in C order and little endian."""
    layout = tensor.data.value.decode() if isinstance(tensor.data, Inline) else "C<"
    itemsize = tensor.nbytes // prod(tensor.shape) if tensor.nbytes else 1
    unit = itemsize // 2 if tensor.dtype.startswith("complex") else itemsize
    if layout[0] == "F" and tensor.nbytes:
        data = Strided(data, itemsize, 0, tensor.shape, fortran_strides(tensor.shape))
    if layout[1] == ">" and unit > 1:
        data = Swapped(data, unit)
    return tensor._replace(data=data)
