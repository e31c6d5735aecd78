"""The facts of one subject: everything that needs a handle is done here, so that checks need none."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gitops_model.checks.facts import Absent, Facts, FileFacts, Linked, OutOfStep
from gitops_model.errors import BadFile, CouldNotRun, Problem
from gitops_model.git.paths import folder_of
from gitops_model.manifest import Listed, Manifest, is_manifest_path, load
from gitops_model.nearest import nearest
from gitops_model.pipeline.tree import Tree, TreeSource, special_entry
from gitops_model.readers import HEAD, audit, is_model_path, may_be_model

if TYPE_CHECKING:
    from gitops_model.blob import Blob
    from gitops_model.config import Config
    from gitops_model.git.entries import Entry
    from gitops_model.ir import Model

DVC = ".dvc"
"""`m.onnx.dvc` stands for a model that git ignores and DVC keeps."""

MAX_RESTORED = 20
"""Absent files for which a way back is looked up; finding one may take a git process."""

MAX_NAMES = 1000
"""Names of a folder among which a slip is looked for."""

MAX_DEPS = 100
"""Other files of one model whose absence is told one by one."""


class Gatherer:
    """Facts about subjects of one tree. Manifests and digests are kept, so that nothing is hashed twice."""

    def __init__(
        self,
        tree: Tree,
        config: "Config",
        progress: Callable[[int], None] | None = None,
        *,
        deep: bool = False,
    ) -> None:
        self.tree = tree
        self.deep = deep
        self.config = config
        self.progress = progress
        self._manifests: dict[str, tuple[Manifest | None, tuple[Problem, ...]]] = {}
        self._folders: dict[str, list[Entry]] = {}
        """The manifests of each folder that was asked about."""
        self._digests: dict[str, dict[str, str]] = {}
        """What was computed over each file: `--fix` looks at everything twice."""

    # --- manifests --------------------------------------------------------------------------------------------------
    def manifest(self, entry: "Entry") -> tuple[Manifest | None, tuple[Problem, ...]]:
        """The manifest at an entry, read once."""
        known = self._manifests.get(entry.path)
        if known is None:
            known = self._manifests[entry.path] = self._load(entry)
        return known

    def forget(self, path: str) -> None:
        """Read the manifest at `path` again when it is asked for next: it was written."""
        self._manifests.pop(path, None)

    def _load(self, entry: "Entry") -> tuple[Manifest | None, tuple[Problem, ...]]:
        problem = special_entry(entry, self.tree.here)
        if problem is not None:
            return None, (problem._replace(code="GM008", message=problem.message.replace("model file", "manifest")),)
        try:
            with self.tree.blob(entry) as blob:
                return load(blob, self.config.limit("manifest-size", entry.path) or 1)
        except BadFile as error:
            return None, (error.problem,)

    def manifests_over(self, path: str) -> Iterator["Entry"]:
        """The manifests that could list `path`: those in its folder and in the folders above."""
        folder = path
        while folder:
            folder = folder_of(folder)
            yield from self.manifests_in(folder)

    def manifests_in(self, folder: str) -> "list[Entry]":
        """The manifests that lie in `folder` itself, by name."""
        known = self._folders.get(folder)
        if known is None:
            known = [entry for entry in self.tree.beside(folder) if is_manifest_path(entry.path)]
            self._folders[folder] = known
        return known

    def listed_by(self, path: str) -> Iterator["Entry"]:
        """The manifests that list `path`."""
        for entry in self.manifests_over(path):
            manifest, _ = self.manifest(entry)
            if manifest is not None and relative(folder_of(entry.path), path) in manifest.checksums:
                yield entry

    def manifest_facts(self, entry: "Entry") -> Facts:
        """A manifest with its files."""
        manifest, problems = self.manifest(entry)
        facts = Facts(entry.path, problems, manifest, here=self.tree.here)
        if manifest is None:
            return facts
        files: list[FileFacts] = []
        absent: list[Absent] = []
        linked: list[Linked] = []
        for listed in manifest.checksums.values():
            path = joined(folder_of(entry.path), listed.path)
            found = self.tree.entry(path)
            link = path if found is not None and found.is_symlink else self.tree.link_above(path)
            if link is not None:
                linked.append(Linked(listed.path, path, link))
            elif found is None and (pointer := self.tree.entry(path + DVC)) is not None:
                files.append(self._file(pointer, listed))
            elif found is None:
                few = len(absent) < MAX_RESTORED
                absent.append(self._absent(path, listed.path) if few else Absent(listed.path))
            else:
                files.append(self._file(found, listed))
        facts.files = tuple(files)
        facts.absent = tuple(absent)
        facts.linked = tuple(linked)
        facts.unlisted = tuple(self._unlisted(entry))
        facts.out_of_step = tuple(self._out_of_step(files))
        return facts

    def _out_of_step(self, files: list[FileFacts]) -> Iterator[OutOfStep]:
        """Files of one name in other formats are one model: do they hold the same weights?"""
        by_stem: dict[str, list[FileFacts]] = {}
        for file in files:
            if file.model is not None and file.model.tensors:
                by_stem.setdefault(file.listed.rpartition(".")[0], []).append(file)
        for group in by_stem.values():
            if len({file.model.format for file in group if file.model is not None}) > 1:
                from gitops_model.pipeline.siblings import out_of_step

                yield from out_of_step(self.tree, group)

    def _absent(self, path: str, listed: str) -> Absent:
        """What there is instead of a listed file, and how to get it back."""
        if self.tree.is_folder(path):
            return Absent(listed, is_folder=True)
        folder, _, name = path.rpartition("/")
        names = [entry.path.rpartition("/")[2] for entry in self.tree.beside(folder)]
        close = nearest(name, names[:MAX_NAMES])
        meant = None if close is None else listed[: len(listed) - len(name)] + close
        return Absent(listed, self.tree.how_to_restore(path), meant)

    def _unlisted(self, manifest: "Entry") -> Iterator[str]:
        """Model files beside a manifest that none lists, told with the first manifest of the folder."""
        folder = folder_of(manifest.path)
        if self.manifests_in(folder)[:1] in ([], [manifest]):
            for entry in self.tree.beside(folder):
                # a link is GM116 already, and a special file GM008
                if entry.is_regular and is_model_path(entry.path) and not any(self.listed_by(entry.path)):
                    yield entry.path

    # --- model files ------------------------------------------------------------------------------------------------
    def lone_facts(self, entry: "Entry", *, named: bool = False) -> Facts:
        """A model file by itself. It cannot be read: one problem, on the file."""
        return Facts(entry.path, files=(self._file(entry, None),), named=named, here=self.tree.here)

    def _file(self, entry: "Entry", listed: Listed | None) -> FileFacts:
        facts = FileFacts(entry.path.removesuffix(DVC), listed=listed.path if listed is not None else "")
        if self.tree.in_git:
            facts.largest_outside_lfs = self.config.limit("weights-outside-lfs", entry.path)
        problem = special_entry(entry, self.tree.here)
        if problem is not None:
            facts.problems = (problem,)
            return facts
        try:
            with self.tree.blob(entry) as blob:
                facts.size, facts.pointer = blob.size, blob.pointer
                facts.content_is_local = blob.content_is_local
                self._read_blob(blob, facts, listed)
        except BadFile as error:
            facts.problems = (*facts.problems, error.problem)
        return facts

    def _read_blob(self, blob: "Blob", facts: FileFacts, listed: Listed | None) -> None:
        if blob.pointer is not None and blob.pointer.algorithm == "sha256":
            facts.digests["sha256"] = blob.pointer.digest
        wanted = [digest.algorithm for digest in listed.digests] if listed is not None else []
        facts.digests |= self._digests.get(facts.path, {})
        wanted = [name for name in dict.fromkeys(wanted) if name not in facts.digests]
        if not blob.content_is_local:
            facts.problems = (not_here(blob, wanted),)
            return
        if listed is None or may_be_model(facts.path, blob.head(HEAD)):
            facts.model, facts.problems = describe(blob, self.tree)
            if facts.model is not None:
                facts.problems += tuple(audit(blob))
            if self.deep and facts.model is not None and not facts.problems:
                from gitops_model.pipeline.deep import deep_problems

                facts.problems = deep_problems(blob, facts.model)
        if wanted:
            from gitops_model.pipeline.file_digests import file_digests

            facts.digests |= file_digests(blob, wanted, self.progress)
            if blob.changed():
                raise CouldNotRun(f"{facts.path} changed while it was read", hint="run the command again")
            self._digests[facts.path] = facts.digests


def describe(blob: "Blob", tree: Tree) -> "tuple[Model | None, tuple[Problem, ...]]":
    """The model of a file, and all that reading it says; its other files must be there."""
    from gitops_model.readers import read_model

    source = tree.source(folder_of(blob.path))
    try:
        model = read_model(blob, source)
    except BadFile as error:
        problems = [error.problem]
        if error.problem.code == "GM004" and _is_pickle(blob.head(HEAD)):
            problems.append(
                Problem("GM604", "this is a pickle, and loading a pickle runs code", None, None, "data", "a pickle")
            )
        return None, tuple(problems)
    problems = list(model.problems)
    said = {problem.code for problem in problems}
    for dep in model.deps[:MAX_DEPS]:
        try:
            if isinstance(source, TreeSource):
                source.find(dep)  # opening would bring the content of a large blob to disk
            else:
                source.open(dep).close()
        except BadFile as error:
            if error.problem.code not in said:  # else the reader has told of it
                problems.append(error.problem)
    return model, tuple(problems)


def _is_pickle(head: bytes) -> bool:
    from gitops_model.readers.recognise import foreign

    stranger = foreign(head)
    return stranger is not None and "pickle" in stranger.kind


def not_here(blob: "Blob", uncompared: list[str]) -> Problem:
    """GM003 for a pointer whose content is not on this machine; `uncompared` are digests that needed it."""
    from gitops_model.checks import command

    assert blob.pointer is not None
    system = blob.pointer.system
    message = f"this is a {system} pointer and its content is not here"
    if uncompared:
        message += f", so {' and '.join(uncompared)} could not be compared"
    hint = {"lfs": command("git", "lfs", "pull", f"--include={blob.path}"), "dvc": command("dvc", "pull", blob.path)}
    return Problem("GM003", message, None, None, "the content", "a pointer", hint.get(system))


def joined(folder: str, path: str) -> str:
    return f"{folder}/{path}" if folder else path


def relative(folder: str, path: str) -> str:
    """`path` as a manifest in `folder`, which is above it, writes it."""
    return path[len(folder) + 1 :] if folder else path
