"""safetensors: an 8-byte little-endian length, a JSON header, then the tensors' bytes without holes.

Source of the rules: the format section of the safetensors README and its Rust reader (huggingface/safetensors). Where
that reader is lax this one is not: duplicate keys, unknown keys of an entry, and padding other than spaces are errors.
"""

from math import prod
from typing import NoReturn

from gitops_model.blob import Blob, Source
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import ELEMENT_BITS, Model, Span, Tensor
from gitops_model.readers.safetensors.header import Entry, header_entries

TITLE = "a safetensors file"

HEADER_LIMIT = 100_000_000
"""Bytes; the limit of the format's own reader."""

TENSOR_LIMIT = 500_000
"""Far above any published model (the largest has under 100,000 tensors); keeps memory bounded."""

DTYPES = {
    "BOOL": "bool",
    "F4": "float4_e2m1fn",
    "F6_E2M3": "float6_e2m3fn",
    "F6_E3M2": "float6_e3m2fn",
    "U8": "uint8",
    "I8": "int8",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "I16": "int16",
    "U16": "uint16",
    "F16": "float16",
    "BF16": "bfloat16",
    "I32": "int32",
    "U32": "uint32",
    "F32": "float32",
    "C64": "complex64",
    "F64": "float64",
    "I64": "int64",
    "U64": "uint64",
}


def sniff(head: bytes) -> bool:
    """A plausible header length, then the brace that must follow it (as far as the bytes go)."""
    if len(head) < 8:
        return not head[6:].strip(b"\0")
    return int.from_bytes(head[:8], "little") <= HEADER_LIMIT and head[8:9] in (b"{", b"")


def read(blob: Blob, source: Source) -> Model:  # noqa: ARG001 - one file holds everything
    """The tensors in the order of their bytes. Raises BadFile: GM001 truncated, GM002 malformed, GM005 too many."""
    if blob.size < 8:
        raise BadFile(blob.truncated(0, 8))
    length = int.from_bytes(blob.read(0, 8), "little")
    if length > HEADER_LIMIT:
        bad(f"the header claims {length} bytes", f"at most {HEADER_LIMIT} bytes", f"{length}")
    if 8 + length > blob.size:
        raise BadFile(blob.truncated(8, length))
    header = blob.read(8, length)
    metadata: dict[str, str] = {}
    tensors: list[Tensor] = []
    base = 8 + length
    for entry in header_entries(header):
        if isinstance(entry, dict):
            metadata = entry
            continue
        if len(tensors) == TENSOR_LIMIT:
            raise BadFile(Problem("GM005", f"the header names more than {TENSOR_LIMIT} tensors"))
        tensors.append(tensor(entry, base))
    tensors.sort(key=by_offset)
    check_cover(tensors, base, blob)
    return Model(
        format="safetensors",
        tensors=tuple(tensors),
        metadata=metadata,
        header=Span(0, base),
    )


def tensor(entry: Entry, base: int) -> Tensor:
    dtype = DTYPES.get(entry.dtype)
    if dtype is None:
        bad(f"tensor {entry.name!r} has an unknown dtype", "one of " + " ".join(DTYPES), entry.dtype)
    begin, end = entry.begin, entry.end
    bits = prod(entry.shape) * ELEMENT_BITS[dtype]
    if begin > end:
        bad(f"tensor {entry.name!r} ends before it begins", "begin ≤ end", f"[{begin},{end}]")
    if bits % 8:
        bad(f"tensor {entry.name!r} does not fill whole bytes", "a whole number of bytes", f"{bits} bits")
    if bits // 8 != end - begin:
        bad(
            f"the shape and dtype of tensor {entry.name!r} do not fit its bytes",
            f"{bits // 8} bytes",
            f"{end - begin} bytes",
        )
    return Tensor(entry.name, dtype, entry.shape, Span(base + begin, end - begin), end - begin)


def by_offset(item: Tensor) -> tuple[int, int]:
    assert isinstance(item.data, Span)
    return item.data.offset, item.data.length


def check_cover(tensors: list[Tensor], base: int, blob: Blob) -> None:
    """The tensors follow one another without hole or overlap and end where the file ends."""
    place = base
    for item in tensors:
        assert isinstance(item.data, Span)
        if item.data.offset != place:
            what = "leaves a hole before itself" if item.data.offset > place else "overlaps the one before it"
            bad(f"tensor {item.name!r} {what}", f"begin {place - base}", f"begin {item.data.offset - base}")
        place += item.data.length
    if place > blob.size:
        raise BadFile(blob.truncated(base, place - base))
    if place < blob.size:
        bad("bytes follow the last tensor", f"{place} bytes", f"{blob.size} bytes")


def bad(message: str, expected: str, found: str) -> NoReturn:
    raise BadFile(Problem("GM002", message, expected=expected, found=found))
