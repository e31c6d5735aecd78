"""Makes what was found fit the published schema: a value that no schema allows is a need that could not be found out.

Names and numbers come from files of strangers: a symbol may hold an `@`, an opset may be negative. Such a file must not
make the whole document unreadable, and must not lose its need either.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from gitops_model.errors import Problem

MAX_ROUNDS = 8


class Note(NamedTuple):
    """Something that the requirements do not say; `path` is "" where it is about no single file."""

    path: str
    problem: Problem


def fitted(document: dict[str, Any], notes: Iterable[Note]) -> tuple[dict[str, Any], tuple[Note, ...]]:
    """The document, with null (or a problem, for a binary) in the place of what the schema refuses, and notes on it."""
    from gitops_model.gpu.documents import validator

    told = list(notes)
    for _ in range(MAX_ROUNDS):
        wrong = {
            _place(error.absolute_path): error.message for error in validator("requirements").iter_errors(document)
        }
        if not wrong:
            break
        for place, message in wrong.items():
            told.append(Note("", Problem("GM002", f"what was found for {'.'.join(map(str, place))} is no such thing")))
            _forget(document, place, message)
    return document, tuple(told)


def _place(path: Iterable[str | int]) -> tuple[str | int, ...]:
    """The part of the document that can be given up alone."""
    steps = tuple(path)
    return steps[:2] if steps[0] in ("onnx", "binaries") else steps[:1]


def _forget(document: dict[str, Any], place: tuple[str | int, ...], message: str) -> None:
    if len(place) == 1:
        document[str(place[0])] = None
    elif place[0] == "onnx":
        document["onnx"][place[1]] = None
    else:
        row = document["binaries"][place[1]]
        document["binaries"][place[1]] = {"path": row["path"], "problems": [message[:200]]}
