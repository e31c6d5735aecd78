"""`blame`: for each layer of a model the version that last changed its weights, from notes."""

from math import prod
from typing import Any, NamedTuple, cast

from gitops_model.diff.layers import layer_of
from gitops_model.diff.prefix import Prefix, find
from gitops_model.errors import CouldNotRun
from gitops_model.git.repository import Repository
from gitops_model.pipeline.recorded import nbytes
from gitops_model.pipeline.versions import Told, versions
from gitops_model.render.blame import Blame, Line


class Change(NamedTuple):
    """The number of the version (0 is the newest) that last changed a tensor, and how many unrecorded are before it."""

    number: int
    gap: int
    since_first: bool


def blame(repository: Repository, word: str, layer: str | None = None, revision: str = "HEAD") -> Blame:
    """All layers, or the tensors of one layer or of those below a prefix of names.

    CouldNotRun where no version is recorded, or no tensor has that name.
    """
    path, told = versions(repository, word, revision)
    unrecorded = sum(one.is_unrecorded for one in told)
    first = next((number for number, one in enumerate(told) if rows(one)), None)
    if first is None:
        raise CouldNotRun(f"no version of {path} is recorded", hint="gitops-model record --all")
    tensors = [row for row in rows(told[first]) if layer is None or within(row[0], layer)]
    if not tensors and layer is not None:
        raise CouldNotRun(f"{path} has no tensor or layer {layer!r}", hint=f"gitops-model blame {word}")
    changes = last_changes(told, first, [row[0] for row in tensors])
    groups: dict[str, list[list[Any]]] = {}
    for row in tensors:
        groups.setdefault(layer_of(row[0]) if layer is None else row[0], []).append(row)
    lines = (_line(told, name, group, changes) for name, group in groups.items())
    return Blame(path, tuple(lines), len(told), unrecorded)


def _line(told: list[Told], name: str, group: list[list[Any]], changes: dict[str, Change]) -> Line:
    """The layer's last change is the newest of its tensors'."""
    change = min((changes[row[0]] for row in group), key=lambda one: one.number)
    version = told[change.number].version
    size = sum(nbytes(row[1], prod(row[2])) for row in group)
    gap, since_first = change.gap, change.since_first
    return Line(name, len(group), size, version.commit, version.date, version.author, version.subject, gap, since_first)


def within(name: str, prefix: str) -> bool:
    """Whole components only: `layer.1` holds `layer.1.w`, not `layer.10.w`."""
    return name == prefix or (name.startswith(prefix) and name[len(prefix)] in "./")


def rows(one: Told) -> list[list[Any]]:
    """The tensors of a version, [name, dtype, shape, digest]; what is malformed is left out."""
    found: Any = one.line.get("tensors") if one.line is not None else None
    return [row for row in cast("list[Any]", found) if is_row(row)] if isinstance(found, list) else []


def is_row(row: Any) -> bool:
    """Whoever may push may write any line."""
    if not isinstance(row, list) or len(cast("list[Any]", row)) < 4:
        return False
    name, dtype, shape, digest = cast("list[Any]", row)[:4]
    texts = isinstance(name, str) and isinstance(dtype, str) and isinstance(digest, str)
    if not (texts and isinstance(shape, list)):
        return False
    return all(isinstance(dim, int) and dim >= 0 for dim in cast("list[Any]", shape))


def contents(one: Told) -> dict[str, str]:
    """Name → digest of a version; a malformed list has nothing in it. A history has millions of these."""
    try:
        return {row[0]: row[3] for row in one.line["tensors"]} if one.line is not None else {}
    except (TypeError, KeyError, IndexError):
        return {}


def names_by_content(digests: dict[str, str]) -> dict[str, str | None]:
    """Digest → the one name that has it, None where several have."""
    found: dict[str, str | None] = {}
    for name, digest in digests.items():
        found[digest] = None if digest in found else name
    return found


def prefix_between(older: Told, newer: Told) -> Prefix | None:
    """What nearly all names got between two versions."""
    looks = [{row[0]: (row[1], tuple(row[2])) for row in rows(one)} for one in (older, newer)]
    return find(looks[0], looks[1])


def last_changes(told: list[Told], first: int, names: list[str]) -> dict[str, Change]:
    """Walk back from version `first`: a tensor stays open as long as an older version holds the same content.

    The content counts under its own name or, where the older version has no such name, under the only other name that
    has it, or the one without the prefix that all names got: a rename is no change of weights.
    """
    now = {row[0]: row[3] for row in rows(told[first])}
    waiting = {name: (name, now[name]) for name in names}
    found: dict[str, Change] = {}
    newest, gap = first, 0
    for number in range(first + 1, len(told)):
        if not waiting:
            break
        if told[number].is_unrecorded:
            gap += 1
            continue
        digests = contents(told[number])
        differ = [name for name, (then, digest) in waiting.items() if digests.get(then) != digest]
        others = names_by_content(digests) if differ else {}
        prefix = (
            prefix_between(told[number], told[newest]) if any(waiting[n][0] not in digests for n in differ) else None
        )
        for name in differ:
            then, digest = waiting[name]
            moved = others.get(digest) if then not in digests else None
            if moved is None and prefix is not None and digests.get(prefix.back.renamed(then)) == digest:
                moved = prefix.back.renamed(then)
            if moved is None:
                found[name] = Change(newest, gap, since_first=False)
                del waiting[name]
            else:
                waiting[name] = (moved, digest)
        newest, gap = number, 0
    found.update({name: Change(newest, gap, since_first=True) for name in waiting})
    return found
