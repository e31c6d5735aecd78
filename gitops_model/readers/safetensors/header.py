"""The JSON of a safetensors header, read entry by entry: no tree is built, so that memory follows the tensors named.

The `json` module would build the whole tree first (100 MB of `[],` become gigabytes), keep the last of two equal keys,
and take `NaN`, floats and any nesting. The grammar here is RFC 8259's, cut down to what a header may hold; nothing
recurses, and the repeats of the patterns are possessive, so that no input makes them backtrack.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

from gitops_model.errors import BadFile, Problem

NAME_LIMIT = 1 << 16
RANK_LIMIT = 64
METADATA_ENTRIES = 1 << 16
METADATA_BYTES = 32 << 20
"""Far above any published file; they keep memory bounded."""

_INTEGER = rb"(0|[1-9]\d{0,18})"
_INTEGERS = rb"((?:(?:0|[1-9]\d{0,18})(?:,(?:0|[1-9]\d{0,18})){0,63}+)?+)"
_USUAL = re.compile(
    rb'"([^"\\\x00-\x1f]*+)":\{"dtype":"(\w++)","shape":\[' + _INTEGERS + rb'\],"data_offsets":\[' + _INTEGER + rb","
    rb"" + _INTEGER + rb"\]\}"
)
"""An entry as every known writer writes it; any other layout goes the slow way."""

_STRING = re.compile(rb'"((?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+)"')
_NUMBER = re.compile(_INTEGER + rb"(?![\d.eE])")
_SPACE = re.compile(rb"[ \t\n\r]*+")


class Entry(NamedTuple):
    """One tensor as the header has it; offsets count from the end of the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def header_entries(header: bytes) -> Iterator[Entry | dict[str, str]]:
    """Each tensor in the order of the header, and the `__metadata__` where it stands. GM002 on any other content."""
    scan = _Scanner(header)
    if header[:1] != b"{":
        scan.fail("an opening brace")
    scan.place = 1
    metadata = False
    for _ in scan.items(b"}"):
        usual = _USUAL.match(header, scan.place)
        if usual is not None and usual[1] != b"__metadata__":
            scan.place = usual.end()
            yield _entry(scan, usual)
            continue
        name = scan.key()
        if name != "__metadata__":
            yield scan.entry(name)
            continue
        if metadata:
            raise BadFile(Problem("GM002", "the header holds __metadata__ twice"))
        metadata = True
        yield scan.texts()
    if header[scan.place :].strip(b" "):
        scan.fail("nothing but spaces")


def _entry(scan: "_Scanner", found: re.Match[bytes]) -> Entry:
    name, dtype, shape, begin, end = found.groups()
    return Entry(
        scan.text(name),
        dtype.decode("ascii", "replace"),
        tuple(map(int, shape.split(b","))) if shape else (),
        int(begin),
        int(end),
    )


class _Scanner:
    """A place in the header. Each method reads one thing there, or says what it wanted to find."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def fail(self, wanted: str) -> NoReturn:
        rest = self.data[self.place : self.place + 20]
        raise BadFile(
            Problem(
                "GM002",
                f"the header is not what the format allows at byte {self.place}",
                expected=wanted,
                found=ascii(rest.decode("utf-8", "replace")) if rest else "the end of the header",
            )
        )

    def skip(self) -> None:
        space = _SPACE.match(self.data, self.place)
        assert space is not None
        self.place = space.end()

    def take(self, mark: bytes) -> bool:
        """Step over a mark and the spaces around it, if it is there."""
        self.skip()
        if self.data[self.place : self.place + 1] != mark:
            return False
        self.place += 1
        return True

    def must(self, mark: bytes) -> None:
        if not self.take(mark):
            self.fail(mark.decode())
        self.skip()

    def items(self, close: bytes) -> Iterator[None]:
        """Once for each item of a list that has been opened, standing at the item; ends behind `close`."""
        if self.take(close):
            return
        while True:
            self.skip()
            yield
            if self.take(close):
                return
            if not self.take(b","):
                self.fail(f", or {close.decode()}")

    def text(self, raw: bytes, limit: int = NAME_LIMIT) -> str:
        """The text of a string's inside."""
        if len(raw) > limit:
            raise BadFile(Problem("GM005", f"a text in the header is longer than {limit} bytes"))
        try:
            found = raw.decode()
            if "\\" in found:
                found = json.loads(f'"{found}"')
                found.encode()
        except UnicodeError as error:
            raise BadFile(Problem("GM002", f"the header is not UTF-8: {error}")) from error
        return found

    def string(self, limit: int = NAME_LIMIT) -> str:
        found = _STRING.match(self.data, self.place)
        if found is None:
            self.fail("a string")
        self.place = found.end()
        return self.text(found[1], limit)

    def key(self) -> str:
        name = self.string()
        self.must(b":")
        return name

    def integer(self) -> int:
        found = _NUMBER.match(self.data, self.place)
        if found is None:
            self.fail("a non-negative integer below 10^19")
        self.place = found.end()
        return int(found[1])

    def integers(self) -> tuple[int, ...]:
        self.must(b"[")
        found: list[int] = []
        for _ in self.items(b"]"):
            found.append(self.integer())
            if len(found) > RANK_LIMIT:
                raise BadFile(Problem("GM005", f"a tensor has more than {RANK_LIMIT} dimensions"))
        return tuple(found)

    def entry(self, name: str) -> Entry:
        self.must(b"{")
        found: dict[str, str | tuple[int, ...]] = {}
        for _ in self.items(b"}"):
            before = self.place
            key = self.key()
            if key in found or key not in ("dtype", "shape", "data_offsets"):
                self.place = before
                self.fail("each of dtype, shape and data_offsets once")
            found[key] = self.string() if key == "dtype" else self.integers()
        dtype, shape, offsets = (found.get(key) for key in ("dtype", "shape", "data_offsets"))
        if not isinstance(dtype, str) or not isinstance(shape, tuple) or not isinstance(offsets, tuple):
            self.fail(f"dtype, shape and data_offsets of tensor {name!r}")
        if len(offsets) != 2:
            self.fail(f"two data_offsets of tensor {name!r}")
        return Entry(name, dtype, shape, offsets[0], offsets[1])

    def texts(self) -> dict[str, str]:
        """An object of strings."""
        self.must(b"{")
        start = self.place
        found: dict[str, str] = {}
        for _ in self.items(b"}"):
            key = self.key()
            if key in found:
                raise BadFile(Problem("GM002", f"__metadata__ holds {key!r} twice"))
            found[key] = self.string(METADATA_BYTES)
            if len(found) > METADATA_ENTRIES or self.place - start > METADATA_BYTES:
                raise BadFile(
                    Problem("GM005", f"__metadata__ has more than {METADATA_ENTRIES} entries or {METADATA_BYTES} bytes")
                )
        return found
