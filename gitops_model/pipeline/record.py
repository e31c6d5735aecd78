"""Hash models and keep what was found in notes on their blobs; what a valid note says already is not hashed again."""

from collections.abc import Callable, Iterable, Iterator
from threading import Thread
from typing import Any, NamedTuple, TypeAlias

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, CouldNotRun, Problem
from gitops_model.git import deps as _deps
from gitops_model.git.entries import INDEX, Entry, Place
from gitops_model.git.lookup import Lookup
from gitops_model.git.notes import VERSION, Notes, canonical
from gitops_model.git.notes import file_digests as stated
from gitops_model.git.paths import folder_of
from gitops_model.git.repository import Repository
from gitops_model.ir import Model
from gitops_model.pipeline.file_digests import file_digests
from gitops_model.pipeline.listed import Listed
from gitops_model.pipeline.recorded import facts
from gitops_model.pipeline.selection import from_root, models, staged_models
from gitops_model.readers import FORMATS, format_of_name, read_model
from gitops_model.render.record import Outcome, Recorded

Progress: TypeAlias = Callable[[str, int, int], None]

BATCH = 64
"""Files after which notes are written, so that an interrupted run keeps what it has done."""

ALGORITHMS = frozenset(("sha256", "sha512", "blake3"))
"""Whole-file digests that a note or a manifest may hold."""

FILE_DIGESTS = ("sha256", "blake3")
"""What `--file-digests` computes over whole files."""


LONG = 64 << 20
"""Bytes whose hashing takes longer than the imports that may run beside it."""


class Options(NamedTuple):
    file_digests: bool = False
    lfs_fetch: bool = False
    """Download what Git LFS has not got here; nothing is downloaded otherwise."""
    jobs: int | None = None


def record(
    repository: Repository,
    *,
    staged: bool = False,
    revision: str | None = None,
    history: bool = False,
    paths: Iterable[str] = (),
    options: Options = Options(),  # noqa: B008 - immutable
    progress: Progress | None = None,
) -> Outcome:
    """Record the models of the index (`staged`: those that the next commit changes), of a revision, or of all commits.

    `paths` are as typed in the caller's folder. Raises CouldNotRun; a bad file is a `Recorded` that failed.
    """
    paths = list(paths)
    _expect(repository, None if staged or history or revision else paths)
    recorder = Recorder(repository, options, progress)
    try:
        if history:
            _record_history(recorder, paths)
        elif staged:
            recorder.all(INDEX, staged_models(repository, recorder.notes, paths))
        elif revision is not None:
            recorder.all(repository.resolve(revision), models(repository, revision, paths))
        elif repository.is_bare:
            raise CouldNotRun("a bare repository has no index", hint="gitops-model record --rev HEAD")
        else:
            recorder.all(INDEX, models(repository, INDEX, paths))
    finally:
        recorder.flush()
    return Outcome(tuple(recorder.files), recorder.written)


def _expect(repository: Repository, paths: list[str] | None) -> None:
    """Let git answer, while we import, what the run will ask for; `paths` of the index, None for another place."""
    Notes(repository).expect(writing=True)
    if paths is None or len(paths) != 1 or repository.root is None:
        return
    (name,) = from_root(repository, paths)
    if name != ".":
        repository.expect(name)


def _record_history(recorder: "Recorder", paths: Iterable[str]) -> None:
    """Every version of every model; and again where only its external data changed."""
    from gitops_model.git.history import commits, versions

    git = recorder.repository.git
    suffixes = sorted({suffix for row in FORMATS for suffix in row.suffixes})
    wanted = set(from_root(recorder.repository, paths))
    external: dict[str, set[str]] = {}
    for version in versions(git, suffixes):
        path = version.entry.path
        if format_of_name(path) is None or (wanted and not any(_below(path, name) for name in wanted)):
            continue
        done = recorder.one(version.commit, version.entry, commit=version.commit)
        external.setdefault(path, set()).update(_deps.needed(done.fields, path))
    for path, files in external.items():
        for commit in commits(git, [f":(top,literal){name}" for name in sorted(files)]) if files else ():
            entry = recorder.repository.entry(commit, path)
            if entry is not None and entry.is_regular:
                recorder.one(commit, entry, commit=commit, quiet=True)


def _below(path: str, name: str) -> bool:
    return name in (".", path) or path.startswith(name + "/")


