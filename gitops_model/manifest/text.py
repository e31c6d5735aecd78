"""The characters of a manifest, and where each of them stands: line and column for people, bytes for `--fix`."""

import re
from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple

from gitops_model.errors import Problem

_BREAK = re.compile("\r\n|\r|\n")
_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""What YAML 1.1 §5.1 does not count as printable, and what breaks a line in YAML 1.1 but not in YAML 1.2 (NEL, LS, PS).

Surrogates never get here: UTF-8 cannot hold them.
"""

_FOREIGN_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_BOM = b"\xef\xbb\xbf"


class Place(NamedTuple):
    """A line and a column of a file, in characters, both counted from 1."""

    line: int
    column: int


class Text:
    """Decoded text that can say where its characters are.

    Lines end at LF, CR LF or CR, as in editors and in the annotations of code hosts.
    """

    def __init__(self, characters: str, skipped: int = 0) -> None:
        self.characters = characters
        self.skipped = skipped
        self._starts = [0, *(match.end() for match in _BREAK.finditer(characters))]
        self._bytes: list[int] = []
        """Byte offsets of the lines, made when the first one is asked for."""

    def place(self, index: int) -> Place:
        """Where the character number `index` stands; the end of the text is a place too."""
        line = bisect_right(self._starts, index)
        return Place(line, index - self._starts[line - 1] + 1)

    def byte(self, index: int) -> int:
        """The offset in the file of the character number `index`."""
        if self.characters.isascii():
            return self.skipped + index
        if not self._bytes:
            lines = map(self.characters.__getitem__, map(slice, self._starts, [*self._starts[1:], None]))
            self._bytes = list(accumulate((len(line.encode()) for line in lines), initial=self.skipped))
        line = bisect_right(self._starts, index) - 1
        return self._bytes[line] + len(self.characters[self._starts[line] : index].encode())


def decode(data: bytes) -> tuple[Text | None, tuple[Problem, ...]]:
    """The text of a manifest. A byte order mark is skipped; everything but UTF-8 and its printable part is GM101."""
    for mark, name in _FOREIGN_MARKS:
        if data.startswith(mark):
            return None, (_refusal(f"the manifest is {name}", "UTF-8", name, Place(1, 1)),)
    if data[:64].count(0) * 4 > len(data[:64]):
        what = "UTF-16 or UTF-32 without a byte order mark"
        return None, (_refusal("the manifest is not UTF-8", "UTF-8", what, Place(1, 1)),)
    skipped = len(_BOM) if data.startswith(_BOM) else 0
    try:
        text = Text(data[skipped:].decode(), skipped)
    except UnicodeDecodeError as error:
        before = Text(data[skipped : skipped + error.start].decode())
        place = before.place(len(before.characters))
        found = f"byte 0x{data[skipped + error.start]:02x}"
        return None, (_refusal("the manifest is not UTF-8", "UTF-8", found, place),)
    bad = _REFUSED.search(text.characters)
    if bad is not None:
        code = f"U+{ord(bad.group()):04X}"
        return None, (
            _refusal(f"the character {code} may not stand in YAML", "printable text", code, text.place(bad.start())),
        )
    return text, ()


def _refusal(message: str, expected: str, found: str, place: Place) -> Problem:
    return Problem("GM101", message, place.line, place.column, expected=expected, found=found)
