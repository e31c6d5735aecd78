"""`check`: the findings on manifests and model files of a place.

    report = check(cwd, environ, staged=True)

Subjects are manifests with all their files, and model files that no manifest lists. Without paths: everything in the
work tree, in the commit `rev`, or, with `staged`, what the next commit concerns: manifests that change or list a file
that changes (deletions, renames and symbolic links included), and changed model files without a manifest.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Self

from gitops_model.errors import CouldNotRun
from gitops_model.finding import Finding, Report

if TYPE_CHECKING:
    from gitops_model.checks.facts import Facts
    from gitops_model.config import Config, Ignore
    from gitops_model.git.changes import Change
    from gitops_model.git.entries import Entry
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline.gather import Gatherer
    from gitops_model.pipeline.tree import Tree


class Subject(NamedTuple):
    """One thing to check: a manifest, or a model file by itself; `named` when the user named this very file."""

    entry: "Entry"
    is_manifest: bool
    named: bool = False


class Part(NamedTuple):
    """Subjects of one tree. `shown` makes the paths of findings out of the tree's; `whole` if nothing is left out."""

    gatherer: "Gatherer"
    subjects: list[Subject]
    shown: Callable[[str], str] = str
    whole: bool = False


def check(
    cwd: str,
    environ: Mapping[str, str],
    *,
    paths: Sequence[str] = (),
    staged: bool = False,
    rev: str | None = None,
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    config: "Config | None" = None,
    progress: Callable[[int], None] | None = None,
    deep: bool = False,
    base: str | None = None,
) -> Report:
    """Check and report; `select` and `ignore` are beginnings of codes.

    `paths` are files or folders as the user wrote them, relative to `cwd`; one that is not there is CouldNotRun, as are
    `staged` and `rev` outside a repository. Outside one, a file is checked with its own folder as its world. `config`
    replaces the configuration of the place (the base revision's, on a pull request from a fork). `progress` is called
    with numbers of hashed bytes. `deep` asks the format's own library too (GM012). `base` is the revision that versions
    must have moved from as the models did (GM305).
    """
    with Parts(cwd, environ, config, progress, deep=deep) as parts:
        found = report(parts.of(paths, staged=staged, rev=rev), select, ignore)
        if base is None:
            return found
        from gitops_model.checks import matches
        from gitops_model.pipeline.bump_check import moved_since

        if (select and not matches("GM305", select)) or matches("GM305", ignore):
            return found
        more = moved_since(parts.repository(), base, paths, staged=staged, rev=rev, config=config)
        return found._replace(findings=tuple(sorted({*found.findings, *more}, key=order)))


def order(one: Finding) -> tuple[str, int, int, str, str]:
    return one.path, one.line or 0, one.column or 0, one.code, one.message


def report(parts: "Iterable[Part]", select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()) -> Report:
    """Run the rules over all subjects."""
    from gitops_model import checks

    findings: list[Finding] = []
    manifests = files = 0
    fail_on = "error"
    for part in parts:
        hidden: set[Ignore] = set()
        config = part.gatherer.config
        if config.path is not None:
            fail_on = config.fail_on
        for facts in _facts(part):
            manifests += bool(facts.manifest is not None or facts.problems)
            files += len(facts.files)
            told = list(config.apply(checks.run(facts, select, ignore), hidden))
            if any(one.code == "GM201" for one in told):
                from gitops_model.pipeline.told_once import told_once

                told = list(told_once(told, facts))
            findings += _shown(told, part)
        if part.whole and config.path is not None and not select:
            unneeded = _unneeded(config, hidden)
            findings += config.apply(checks.run(unneeded, select, ignore), hidden)
    findings.sort(key=order)
    return Report(tuple(dict.fromkeys(findings)), manifests, files, fail_on)


def _facts(part: Part) -> "Iterator[Facts]":
    for subject in part.subjects:
        if subject.is_manifest:
            yield part.gatherer.manifest_facts(subject.entry)
        else:
            yield part.gatherer.lone_facts(subject.entry, named=subject.named)


def _shown(findings: Iterable[Finding], part: Part) -> Iterator[Finding]:
    return (finding._replace(path=part.shown(finding.path)) for finding in findings)