class Recorder:
    """One run: what is known, what is to be written, what was said."""

    def __init__(self, repository: Repository, options: Options, progress: Progress | None) -> None:
        self.repository = repository
        self.options = options
        self.notes = Notes(repository)
        self.listed = Listed(repository)
        self.files: list[Recorded] = []
        self.written = 0
        self._progress = progress
        self._lookup: Lookup | None = None
        self._new: dict[str, set[str]] = {}
        self._done: dict[str, list[dict[str, Any]]] = {}

    def all(self, place: Place, entries: Iterable[Entry]) -> None:
        wanted = list(entries)
        for count, entry in enumerate(wanted):
            if self._progress is not None:
                self._progress(entry.path, count, len(wanted))
            self.one(place, entry)
        if self._progress is not None:
            self._progress("", len(wanted), len(wanted))

    def one(self, place: Place, entry: Entry, *, commit: str | None = None, quiet: bool = False) -> Recorded:
        """Record one file; `quiet` keeps a file that was known already out of the result."""
        assert entry.oid is not None
        try:
            done = self._record(place, entry)
        except BadFile as error:
            done = Recorded(entry.path, entry.oid, "failed", {}, (error.problem,))
        done = done._replace(commit=commit)
        if not (quiet and done.state == "known"):
            self.files.append(done)
        if done.state in ("recorded", "pointer"):
            self._new.setdefault(entry.oid, set()).add(canonical(done.fields))
            self._done.setdefault(entry.oid, []).append(done.fields)
            if len(self._new) >= BATCH:
                self.flush()
        return done

    def flush(self) -> None:
        new, self._new = self._new, {}
        if new:
            self.written += self.notes.add(new, "Notes added by gitops-model record\n")

    def _record(self, place: Place, entry: Entry) -> Recorded:
        assert entry.oid is not None
        wanted = self._digests_wanted(place, entry.path)
        lookup = self._lookup_at(place)
        known = list(self._known(lookup, entry))
        for fields in known:
            if fields.get("source") == "content" and wanted <= set(stated(fields)):
                return Recorded(entry.path, entry.oid, "known", fields)
        with self.repository.blob(entry, place, fetch=self.options.lfs_fetch) as blob:
            if not blob.content_is_local:
                return self._pointer(blob, entry, known)
            if known and known[0].get("source") == "content":
                fields, problems = known[0], ()
            else:
                fields, problems = describe(lookup, entry.path, blob, self.options.jobs)
            fresh = wanted if blob.pointer is not None else wanted - set(stated(fields))
            digests = file_digests(blob, fresh)
            check_pointer(blob, digests)
            files = {**stated(fields), **digests}
            if files:
                fields = {**fields, "files": files}
            if blob.changed():
                raise CouldNotRun(f"{entry.path} changed while it was read", hint="run the command again")
            return Recorded(entry.path, entry.oid, "recorded", fields, problems)

    def _lookup_at(self, place: Place) -> Lookup:
        if self._lookup is None or self._lookup.place != place:
            self._lookup = Lookup(self.repository, place)
        return self._lookup

    def _known(self, lookup: Lookup, entry: Entry) -> Iterator[dict[str, Any]]:
        """Valid lines, also those of this run, which need not be written yet."""
        for fields in self._done.get(entry.oid or "", ()):
            if _deps.current(lookup, entry.path, fields):
                yield fields
        yield from _deps.valid(self.notes, lookup, entry)

    def _pointer(self, blob: Blob, entry: Entry, known: list[dict[str, Any]]) -> Recorded:
        assert entry.oid is not None
        if known:
            return Recorded(entry.path, entry.oid, "known", known[0])
        fields: dict[str, Any] = {"v": VERSION, "kind": "fingerprint", "source": "pointer", "deps": []}
        row = format_of_name(blob.path)
        if row is not None:
            fields["format"] = row.name
        if blob.pointer is not None:
            fields["files"] = {blob.pointer.algorithm: blob.pointer.digest}
        return Recorded(entry.path, entry.oid, "pointer", fields)

    def _digests_wanted(self, place: Place, path: str) -> set[str]:
        wanted = set(self.listed.algorithms(place, path))
        return wanted | set(FILE_DIGESTS) if self.options.file_digests else wanted


def describe(
    lookup: Lookup, path: str, blob: Blob, jobs: int | None = None
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The fields of the note line on this content, freshly computed, and what reading it showed."""
    from gitops_model.fingerprint import fingerprint
    from gitops_model.readers.bytes import TensorBytes

    source = lookup.repository.source(lookup.place, folder_of(path))
    try:
        model = read_model(blob, source)
    except BadFile as error:
        model = opaque(blob, error)
    if blob.size >= LONG:
        Thread(target=_import_beside, daemon=True).start()
    with TensorBytes(blob, source) as data:
        found = fingerprint(model, data, jobs)
    fields: dict[str, Any] = {
        "v": VERSION,
        "kind": "fingerprint",
        "format": found.format,
        "source": "content",
        "weights": found.weights,
        "structure": found.structure,
        "deps": _deps.describe(lookup, path, model.deps),
        "tensors": [[tensor.name, tensor.dtype, list(tensor.shape), tensor.digest] for tensor in found.tensors],
    }
    said = facts(model)
    if said is not None:
        fields |= {"facts": said, "model": found.model}
    if found.signature is not None:
        fields["signature"] = found.signature
    if found.optimizer is not None:
        fields["optimizer"] = found.optimizer
    if blob.pointer is not None:
        fields["files"] = {blob.pointer.algorithm: blob.pointer.digest}
    return fields, tuple(dict.fromkeys((*model.problems, *found.problems)))


def _import_beside() -> None:
    """What writing the notes needs, imported while the hashing leaves the interpreter alone."""
    import json  # noqa: F401 # pyright: ignore[reportUnusedImport]

    import gitops_model.git.small_commits  # noqa: F401 # pyright: ignore[reportUnusedImport]


def opaque(blob: Blob, error: BadFile) -> Model:
    """What is not read here is recorded by its bytes; a file that is not what its name promises is not recorded."""
    from gitops_model.readers.opaque import of_stranger

    if error.problem.code == "GM009" or format_of_name(blob.path) is None:
        model = of_stranger(blob, error.problem)
        if model is not None:
            return model
    raise error


def check_pointer(blob: Blob, digests: dict[str, str]) -> None:
    """BadFile GM201 when the content is not what its pointer says."""
    pointer = blob.pointer
    if pointer is not None and digests.get(pointer.algorithm, pointer.digest) != pointer.digest:
        raise BadFile(
            Problem(
                "GM201",
                "the content that Git LFS keeps here is not what the pointer says",
                expected=f"{pointer.algorithm} {pointer.digest}",
                found=digests[pointer.algorithm],
                hint="git lfs fsck",
            )
        )
