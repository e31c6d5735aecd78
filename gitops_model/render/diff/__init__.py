"""Differences of models (`Compared`): for a terminal, for scripts, for a comment."""

from typing import NamedTuple

from gitops_model.diff.result import ModelDiff, TensorChange, TensorFact, ValueChange, type_text
from gitops_model.errors import Problem

BUMPS = ("none", "patch", "minor", "major")


class FileDiff(NamedTuple):
    """One model file between two states. `status`: added, removed, modified, renamed or compared (two files).

    `diff` is None where the file was added or removed, or where a side cannot be read (`problems` say why).
    """

    path: str
    status: str
    diff: ModelDiff | None
    old_path: str | None = None
    problems: tuple[tuple[str, Problem], ...] = ()
    """(side, problem); the side is "before" or "after"."""


class Compared(NamedTuple):
    """What `diff` shows: the model files that differ, by path. `before` and `after` name the two states."""

    files: tuple[FileDiff, ...]
    before: str
    after: str


def bump_of(file: FileDiff) -> str:
    """The version bump of a file: a model that went, or cannot be read any more, breaks whoever uses it."""
    if file.diff is not None:
        return file.diff.verdict.bump
    if file.problems or file.status == "removed":
        return "major"
    return "minor"


def worst_bump(compared: Compared) -> str:
    return max((bump_of(file) for file in compared.files), key=BUMPS.index, default="none")


def kind_of(file: FileDiff) -> str:
    return file.diff.verdict.kind if file.diff is not None else "unreadable" if file.problems else file.status


def tensor_text(fact: TensorFact) -> str:
    return f"{fact.dtype}[{','.join(map(str, fact.shape))}]"


def change_text(change: TensorChange) -> str:
    """`float32[3,4]`, or both sides where dtype or shape changed."""
    sides = [tensor_text(fact) for fact in (change.before, change.after) if fact is not None]
    return sides[0] if len(set(sides)) == 1 else " → ".join(sides)


def value_text(change: ValueChange) -> str:
    sides = [type_text(value.type) for value in (change.before, change.after) if value is not None]
    return sides[0] if len(set(sides)) == 1 else " → ".join(sides)


def size_text(nbytes: int) -> str:
    """`2.1 MiB`."""
    size, unit = float(nbytes), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            break
        size /= 1024
    return f"{nbytes} B" if unit == "B" else f"{size:.1f} {unit}"
