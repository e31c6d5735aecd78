"""What `record` did: one line or one object per file."""

from typing import Any, Literal, NamedTuple, TypeAlias

from gitops_model.errors import Problem

State: TypeAlias = Literal["recorded", "known", "pointer", "failed"]
"""Hashed now · a valid note was there · only the pointer was recorded, its content is not here · bad file."""


class Recorded(NamedTuple):
    """What happened with one file. `fields` are those of its note line; empty for a file that cannot be read."""

    path: str
    oid: str
    state: State
    fields: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    commit: str | None = None
    """The commit in which this version was found, under `--all`."""


class Outcome(NamedTuple):
    files: tuple[Recorded, ...]
    notes: int
    """Notes that changed."""
