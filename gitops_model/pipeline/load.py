"""From a file that the user named, or a file of a commit, to a description with digests; `show` and `diff` share it."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

from gitops_model.blob import Blob, NoSource, Source
from gitops_model.diff.result import Side
from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.ir import Model, Tensor
from gitops_model.readers import OPAQUE, read_model

if TYPE_CHECKING:
    from gitops_model.git.repository import Repository
    from gitops_model.readers.bytes import TensorBytes


class Opened(NamedTuple):
    """A model file: its bytes, and the door to the files that it names. Close it, or use `with`."""

    blob: Blob
    source: Source

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.blob.close()


def open_named(word: str, cwd: str, environ: Mapping[str, str]) -> Opened:
    """`[REV:]PATH`: a file on disk, which may lie anywhere, or one of a commit (REV empty: of the index).

    An existing file is meant before a revision. In REV:PATH the path starts at the top of the repository, as for git,
    unless it begins with `./` or `../`.
    """
    full = os.path.join(cwd, word)
    if os.path.lexists(full):
        return _on_disk(full, word, environ)
    revision, colon, path = word.partition(":")
    if not colon:
        raise CouldNotRun(f"{word}: no such file")
    from gitops_model.git.entries import INDEX
    from gitops_model.git.paths import folder_of
    from gitops_model.git.repository import Repository

    repository = Repository.open(cwd or os.curdir, environ)
    place = revision or INDEX
    if path.startswith(("./", "../")):
        path = os.path.normpath(repository.prefix + path)
    entry = repository.entry(place, path)
    if entry is None:
        raise CouldNotRun(f"{path!r} is not in {revision or 'the index'}")
    return Opened(repository.blob(entry, place), repository.source(place, folder_of(path)))


def _on_disk(full: str, word: str, environ: Mapping[str, str]) -> Opened:
    blob = Blob.of_file(full, word)
    source = DiskSource(full, environ)
    if blob.size < 1024 and blob.head(1024).startswith(b"version https://git-lfs"):
        found = source.tracked()
        if found is not None:
            blob.close()
            return Opened(found, source)
    return Opened(blob, source)


class DiskSource:
    """The files beside a model on disk: below the top of its repository, or below its own folder outside one.

    Nothing asks git before the model names another file.
    """

    def __init__(self, filename: str, environ: Mapping[str, str]) -> None:
        self._file = os.path.realpath(filename)
        self._environ = environ
        self._found: tuple[Repository | None, str, str] | None = None

    def _where(self) -> "tuple[Repository | None, str, str]":
        """(repository, root, folder below it)"""
        if self._found is None:
            from gitops_model.git.environment import for_other
            from gitops_model.git.repository import Repository

            folder = os.path.dirname(self._file)
            repository = Repository.find(folder, for_other(self._environ))
            root = repository.root if repository is not None else None
            if repository is None or root is None:
                self._found = (None, folder, "")
            else:
                self._found = (repository, root, os.path.relpath(folder, root) if folder != root else "")
        return self._found

    def open(self, path: str) -> Blob:
        from gitops_model.git.source import FolderSource

        repository, root, folder = self._where()
        try:
            return FolderSource(root, folder).open(path)
        except BadFile as error:
            if repository is None or error.problem.code != "GM003":
                raise
        from gitops_model.git.entries import WORKTREE

        return repository.source(WORKTREE, folder).open(path)

    def tracked(self) -> Blob | None:
        """The file as its repository has it, a pointer resolved; None where no repository knows it."""
        from gitops_model.git.entries import WORKTREE

        repository, _, folder = self._where()
        if repository is None:
            return None
        name = os.path.basename(self._file)
        entry = repository.entry(WORKTREE, f"{folder}/{name}" if folder else name)
        return repository.blob(entry, WORKTREE) if entry is not None else None


def read(opened: Opened) -> Model:
    """The description; the BadFile of a bad file says which one it is."""
    try:
        return read_model(opened.blob, opened.source)
    except BadFile as error:
        raise named(error, opened.blob.path) from error


def named(error: BadFile, path: str) -> BadFile:
    problem = error.problem
    if problem.message.startswith(f"{path}: "):
        return error
    return BadFile(problem._replace(message=f"{path}: {problem.message}"))


def describe(opened: Opened, *, digests: bool = True, line: Mapping[str, Any] | None = None) -> Side:
    """Read a model and digest it. Tensors whose bytes cannot be had have the digest None, and then so has the whole.

    `line` is a note's on this content: where it names the same tensors, none of them is read. Raises BadFile for a
    model that cannot be read.
    """
    return described(read(opened), opened, digests=digests, line=line)


def described(model: Model, opened: Opened, *, digests: bool = True, line: Mapping[str, Any] | None = None) -> Side:
    """The same for a description that was read already."""
    from gitops_model.fingerprint import signature_digest, structure_digest
    from gitops_model.pipeline.file_digests import file_digests
    from gitops_model.readers.bytes import TensorBytes

    with TensorBytes(opened.blob, opened.source) as data:
        try:
            structure = structure_digest(model, data) or ""
        except BadFile as error:
            raise named(error, opened.blob.path) from error
        signature = signature_digest(model) or ""
        if not digests:
            return Side(model, (None,) * len(model.tensors), "", structure, signature)
        if model.format == OPAQUE:
            model.properties |= file_digests(opened.blob, ["blake3"])
        known = _recorded(Side(model, (), "", structure, signature), line, data) if line is not None else None
        side = known or _digested(Side(model, (), "", structure, signature), data, absent(model, opened.source))
    # For what digests do not tell (a folded constant). It opens nothing before it is asked.
    return side._replace(data=TensorBytes(opened.blob, opened.source))


def _recorded(side: Side, line: Mapping[str, Any], data: "TensorBytes") -> Side | None:
    """The side with a note's digests; None where the note is not about these tensors."""
    from gitops_model.fingerprint.tensors import tensor_digests

    rows = line.get("tensors")
    said = [[tensor.name, tensor.dtype, list(tensor.shape)] for tensor in side.model.tensors]
    if not isinstance(rows, list) or [row[:3] for row in cast("list[list[Any]]", rows)] != said:
        return None
    stored = constants(side.model)
    raw, _ = tensor_digests(stored, data)
    return side._replace(
        digests=tuple(str(row[3]) for row in cast("list[list[Any]]", rows)),
        weights=str(line.get("weights", "")),
        optimizer=str(line.get("optimizer", "")),
        constants={tensor: digest.hex() for tensor, digest in zip(stored, raw, strict=True)},
    )


