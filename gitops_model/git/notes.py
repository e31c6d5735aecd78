"""Notes on blobs in `refs/notes/gitops-model`: lines of canonical JSON whose merge is set union.

A note belongs to the id of a blob (under LFS, of the pointer), so that it survives amend, rebase, squash and
cherry-pick. Lines are sorted and unique and hold neither time nor host: two writers that know the same write the same
bytes, and two that know different things lose nothing by a union, in any order and any number of times. Lines of
another version or kind, and lines that are no JSON at all, are kept as they are.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from gitops_model.errors import CouldNotRun
from gitops_model.git import refs
from gitops_model.git.commits import IDENTITY, commit_paths, identity
from gitops_model.git.trees import Trees

if TYPE_CHECKING:
    from gitops_model.git.repository import Repository

REF = "refs/notes/gitops-model"

TRACKING = "refs/gitops-model/remote/"
"""Followed by a remote's name: its notes as last fetched, outside `refs/notes`, where a push or a mirror of
`refs/notes/*` would carry them on."""

VERSION = 1

LIMIT = 64 * 1024 * 1024
"""Bytes of a note that are read; a model of 60,000 tensors makes a line of 7 MB."""

ATTEMPTS = 60
"""Tries to move the ref before giving up; each loser waits a random moment that grows to at most half a second."""

_SURROGATE = "[\ud800-\udfff]"


def canonical(fields: Mapping[str, Any]) -> str:
    """The one text of a line: sorted keys, no blanks, UTF-8 where it can be (lone surrogates are escaped)."""
    import json

    line = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return line if line.isascii() else re.sub(_SURROGATE, lambda match: f"\\u{ord(match.group()):04x}", line)


def parse_line(line: str) -> dict[str, Any] | None:
    """The fields of a line that this version understands; None for any other."""
    import json

    try:
        fields: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    known = cast("dict[str, Any]", fields)
    return known if known.get("v") == VERSION and isinstance(known.get("kind"), str) else None


def split(content: bytes) -> set[str]:
    """Lines end with LF only: JSON text may hold U+2028 and its like. Empty ones, as `git notes` adds, go."""
    return {line.decode("utf-8", "surrogateescape") for line in content.split(b"\n") if line.strip()}


def join(lines: Iterable[str]) -> bytes:
    """The bytes of a note: every line once, in the order of its bytes."""
    encoded = sorted({line.encode("utf-8", "surrogateescape") for line in lines})
    return b"".join(line + b"\n" for line in encoded)


def file_digests(fields: Mapping[str, Any]) -> dict[str, str]:
    """The whole-file digests of a line, algorithm to hex; what is no text in it is left out."""
    files: Any = fields.get("files")
    if not isinstance(files, dict):
        return {}
    items = cast("dict[Any, Any]", files).items()
    return {name: value for name, value in items if isinstance(name, str) and isinstance(value, str)}


class Place(NamedTuple):
    """Where a note is in the tree, and the blob that holds it."""

    path: str
    oid: str


class Snapshot:
    """The notes of one commit. The fan-out is read as it is found, at any depth and even mixed, as git does."""

    def __init__(self, repository: "Repository", tip: str | None, count: int = 1) -> None:
        self.tip = tip
        self._repository = repository
        self._objects = repository.objects(count)
        self.trees = Trees(self._objects, repository.id_length)
        self.root = self._tree_of(tip) if tip is not None else None

    def _tree_of(self, tip: str) -> str | None:
        content = self._objects.read(tip)
        if content is not None and content.startswith(b"tree "):  # as every commit does
            return content[5:].partition(b"\n")[0].decode("ascii", "replace")
        return self._repository.lookup(tip, "tree")

    def places(self, oid: str) -> list[Place]:
        """Every place where the note of `oid` stands: one, unless a merge left two fan-outs side by side."""
        return [Place(path, item) for path, item in self._descend(oid)[0]]

    def new_path(self, oid: str) -> str:
        """Where a new note goes: below folders that are there, and one level deep in any case."""
        folder = self._descend(oid)[1] or oid[:2] + "/"
        return folder + oid[len(folder.replace("/", "")) :]

    def _descend(self, oid: str) -> tuple[list[tuple[str, str]], str]:
        found: list[tuple[str, str]] = []
        tree, folder, rest = self.root, "", oid
        while tree is not None:
            items = self.trees.items(tree)
            item = items.get(rest.encode())
            if item is not None and not item.is_tree:
                found.append((folder + rest, item.oid))
            inner = items.get(rest[:2].encode())
            if inner is None or not inner.is_tree or len(rest) <= 2:
                break
            tree, folder, rest = inner.oid, folder + rest[:2] + "/", rest[2:]
        return found, folder

    def lines(self, oid: str) -> set[str]:
        """The lines on a blob; empty when there is no note."""
        lines: set[str] = set()
        for place in self.places(oid):
            lines |= self.read(place.oid)
        return lines

    def read(self, note: str) -> set[str]:
        data = self._objects.read(note, LIMIT)
        if data is None:
            raise missing(note)
        return split(data)

    def all(self) -> dict[str, list[Place]]:
        """Every note: the id it belongs to, and where it stands."""
        notes: dict[str, list[Place]] = {}
        if self.tip is None:
            return notes
        length = 2 * self._repository.id_length
        for entry in self._repository.entries(self.tip):
            oid = entry.path.replace("/", "")
            if entry.oid is not None and len(oid) == length and re.fullmatch("[0-9a-f]+", oid):
                notes.setdefault(oid, []).append(Place(entry.path, entry.oid))
        return notes


Build: TypeAlias = Callable[[Snapshot], tuple[str | None, int]]
"""Makes the commit that should follow a snapshot, None when nothing is to be done, and says how many notes changed."""


class Notes:
    """Notes on blobs: those of this repository, read and written, and those fetched from remotes, which are read."""

    def __init__(self, repository: "Repository", ref: str = REF) -> None:
        self.repository = repository
        self.ref = ref
        self._snapshot: Snapshot | None = None
        self._fetched: list[Snapshot] | None = None
        self._tips: dict[str, str] | None = None

    def expect(self, *, writing: bool = False) -> None:
        """Ask git already what reading notes, or also `writing` some, will want to know."""
        self.repository.git.expect(*refs.tips_command(self.ref, TRACKING))
        if writing:
            self.repository.git.expect(*IDENTITY)

    def tips(self) -> dict[str, str]:
        """Our ref and the remotes', those that are there, as they were when first asked for."""
        if self._tips is None:
            self._tips = refs.tips(self.repository.git, self.ref, TRACKING)
        return self._tips

    def snapshot(self, *, fresh: bool = False, count: int = 1) -> Snapshot:
        if fresh or self._snapshot is None:
            tip = refs.read(self.repository.git, self.ref) if fresh else self.tips().get(self.ref)
            self._snapshot = Snapshot(self.repository, tip, count)
        return self._snapshot

    def lines(self, oid: str) -> list[str]:
        """The lines on a blob, sorted; every kind and version."""
        found = self.snapshot().lines(oid)
        for other in self._remote_snapshots():
            with suppress(CouldNotRun):  # a partial clone may have fetched the tree without the notes
                found |= other.lines(oid)
        return sorted(found)

    def _remote_snapshots(self) -> list[Snapshot]:
        if self._fetched is None:
            tips = {tip for name, tip in self.tips().items() if name.startswith(TRACKING)} - {self.snapshot().tip}
            self._fetched = [Snapshot(self.repository, tip) for tip in sorted(tips)]
        return self._fetched

    def parsed(self, oid: str, kind: str) -> Iterator[dict[str, Any]]:
        """The lines on a blob that are of this kind and version."""
        for line in self.lines(oid):
            fields = parse_line(line)
            if fields is not None and fields["kind"] == kind:
                yield fields

    def add(self, lines: Mapping[str, Iterable[str]], message: str = "Notes added by gitops-model\n") -> int:
        """Unite lines with what is on each blob, in one commit; returns how many notes changed.

        Compare-and-swap: when another writer was faster, the union is made again on top of theirs.
        """
        wanted = {oid: set(some) for oid, some in lines.items()}

        def edits(snapshot: Snapshot) -> dict[str, bytes | str | None]:
            changed: dict[str, bytes | str | None] = {}
            for oid, new in wanted.items():
                changed.update(united(snapshot, oid, new))
            return changed

        def build(snapshot: Snapshot) -> tuple[str | None, int]:
            changed = edits(snapshot)
            if not changed:
                return None, 0
            return self._commit(snapshot, changed, message), sum(1 for new in changed.values() if new is not None)

        return self._advance(build, len(wanted), "gitops-model: add notes")

    def merge(self, theirs: str) -> int:
        """Unite with the notes of another commit (a remote's); returns how many notes here changed."""

        def build(snapshot: Snapshot) -> tuple[str | None, int]:
            git, tip = self.repository.git, snapshot.tip
            if tip == theirs or (tip is not None and refs.is_ancestor(git, theirs, tip)):
                return None, 0
            other = Snapshot(self.repository, theirs)
            ours, other_notes = snapshot.all(), other.all()
            differing = {oid: places for oid, places in other_notes.items() if oids(places) != oids(ours.get(oid, []))}
            if tip is None or refs.is_ancestor(git, tip, theirs):
                return theirs, len(differing)
            snapshot, other = (Snapshot(self.repository, commit, len(differing)) for commit in (tip, theirs))
            changed: dict[str, bytes | str | None] = {}
            count = 0
            for oid, places in differing.items():
                if oid not in ours and len(places) == 1:
                    changed[snapshot.new_path(oid)] = places[0].oid  # theirs alone: no need to read it
                    count += 1
                    continue
                new = united(snapshot, oid, {line for place in places for line in other.read(place.oid)})
                count += bool(new)
                changed.update(new)
            return self._commit(snapshot, changed, "Notes merged by gitops-model\n", merged=(theirs,)), count

        return self._advance(build, 1, "gitops-model: merge notes")

    def _commit(
        self,
        snapshot: Snapshot,
        edits: Mapping[str, bytes | str | None],
        message: str,
        merged: tuple[str, ...] = (),
    ) -> str:
        from gitops_model.git import small_commits

        git, tip = self.repository.git, snapshot.tip
        if not small_commits.fits(edits):
            return commit_paths(git, tip, edits, message, merged=merged, id_length=self.repository.id_length)
        what = small_commits.Commit(((tip,) if tip else ()) + merged, identity(git), message)
        base = small_commits.Base(snapshot.root, snapshot.trees, self.repository.object_format)
        return small_commits.commit(git, base, edits, what)

    def _advance(self, build: Build, count: int, reason: str) -> int:
        for attempt in range(ATTEMPTS):
            snapshot = self.snapshot(fresh=attempt > 0, count=count)  # one out of date loses the race, and costs a turn
            new, changed = build(snapshot)
            if new is None:
                return 0
            if refs.swap(self.repository.git, self.ref, new, snapshot.tip, reason):
                self._snapshot = None
                self.tips()[self.ref] = new
                return changed
            _wait(attempt)
        raise CouldNotRun(f"{self.ref} is changed by others all the time", hint="run the command again")


def united(snapshot: Snapshot, oid: str, new: set[str]) -> dict[str, bytes | str | None]:
    """The edits that make the note of `oid` hold `new` as well; none when it does, in one place."""
    places = snapshot.places(oid)
    old: set[str] = set()
    for place in places:
        old |= snapshot.read(place.oid)
    if len(places) <= 1 and new <= old:
        return {}
    edits: dict[str, bytes | str | None] = {place.path: None for place in places[1:]}
    edits[places[0].path if places else snapshot.new_path(oid)] = join(old | new)
    return edits


def oids(places: list[Place]) -> set[str]:
    return {place.oid for place in places}


def missing(oid: str) -> CouldNotRun:
    return CouldNotRun(
        f"the notes object {oid} is not in this partial clone",
        hint=f"git fetch --no-filter --refetch REMOTE {REF}",
    )


def _wait(attempt: int) -> None:
    import random
    import time

    time.sleep(random.uniform(0, min(0.5, 0.01 * 1.5**attempt)))  # noqa: S311 - to keep writers apart, no secret