ELSEWHERE = ("GM013", "GM311")
"""Rules that only speak where models are run: `check` cannot say that an ignore of them hides nothing."""


def _unneeded(config: "Config", hidden: "set[Ignore]") -> "Facts":
    from gitops_model.checks.facts import Facts, Unneeded

    asked = [one for one in config.ignores() if one.code not in ELSEWHERE]
    rest = tuple(Unneeded(one.code, one.match) for one in asked if one not in hidden)
    return Facts(config.path or "", unneeded=rest)


class Parts:
    """Finds the subjects. Holds the repository open while they are read."""

    def __init__(
        self,
        cwd: str,
        environ: Mapping[str, str],
        config: "Config | None" = None,
        progress: Callable[[int], None] | None = None,
        *,
        deep: bool = False,
    ) -> None:
        self.cwd = cwd
        self.deep = deep
        self.environ = environ
        self.config = config
        self.progress = progress
        self._repository: Repository | None = None
        self._changes: list[Change] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._repository is not None:
            self._repository.close()

    def repository(self) -> "Repository":
        if self._repository is None:
            raise CouldNotRun("there is no repository here, and so no base to compare with")
        return self._repository

    def of(self, paths: Sequence[str], *, staged: bool, rev: str | None) -> "Iterator[Part]":
        from gitops_model.git.entries import INDEX, WORKTREE
        from gitops_model.git.repository import Repository

        if staged and rev is not None:
            raise CouldNotRun("--staged and --rev are two different places")
        needed = staged or rev is not None or not paths
        if needed and not paths:
            _prefetch()
        repository = (Repository.open if needed else Repository.find)(self.cwd, self.environ)
        self._repository = repository
        if repository is None or (repository.is_bare and not staged and rev is None):
            if not paths:
                raise CouldNotRun("a bare repository has no work tree", hint="gitops-model check --rev HEAD")
            yield from self._outside(paths)
            return
        from gitops_model.pipeline.tree import GitTree

        place = INDEX if staged else rev if rev is not None else WORKTREE
        gatherer = self._gatherer(GitTree(repository, place))
        if not paths:
            subjects = concerned(gatherer, self.changes(repository)) if staged else everything(gatherer)
            yield Part(gatherer, subjects, whole=not staged)
            return
        found: dict[str, Subject] = {}
        outside: list[str] = []
        for path in paths:
            inside = self._inside(repository, path)
            if inside is None:
                outside.append(path)
                continue
            for subject in self._named(gatherer, repository, inside, path):
                known = found.get(subject.entry.path)
                found[subject.entry.path] = known if known is not None and known.named else subject
        if outside and place is not WORKTREE:
            raise CouldNotRun(f"{outside[0]} is outside the repository {repository.root}")
        if found:
            yield Part(gatherer, [found[path] for path in sorted(found)])
        yield from self._outside(outside)

    def _gatherer(self, tree: "Tree") -> "Gatherer":
        from gitops_model.checks import CHECKS
        from gitops_model.config import load
        from gitops_model.pipeline.gather import Gatherer
        from gitops_model.pipeline.tree import read

        config = self.config if self.config is not None else load(lambda path: read(tree, path), CHECKS)
        return Gatherer(tree, config, self.progress, deep=self.deep)

    # --- the index --------------------------------------------------------------------------------------------------
    def changes(self, repository: "Repository") -> "list[Change]":
        """What the next commit changes; asked for once."""
        if self._changes is None:
            self._changes = repository.changes(staged=True)
        return self._changes

    # --- paths of the command line ----------------------------------------------------------------------------------
    def _named(self, gatherer: "Gatherer", repository: "Repository", inside: str, path: str) -> Iterator[Subject]:
        """What one path of the command line means: a file itself, or what lies below a folder."""
        from gitops_model.git.entries import INDEX, WORKTREE
        from gitops_model.manifest.names import is_manifest_path
        from gitops_model.pipeline.tree import GitTree

        tree = gatherer.tree
        assert isinstance(tree, GitTree)
        entry = tree.named(inside) if inside else None
        if entry is not None:
            yield Subject(entry, is_manifest_path(inside), named=True)
            return
        if tree.place is INDEX:
            changed = concerned(gatherer, self.changes(repository))
            yield from (subject for subject in changed if is_below(subject.entry.path, inside))
            known = any(is_below(change.path, inside) for change in self.changes(repository))
        else:
            yield from everything(gatherer, inside)
            known = tree.place is WORKTREE and os.path.isdir(f"{repository.root}/{inside}")
        if inside and not known and next(tree.below(inside), None) is None:
            raise CouldNotRun(f"{path}: no such file")

    def _inside(self, repository: "Repository", path: str) -> str | None:
        """The path below the top of the repository; None when it lies elsewhere. Links are followed in folders only."""
        full = os.path.normpath(os.path.join(self.cwd, path))
        full = os.path.join(os.path.realpath(os.path.dirname(full)), os.path.basename(full)) if full != "/" else full
        root = repository.root
        if root is None:
            return os.path.normpath(path).strip("/").removeprefix(".")
        if os.path.realpath(full) == root:
            return ""
        if full.startswith(root.rstrip("/") + "/"):
            return full[len(root.rstrip("/")) + 1 :]
        return None

    def _outside(self, paths: Sequence[str]) -> "Iterator[Part]":
        """Files and folders that belong to no repository of ours."""
        import stat

        from gitops_model.config import Config
        from gitops_model.manifest.names import is_manifest_path
        from gitops_model.pipeline.gather import Gatherer
        from gitops_model.pipeline.tree import Folder

        for path in paths:
            full = os.path.join(self.cwd, path)
            try:
                is_folder = stat.S_ISDIR(os.lstat(full).st_mode)
            except (OSError, ValueError) as error:
                raise CouldNotRun(f"{path}: no such file") from error
            above, name = (full, "") if is_folder else os.path.split(full)
            above_as_written = path if is_folder else path[: len(path) - len(name)]
            shown = "" if os.path.normpath(above_as_written) == "." else os.path.join(above_as_written, "")
            gatherer = Gatherer(Folder(above, shown), self.config or Config(), self.progress, deep=self.deep)
            if is_folder:
                subjects = everything(gatherer)
            else:
                from gitops_model.git.entries import Entry

                entry = Entry(os.lstat(full).st_mode, None, name)
                subjects = [Subject(entry, is_manifest_path(name), named=True)]
            yield Part(gatherer, subjects, shown.__add__)


