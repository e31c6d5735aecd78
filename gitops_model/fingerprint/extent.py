"""Whether the bytes that tensors claim are there, and whether hashing them is work that the files justify."""

from collections.abc import Iterator, Sequence

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Deflated, Joined, Locator, Span, Sparse, Strided, Strings, Swapped, Tensor, Varints
from gitops_model.readers.bytes import TensorBytes

FREE = 64 << 20
"""Bytes that may always be hashed."""

RATIO = 32
"""Canonical bytes per stored byte: a varint grows to 8, and tied or expanded tensors repeat what is stored."""

DEFLATE_RATIO = 1032
"""The most that deflate packs."""


def check_extent(tensors: Sequence[Tensor], data: TensorBytes) -> None:
    """Raise BadFile: GM001, GM010 a file is short or absent; GM005 many tensors over the same bytes, a hashing bomb."""
    spans: dict[str, list[tuple[int, int]]] = {}
    total = 0
    packed = 0
    for tensor in tensors:
        total += tensor.nbytes
        for span, deflated in base_spans(tensor.data):
            spans.setdefault(span.file, []).append((span.offset, span.length))
            if deflated:
                packed += span.length
    covered = sum(_covered(ranges, file, data) for file, ranges in spans.items())
    allowed = FREE + RATIO * covered + DEFLATE_RATIO * min(packed, covered)
    if total > allowed:
        raise BadFile(
            Problem(
                "GM005",
                f"the tensors repeat {covered} stored bytes too often",
                expected=f"at most {allowed} bytes of tensors",
                found=f"{total} bytes",
            )
        )


def base_spans(locator: Locator) -> Iterator[tuple[Span, bool]]:
    """The spans of files that a locator reads, each with whether it is packed by deflate."""
    waiting: list[Locator] = [locator]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Span):
            yield item, False
        elif isinstance(item, Deflated):
            yield item.packed, True
        elif isinstance(item, Varints | Strings):
            for piece in item.pieces:
                yield piece, False
        elif isinstance(item, Joined):
            waiting.extend(item.pieces)
        elif isinstance(item, Strided | Swapped):
            waiting.append(item.base)
        elif isinstance(item, Sparse):
            waiting += (item.values, item.indices)


def _covered(ranges: list[tuple[int, int]], file: str, data: TensorBytes) -> int:
    """How many bytes of a file the ranges cover together; each must lie inside it."""
    ranges.sort()
    covered = 0
    place = 0
    with data.file(file) as blob:
        for offset, length in ranges:
            data.check(blob, Span(offset, length, file))
            end = offset + length
            if end > place:
                covered += end - max(offset, place)
                place = end
    return covered
