"""From a locator to the canonical bytes of a tensor, in bounded pieces.

The canonical bytes (docs/format.md) are the elements in C order, little endian. `TensorBytes` holds the model's own
blob and opens the other files that locators name through the `Source`, each once, a few at a time.

A chunk is valid until the next one is asked for: copy what must live longer. Every length that a locator states is
checked against the file before it is used, and what a packed stream gives is checked against what it declared.
"""

import threading
from collections import OrderedDict
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self, TypeAlias

from gitops_model.blob import WINDOW, Blob, Source
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import (
    Chunked,
    Deflated,
    Inline,
    Joined,
    Locator,
    Repeated,
    Span,
    Strided,
    Strings,
    Swapped,
    Varints,
)

if TYPE_CHECKING:  # most models lie in plain spans: how others are read is imported for them
    from gitops_model.readers.locators.inflate import Inflated
    from gitops_model.readers.locators.pieces import Fetch

Chunk: TypeAlias = bytes | bytearray | memoryview
"""What a piece of a tensor comes as: read-only by agreement."""

OPEN_FILES = 16
"""Other files held open at a time: a model may keep each of 60,000 tensors in a file of its own."""

SPOOLS = 2
"""Inflated storages kept at a time."""


class TensorBytes:
    """The bytes behind the locators of one model. Safe to share between threads; close it (or use `with`).

    `mapped` False reads with `pread` from one place at a time instead of mapping: what a spinning disk wants.
    """

    def __init__(self, blob: Blob, source: Source, *, mapped: bool = True) -> None:
        self.blob = blob
        self.mapped = mapped
        self._source = source
        self._lock = threading.RLock()
        self._open: OrderedDict[str, Blob] = OrderedDict()
        self._pins: dict[str, int] = {}
        self._inflated: OrderedDict[Deflated, Inflated] = OrderedDict()

    def chunks(self, locator: Locator, step: int = WINDOW) -> Iterator[Chunk]:
        """The canonical bytes of a tensor, in pieces of at most about `step` bytes.

        A `Sparse` locator has no canonical bytes: its parts are asked for one by one. Raises BadFile: GM001 the file
        that holds them is too short, GM002 the locator contradicts itself, GM007 a value does not fit its type, GM010
        and GM6xx the other file cannot be opened.
        """
        if isinstance(locator, Span):
            yield from self._span(locator, step)
        elif isinstance(locator, Inline):
            yield locator.value
        elif isinstance(locator, Joined):
            for piece in locator.pieces:
                yield from self.chunks(piece, step)
        elif isinstance(locator, Deflated):
            yield from self._deflated(locator)
        elif isinstance(locator, Strided):
            yield from self._strided(locator, step)
        elif isinstance(locator, (Varints, Strings, Swapped)):
            yield from self._pieces(locator, step)
        elif isinstance(locator, (Chunked, Repeated)):
            from gitops_model.readers.locators.chunked import bands, repeated

            if isinstance(locator, Chunked):
                yield from bands(locator, self.read)
            else:
                yield from repeated(locator.value, locator.times, step)
        else:
            raise TypeError(f"{type(locator).__name__} has no canonical bytes of its own")

    def read(self, locator: Span, offset: int, length: int) -> bytes:
        """`length` bytes at `offset` of a span."""
        if offset < 0 or length < 0 or offset + length > locator.length:
            raise BadFile(Problem("GM002", f"a tensor asks for bytes outside its {locator.length} stored bytes"))
        with self.file(locator.file) as blob:
            self.check(blob, locator)
            return blob.read(locator.offset + offset, length)

    @contextmanager
    def file(self, path: str) -> Generator[Blob]:
        """The blob of a file that locators name ("" is the model's own), held open while the context lasts."""
        if not path:
            yield self.blob
            return
        with self._lock:
            blob = self._open.get(path)
            if blob is None:
                self._make_room()
                blob = self._source.open(path)
                self._open[path] = blob
            self._open.move_to_end(path)
            self._pins[path] = self._pins.get(path, 0) + 1
        try:
            yield blob
        finally:
            with self._lock:
                left = self._pins[path] - 1
                if left:
                    self._pins[path] = left
                else:
                    del self._pins[path]

    def close(self) -> None:
        """Close what this object opened; the model's own blob belongs to the caller."""
        with self._lock:
            for blob in self._open.values():
                blob.close()
            self._open.clear()
            for spool in self._inflated.values():
                spool.close()
            self._inflated.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- one way of finding bytes each ------------------------------------------------------------------------------
    def _span(self, span: Span, step: int) -> Iterator[Chunk]:
        with self.file(span.file) as blob:
            self.check(blob, span)
            if span.length:
                yield from blob.windows(span.offset, span.length, step, mapped=self.mapped)

    def check(self, blob: Blob, span: Span) -> None:
        """Raise GM001, naming the file, when a span is not inside it."""
        if span.offset >= 0 and span.length >= 0 and span.offset + span.length <= blob.size:
            return
        problem = blob.truncated(span.offset, span.length)
        if span.file:
            problem = problem._replace(message=f"{span.file!r}, which holds tensor data: {problem.message}")
        raise BadFile(problem)

    def _pieces(self, locator: Varints | Strings | Swapped, step: int) -> Iterator[Chunk]:
        from gitops_model.readers.locators.pieces import Cursor, strings, swapped, varints

        if isinstance(locator, Varints):
            yield from varints(Cursor(self.read), locator)
        elif isinstance(locator, Strings):
            yield from strings(Cursor(self.read), locator)
        else:
            yield from swapped(self.chunks(locator.base, min(step, 1 << 20)), locator.itemsize)

    def _deflated(self, locator: Deflated) -> Iterator[Chunk]:
        from gitops_model.readers.locators.inflate import inflate

        with self.file(locator.packed.file) as blob:
            self.check(blob, locator.packed)
            yield from inflate(blob, locator)

    def _strided(self, locator: Strided, step: int) -> Iterator[Chunk]:
        from gitops_model.readers.locators.views import contiguous, strided

        piece = contiguous(locator)
        if piece is not None and isinstance(locator.base, Span):
            start, length = piece
            if start + length > locator.base.length:
                raise BadFile(Problem("GM002", "a tensor reaches beyond the storage that it is a view of"))
            yield from self._span(Span(locator.base.offset + start, length, locator.base.file), step)
            return
        fetch, size = self._fetch(locator.base)
        yield from strided(fetch, size, locator)

    def _fetch(self, base: Locator) -> "tuple[Fetch, int]":
        """Random access to a base, and its size in bytes."""
        if isinstance(base, Span):
            return (lambda offset, length: self.read(base, offset, length)), base.length
        if isinstance(base, Inline):
            return (lambda offset, length: base.value[offset : offset + length]), len(base.value)
        if isinstance(base, Swapped):
            from gitops_model.readers.locators.pieces import swapped

            inner, size = self._fetch(base.base)
            return (lambda offset, length: b"".join(swapped([inner(offset, length)], base.itemsize))), size
        if isinstance(base, Deflated):
            return (lambda offset, length: self._inflated_bytes(base, offset, length)), base.length
        raise TypeError(f"a view over {type(base).__name__} is not supported")

    def _inflated_bytes(self, locator: Deflated, offset: int, length: int) -> bytes:
        """Read from a spool: many views of one deflated storage must not inflate it many times."""
        from gitops_model.readers.locators.inflate import Inflated

        with self._lock:
            spool = self._inflated.get(locator)
            if spool is None:
                while len(self._inflated) >= SPOOLS:
                    self._inflated.popitem(last=False)[1].close()
                spool = self._inflated[locator] = Inflated(self._deflated(locator))
            return spool.read(offset, length)

    def _make_room(self) -> None:
        for path in list(self._open):
            if len(self._open) < OPEN_FILES:
                return
            if path not in self._pins:
                self._open.pop(path).close()