def concerned(gatherer: "Gatherer", changes: "Iterable[Change]") -> list[Subject]:
    """What changes are about: manifests that change or list a file that changes, and models without a manifest."""
    from gitops_model.git.paths import folder_of
    from gitops_model.manifest.names import is_manifest_path
    from gitops_model.readers import is_model_path

    tree = gatherer.tree
    found: dict[str, Subject] = {}
    for change in changes:
        entry = tree.entry(change.path)
        if entry is not None and is_manifest_path(change.path):
            found[change.path] = Subject(entry, is_manifest=True)
        over = list(gatherer.listed_by(change.path.removesuffix(".dvc")))
        if not over and entry is not None and is_model_path(change.path):
            found[change.path] = Subject(entry, is_manifest=False)
            # added beside a manifest: the folder is incomplete now, which its first manifest tells
            over = gatherer.manifests_in(folder_of(change.path))[:1]
        found.update((manifest.path, Subject(manifest, is_manifest=True)) for manifest in over)
    return [found[path] for path in sorted(found)]


def _prefetch() -> None:
    """Import jsonschema (0.1 s, most of a hook's time) while git is at work; who needs it waits for the rest."""
    from contextlib import suppress
    from importlib import import_module
    from threading import Thread

    def fetch() -> None:
        with suppress(ImportError):  # told where it is needed
            import_module("jsonschema")

    Thread(target=fetch).start()


def everything(gatherer: "Gatherer", folder: str = "") -> list[Subject]:
    """All manifests below a folder, and the model files that no manifest lists."""
    from gitops_model.manifest.names import is_manifest_path
    from gitops_model.readers import is_model_path

    subjects: list[Subject] = []
    for entry in gatherer.tree.below(folder):
        if is_manifest_path(entry.path):
            subjects.append(Subject(entry, is_manifest=True))
        elif is_model_path(entry.path) and not any(gatherer.listed_by(entry.path)):
            subjects.append(Subject(entry, is_manifest=False))
    return subjects


def is_below(path: str, above: str) -> bool:
    return not above or path == above or path.startswith(above + "/")
