"""What the notes say about a blob."""

from typing import Any, NamedTuple


class Line(NamedTuple):
    """One line of a note. `fields` is None for a line that this version does not understand.

    `valid` says whether it holds where it was looked up: its external data is the same; None where that is no
    question (a bare object id, a line not understood).
    """

    text: str
    fields: dict[str, Any] | None
    valid: bool | None


class Shown(NamedTuple):
    """`path` is None where a bare object id was asked for."""

    oid: str
    path: str | None
    lines: tuple[Line, ...]
