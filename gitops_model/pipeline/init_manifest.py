"""`init MODEL`: a first manifest, written from what the model files themselves say."""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.git.paths import folder_of
from gitops_model.ir import Dim, OtherType, TensorType, Value
from gitops_model.manifest import load, write
from gitops_model.manifest.names import is_manifest_path
from gitops_model.pipeline.check import Part, Parts
from gitops_model.pipeline.file_digests import file_digests
from gitops_model.pipeline.fix import root_of
from gitops_model.pipeline.gather import describe, joined, not_here, relative
from gitops_model.pipeline.replace import create
from gitops_model.pipeline.tree import Tree, special_entry
from gitops_model.readers import format_of_name, is_model_path

if TYPE_CHECKING:
    from gitops_model.git.entries import Entry
    from gitops_model.ir import Model

ARCHITECTURES = ("amd64", "arm64")
FIRST_VERSION = "0.1.0"


class Initial(NamedTuple):
    """`path` is where the text was written, as the user would write it; None where it was only asked for."""

    path: str | None
    text: str


def init_manifest(
    cwd: str,
    environ: Mapping[str, str],
    models: Sequence[str],
    *,
    output: str | None = None,
    name: str | None = None,
    version: str = FIRST_VERSION,
    architecture: Sequence[str] = ARCHITECTURES,
    algorithms: Sequence[str] = ("sha256",),
    force: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Initial:
    """Describe the files `models` of one folder and write `model.yaml` beside them, or `NAME.model.yaml` where other
    models lie there too.

    `output` is another name for it in the same folder, or "-" for nowhere. Files that the models refer to are listed
    with them. Inputs and outputs are those of the first model that has any. Raises BadFile where a model cannot be
    read, CouldNotRun where a manifest is there already and `force` is not set.
    """
    if not models:
        raise CouldNotRun("which model file?", hint="gitops-model init model.onnx")
    with Parts(cwd, environ, None, progress) as parts:
        found = list(parts.of(models, staged=False, rev=None))
        if len(found) != 1 or any(subject.is_manifest for subject in found[0].subjects):
            raise CouldNotRun("a manifest is about model files of one folder; name the files")
        options = _Options(cwd, output, name, version, architecture, algorithms_of(algorithms), force, progress)
        return _init(found[0], options)


class _Options(NamedTuple):
    cwd: str
    output: str | None
    name: str | None
    version: str
    architecture: Sequence[str]
    algorithms: Sequence[str]
    force: bool
    progress: Callable[[int], None] | None


def _init(part: Part, options: _Options) -> Initial:
    tree = part.gatherer.tree
    entries = [subject.entry for subject in part.subjects]
    folder = os.path.commonpath([folder_of(entry.path) or "." for entry in entries]).removeprefix(".")
    if any(folder_of(entry.path) == "" for entry in entries):
        folder = ""
    described = _Described(tree, folder, options.algorithms, options.progress)
    for entry in entries:
        described.add(entry)
    title = options.name or name_of(entries[0].path)
    text = write.manifest(
        name=title,
        version=options.version,
        architecture=options.architecture,
        checksums=dict(sorted(described.checksums.items())),
        inputs=described.inputs,
        outputs=described.outputs,
    )
    _, problems = load(Blob.of_bytes("model.yaml", text.encode("utf-8", "backslashreplace")))
    if problems:
        problem = problems[0]
        raise CouldNotRun(f"the manifest would not be valid: {problem.message} ({problem.code})")
    output = options.output
    if output == "-":
        return Initial(None, text)
    if output is not None:
        full = os.path.normpath(os.path.join(options.cwd, output))
        home = os.path.join(root_of(tree), folder) if folder else root_of(tree)
        if os.path.realpath(os.path.dirname(full)) != os.path.realpath(home):
            raise CouldNotRun(f"{output}: a manifest must lie in the folder of its models")
        create(home, os.path.basename(full), text.encode(), over=options.force)
        return Initial(output, text)
    return Initial(part.shown(_write(part, folder, title, entries, text, force=options.force)), text)


def _write(part: Part, folder: str, title: str, entries: "list[Entry]", text: str, *, force: bool) -> str:
    """Write the manifest beside the models; returns its path."""
    gatherer = part.gatherer
    for entry in entries:
        for manifest in gatherer.listed_by(entry.path):
            if not force:
                from gitops_model.checks import command

                shown = part.shown(manifest.path)
                raise CouldNotRun(
                    f"{part.shown(entry.path)} is listed in {shown} already",
                    hint=command("gitops-model", "check", "--fix", shown),
                )
    mine = {entry.path for entry in entries}
    beside = [entry.path for entry in gatherer.tree.beside(folder) if entry.path not in mine]
    alone = not any(is_model_path(path) or is_manifest_path(path) for path in beside)
    own = joined(
        folder, "model.yaml" if alone or (force and joined(folder, "model.yaml") in beside) else f"{title}.model.yaml"
    )
    create(root_of(gatherer.tree), own, text.encode(), over=force)
    return own


class _Described:
    """Digests and signature of the models that were added, and of the files they refer to."""

    def __init__(
        self, tree: Tree, folder: str, algorithms: Sequence[str], progress: Callable[[int], None] | None
    ) -> None:
        self.tree = tree
        self.folder = folder
        self.algorithms = algorithms
        self.progress = progress
        self.checksums: dict[str, dict[str, str]] = {}
        self.inputs: dict[str, str] | None = None
        self.outputs: dict[str, str] | None = None

    def add(self, entry: "Entry") -> None:
        problem = special_entry(entry, self.tree.here)
        if problem is not None:
            raise BadFile(problem._replace(message=f"{entry.path}: {problem.message}"))
        with self.tree.blob(entry) as blob:
            if not blob.content_is_local:
                raise BadFile(not_here(blob, []))
            model, problems = describe(blob, self.tree)
            if model is None:
                raise BadFile(problems[0]._replace(message=f"{entry.path}: {problems[0].message}"))
            self._digest(entry.path, blob)
        self._signature(model)
        source = self.tree.source(folder_of(entry.path))
        for dep in model.deps:
            with source.open(dep) as blob:
                self._digest(blob.path, blob)

    def _digest(self, path: str, blob: Blob) -> None:
        digests = file_digests(blob, self.algorithms, self.progress)
        self.checksums[relative(self.folder, path)] = {name: digests[name] for name in self.algorithms}

    def _signature(self, model: "Model") -> None:
        if self.inputs is None and model.inputs is not None and model.outputs is not None:
            self.inputs = {value.name: declaration(value) for value in model.inputs}
            self.outputs = {value.name: declaration(value) for value in model.outputs}


def declaration(value: Value) -> str:
    """`{dtype: float32, shape: [batch, 3]}`; a symbol that a manifest could not hold becomes null."""
    match value.type:
        case TensorType(dtype, dims):
            kept = None if dims is None else [dim if usable(dim) else None for dim in dims]
            return f"{{dtype: {dtype}, shape: {write.shape(kept)}}}"
        case OtherType(text):
            return f"{{type: {write.scalar(text)}}}"
        case None:
            return "{type: unknown}"


def usable(dim: Dim) -> bool:
    """Whether a dimension can stand in a manifest: a symbol that looks like a number, or is empty, cannot."""
    if not isinstance(dim, str):
        return True
    return 0 < len(dim) <= 200 and dim.isprintable() and not re.match(r"[-+.]?[0-9]", dim)


def name_of(path: str) -> str:
    """A model's name from its file name: the ending goes, and what cannot stand in a tag becomes `-`."""
    stem = path.rpartition("/")[2]
    row = format_of_name(path)
    for suffix in sorted(row.suffixes if row is not None else (), key=len, reverse=True):
        if stem.lower().endswith(suffix):
            stem = stem[: -len(suffix)]
            break
    name = re.sub(r"\.{2,}|[^A-Za-z0-9._-]+", "-", stem).removesuffix(".lock").strip("-_.")
    return name[:100].rstrip("-_.") or "model"


def algorithms_of(words: Iterable[str]) -> tuple[str, ...]:
    """The digest algorithms that were asked for, once each; CouldNotRun for one that manifests do not take."""
    known = ("sha256", "sha512", "blake3")
    wanted = tuple(dict.fromkeys(words))
    for word in wanted:
        if word not in known:
            raise CouldNotRun(f"{word!r} is no digest that a manifest takes: {', '.join(known)}")
    return wanted
