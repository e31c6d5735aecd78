"""What the parts of the ONNX reader share while they read one file."""

from collections.abc import Sequence
from typing import TypeAlias

from gitops_model.blob import Blob, NoSource, Source
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Attribute, OtherType, Tensor, TensorType
from gitops_model.readers.protobuf import Wire

DEEPEST = 64
"""Levels of subgraphs, and of types in types. The deepest real model known to us has 4."""

MOST_PROBLEMS = 100
"""Problems of one code that a file reports one by one."""

MOST_TEXT = 128 * 1024 * 1024
"""Bytes of different names, documentation and string attributes that one description may hold."""

OBJECT = 80
"""Bytes that each of them takes beside its own."""

COST = 8
"""What a node, an attribute, a type or a value costs beside its fields (`MOST_FIELDS`); a tensor costs twice that."""

STRING_COST = 4
"""What an element of a string tensor costs."""

DEFAULT_DOMAIN = "ai.onnx"

Pieces: TypeAlias = Sequence[tuple[int, int]]
"""A message as protobuf merges it: the places of its occurrences, one after another."""


def too_deep(what: str, where: int) -> BadFile:
    return BadFile(
        Problem(
            "GM005",
            f"{what} nested more than {DEEPEST} deep at byte {where}",
            expected=f"at most {DEEPEST} levels",
        )
    )


class Reading:
    """The state of one reading: the wire, what was found, and memories of texts and small messages seen before.

    Models repeat themselves: a value's name stands at its producer and at every consumer, and thousands of nodes carry
    the same `axis = 1`. Remembering them by their bytes saves most of the parsing and of the memory.
    """

    def __init__(self, blob: Blob, source: Source) -> None:
        self.wire = Wire(blob)
        self.source = source
        self.tensors: list[Tensor] = []
        self.deps: dict[str, int | None] = {}
        """Location of external data → its size, None where it cannot be opened."""
        self.attributes: dict[bytes, Attribute] = {}
        self.types: dict[bytes, TensorType | OtherType | None] = {}
        self._texts: dict[str, str] = {"": ""}
        self._strings: dict[bytes, bytes] = {}
        self._problems: list[Problem] = []
        self._held = 0
        self._undecoded = False
        self._seen: dict[str, int] = {}

    def text(self, start: int, end: int) -> str:
        """A string field. What is not UTF-8 (GM002, once) is shown with its bytes escaped, so that reading goes on."""
        wire = self.wire
        if wire.base <= start and end <= wire.limit:
            raw = wire.data[start - wire.base : end - wire.base]
        else:
            raw = wire.bytes(start, end)
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            text = raw.decode(errors="backslashreplace")
            if not self._undecoded:
                self.problem(Problem("GM002", f"the text at byte {start} is not UTF-8 ({error.reason})"))
            self._undecoded = True
        kept = self._texts.get(text)
        if kept is None:
            kept = self._texts[text] = text
            self.hold(len(raw))
        return kept

    def hold(self, size: int) -> None:
        """Count a text that the description keeps."""
        self._held += size + OBJECT
        if self._held > MOST_TEXT:
            raise BadFile(
                Problem(
                    "GM005",
                    f"names and texts of more than {MOST_TEXT} bytes",
                    expected=f"at most {MOST_TEXT} bytes",
                )
            )

    def once(self, start: int, end: int) -> bytes:
        """The bytes of a string that is no text; equal ones are one object."""
        raw = self.wire.bytes(start, end)
        kept = self._strings.get(raw)
        if kept is None:
            kept = self._strings[raw] = raw
            self.hold(len(raw))
        return kept

    def problem(self, problem: Problem) -> None:
        """Note a trouble that does not stop the reading."""
        seen = self._seen[problem.code] = self._seen.get(problem.code, 0) + 1
        if seen <= MOST_PROBLEMS:
            self._problems.append(problem)

    def problems(self) -> tuple[Problem, ...]:
        for code, seen in self._seen.items():
            if seen > MOST_PROBLEMS:
                self._problems.append(Problem(code, f"and {seen - MOST_PROBLEMS} more like these"))
        return tuple(self._problems)

    def size_of(self, location: str) -> int | None:
        """The size of a file of external data; None (and, once, the problem) where it cannot be had."""
        if location not in self.deps:
            self.deps[location] = None if isinstance(self.source, NoSource) else self._look(location)
        return self.deps[location]

    def _look(self, location: str) -> int | None:
        try:
            other = self.source.open(location)
        except BadFile as error:
            self.problem(error.problem)
            return None
        with other:
            if other.content_is_local:
                return other.size
        self.problem(
            Problem(
                "GM003",
                f"external data {location!r} is a pointer whose content is not here",
                hint="git lfs pull" if other.pointer is not None and other.pointer.system == "lfs" else None,
            )
        )
        return None
