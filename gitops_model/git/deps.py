"""Whether a note still speaks of the model at a place: external data and shards must be those that it was made from."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.git.digest import blob_id, digest
from gitops_model.git.entries import Entry
from gitops_model.git.lookup import Lookup
from gitops_model.git.paths import folder_of, resolve

if TYPE_CHECKING:
    from gitops_model.git.notes import Notes


def describe(lookup: Lookup, path: str, deps: tuple[str, ...]) -> list[dict[str, str]]:
    """The `deps` of a note for the model at `path`: for each file that it names, the id of its blob at the place.

    A work-tree file that git does not hold gets the id that git would give its bytes. Raises as `Source.open` does.
    """
    repository, place = lookup.repository, lookup.place
    described: list[dict[str, str]] = []
    for dep in sorted(set(deps)):
        entry = lookup.content(resolve(folder_of(path), dep))
        oid = entry.oid if entry is not None and entry.is_regular else None
        if oid is None:
            with repository.source(place, folder_of(path)).open(dep) as blob:
                oid = blob_id(blob, repository.object_format)
        described.append({"blob": oid, "path": dep})
    return described


def current(lookup: Lookup, path: str, fields: dict[str, Any]) -> bool:
    """Whether every dep of a note line is at the place what the line says; a malformed list is not."""
    deps: Any = fields.get("deps", [])
    return isinstance(deps, list) and all(_matches(lookup, path, dep) for dep in cast("list[Any]", deps))


def needed(fields: dict[str, Any], path: str) -> set[str]:
    """The files that a note line on the model at `path` rests on, from the root; malformed deps are left out."""
    deps: Any = fields.get("deps")
    found: set[str] = set()
    for dep in cast("list[Any]", deps) if isinstance(deps, list) else ():
        name: Any = cast("dict[str, Any]", dep).get("path") if isinstance(dep, dict) else None
        if isinstance(name, str):
            with suppress(BadFile):
                found.add(resolve(folder_of(path), name))
    return found


def valid(notes: "Notes", lookup: Lookup, entry: Entry, kind: str = "fingerprint") -> list[dict[str, Any]]:
    """The lines of this kind on an entry's blob that hold at the place of `lookup`; content before pointer."""
    if entry.oid is None:
        return []
    lines = [fields for fields in notes.parsed(entry.oid, kind) if current(lookup, entry.path, fields)]
    return sorted(lines, key=lambda fields: fields.get("source") != "content")


def _matches(lookup: Lookup, path: str, dep: Any) -> bool:
    if not isinstance(dep, dict):
        return False
    said = cast("dict[str, Any]", dep)
    name, oid, sha256 = said.get("path"), said.get("blob"), said.get("sha256")
    if not isinstance(name, str) or not (isinstance(oid, str) or isinstance(sha256, str)):
        return False
    try:
        repository, place = lookup.repository, lookup.place
        entry = lookup.content(resolve(folder_of(path), name))
        if entry is None or not entry.is_regular:
            return False
        if isinstance(oid, str) and entry.oid is not None:
            return entry.oid == oid
        with repository.blob(entry, place) as blob:
            if isinstance(oid, str):
                return blob_id(blob, repository.object_format) == oid
            if blob.pointer is not None and blob.pointer.algorithm == "sha256":
                return blob.pointer.digest == sha256
            return digest(blob, "sha256") == sha256
    except (BadFile, CouldNotRun):
        return False
