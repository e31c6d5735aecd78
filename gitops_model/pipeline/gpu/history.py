"""What the notes on a model say of GPUs: was this ever checked on an L4?"""

import re
from typing import Any, cast

from gitops_model.git.repository import Repository
from gitops_model.pipeline.gpu.record import KIND
from gitops_model.pipeline.notes import show
from gitops_model.render.gpu import History, Past


def history(repository: Repository, word: str, target: str | None = None) -> History:
    """The verdicts on `[REV:]PATH` (of the index without REV) or a blob id; with `target` those on machines like it."""
    shown = show(repository, word)
    found: list[Past] = []
    for line in shown.lines:
        fields = line.fields
        if fields is not None and fields["kind"] == KIND:
            past = _past(fields, line.valid)
            if target is None or is_like(past, target):
                found.append(past)
    return History(shown.path, shown.oid, target, tuple(sorted(found, key=lambda past: (past.target, past.facts))))


def is_like(past: Past, target: str) -> bool:
    """Whether every word of `target` (L4, RTX 4090) is one of the target's name or of one of its GPUs."""
    wanted = _words(target)
    return bool(wanted) and any(wanted <= _words(name) for name in (past.target, *past.gpus))


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower()))


def _past(fields: dict[str, Any], valid: bool | None) -> Past:
    """A line as it stands: others write notes too, so nothing about its values is taken for granted."""
    return Past(
        str(fields.get("target", "")),
        str(fields.get("verdict", "")),
        str(fields.get("facts", "")),
        _texts(fields.get("errors")),
        _texts(fields.get("gpus")),
        valid,
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, cast("list[object]", value))) if isinstance(value, list) else ()