def absent(model: Model, source: Source) -> set[str]:
    """The files that the model names and that cannot be opened."""
    if isinstance(source, NoSource):
        return set(model.deps)
    missing: set[str] = set()
    for path in model.deps:
        try:
            source.open(path).close()
        except BadFile:
            missing.add(path)
    return missing


def _digested(side: Side, data: object, missing: set[str]) -> Side:
    from gitops_model.fingerprint import weights_digest
    from gitops_model.fingerprint.tensors import tensor_digests
    from gitops_model.fingerprint.weights import header_digest
    from gitops_model.readers.bytes import TensorBytes
    from gitops_model.render.show import external

    assert isinstance(data, TensorBytes)
    model = side.model
    here = [
        index
        for index, tensor in enumerate(model.tensors)
        if not missing or (place := external(tensor.data)) is None or place.path not in missing
    ]
    stored = constants(model)
    raw, _ = tensor_digests([*(model.tensors[index] for index in here), *stored], data)
    digests: list[bytes | None] = [None] * len(model.tensors)
    for index, digest in zip(here, raw, strict=False):
        digests[index] = digest
    known = [(t, d) for t, d in zip(model.tensors, digests, strict=True) if d is not None]
    weights = optimizer = ""
    if len(known) == len(model.tensors):
        named_weights = [(tensor.name, digest) for tensor, digest in known if tensor.group != "optimizer"]
        training = [(tensor.name, digest) for tensor, digest in known if tensor.group == "optimizer"]
        empty = not named_weights and model.header is not None
        weights = header_digest(data, model.header) if empty and model.header else weights_digest(named_weights)
        optimizer = weights_digest(training, recipe="optimizer") if training else ""
    return side._replace(
        digests=tuple(None if digest is None else digest.hex() for digest in digests),
        weights=weights,
        optimizer=optimizer,
        constants={tensor: digest.hex() for tensor, digest in zip(stored, raw[len(here) :], strict=True)},
    )


def constants(model: Model) -> list[Tensor]:
    """The tensors that stand in attributes and are no weights (the value of a ConstantOfShape)."""
    from gitops_model.diff.graph import nodes

    weights = set(map(id, model.tensors))
    found: dict[Tensor, None] = {}
    for node in nodes(model):
        for attribute in node.attributes:
            value = attribute.value
            items = value if attribute.kind in {"tensors", "sparse_tensors"} and isinstance(value, tuple) else (value,)
            for item in items:
                if isinstance(item, Tensor) and id(item) not in weights:
                    found[item] = None
    return list(found)
