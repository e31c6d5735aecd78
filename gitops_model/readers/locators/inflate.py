"""Raw deflate streams, inflated in bounded steps and held to the size that they declare."""

import zlib
from collections.abc import Iterator

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Deflated

CHUNK = 1 << 20
"""Bytes inflated at a time, and packed bytes read at a time."""

IN_MEMORY = 16 * CHUNK
"""A spool below this size stays in memory."""


def inflate(blob: Blob, locator: Deflated) -> Iterator[bytes]:
    """`locator.length` bytes at `locator.offset` of the stream; GM002 unless the whole is exactly `locator.total`."""
    if locator.offset < 0 or locator.length < 0 or locator.offset + locator.length > locator.total:
        raise BadFile(Problem("GM002", f"a tensor lies outside the {locator.total} bytes of its packed entry"))
    place = 0
    end = locator.offset + locator.length
    for part in _stream(blob, locator):
        if place + len(part) > locator.offset and place < end:
            yield part[max(0, locator.offset - place) : end - place]
        place += len(part)


def _stream(blob: Blob, locator: Deflated) -> Iterator[bytes]:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    given = 0
    for offset in range(0, locator.packed.length, CHUNK):
        data = blob.read(locator.packed.offset + offset, min(CHUNK, locator.packed.length - offset))
        while data or engine.unconsumed_tail:
            try:
                part = engine.decompress(data, CHUNK)
            except zlib.error as error:
                raise BadFile(Problem("GM002", f"a packed entry cannot be inflated: {error}")) from error
            given += len(part)
            if given > locator.total:
                raise BadFile(
                    Problem(
                        "GM002",
                        "a packed entry inflates to more than it declares",
                        expected=f"{locator.total} bytes",
                        found="more",
                    )
                )
            if part:
                yield part
            data = engine.unconsumed_tail
            if engine.eof:
                break
        if engine.eof:
            break
    if not engine.eof or given != locator.total:
        raise BadFile(
            Problem(
                "GM002",
                "a packed entry does not inflate to what it declares",
                expected=f"{locator.total} bytes",
                found=f"{given} bytes" + ("" if engine.eof else " and no end of the stream"),
            )
        )


class Inflated:
    """Inflated bytes held for random access: in memory when small, else in an unnamed temporary file."""

    def __init__(self, parts: Iterator[bytes | bytearray | memoryview]) -> None:
        import tempfile

        self._spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - lives as long as this object
        for part in parts:
            self._spool.write(part)

    def read(self, offset: int, length: int) -> bytes:
        self._spool.seek(offset)
        return self._spool.read(length)

    def close(self) -> None:
        self._spool.close()
