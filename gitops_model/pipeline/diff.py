"""Compare models: two files, or every model file that differs between two states of a repository."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from gitops_model.blob import Blob
from gitops_model.checks import command
from gitops_model.diff import diff_models
from gitops_model.diff.result import Limits, ModelDiff, Side
from gitops_model.errors import BadFile, CouldNotRun, Problem
from gitops_model.pipeline.diff_arguments import TwoFiles, TwoStates, understand
from gitops_model.pipeline.load import Opened, describe, named, open_named
from gitops_model.readers import is_model_path
from gitops_model.render.diff import Compared, FileDiff

if TYPE_CHECKING:
    from gitops_model.git.changes import Change
    from gitops_model.git.entries import Entry, Place
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline.probe import Limits as RunLimits
    from gitops_model.pipeline.recorded import Known

STATUS = {"A": "added", "D": "removed", "M": "modified", "T": "modified", "R": "renamed", "C": "added", "U": "conflict"}


class Use(NamedTuple):
    """`notes`: believe the notes of the models (a verdict that can fail a job does not), so that nothing is hashed;
    `measure`: say how much weights changed, even where notes spare reading them; `run`: run both models on the same
    inputs, within these limits."""

    notes: bool = False
    measure: bool = False
    run: "RunLimits | None" = None


def diff(
    words: list[str],
    after_dashes: list[str] | None,
    cwd: str,
    environ: Mapping[str, str],
    *,
    staged: bool = False,
    no_index: bool = False,
    use: Use = Use(),  # noqa: B008 - immutable
) -> Compared:
    """What the words ask for (`diff_arguments.understand`)."""
    from gitops_model.git.repository import Repository

    repository = None if no_index else Repository.find(cwd, environ)
    wanted = understand(words, after_dashes, repository, cwd, staged=staged, no_index=no_index)
    if isinstance(wanted, TwoFiles):
        return diff_files(wanted, cwd, environ, use.run)
    assert repository is not None
    with repository:
        return diff_states(repository, wanted, use)


def diff_files(pair: TwoFiles, cwd: str, environ: Mapping[str, str], limits: "RunLimits | None" = None) -> Compared:
    """Two files that the user named; a bad one is a BadFile."""
    old_path = pair.before if pair.before != pair.after else None
    draft = FileDiff(pair.after, "compared", None, old_path)
    with open_named(pair.before, cwd, environ) as before, open_named(pair.after, cwd, environ) as after:
        return Compared((compare(draft, before, after, limits),), pair.before, pair.after)


def compare(draft: FileDiff, before: Opened, after: Opened, limits: "RunLimits | None" = None) -> FileDiff:
    old, new = describe(before), describe(after)
    found = diff_models(old, new, same_bytes=alike(old, new) and same_bytes(before.blob, after.blob))
    return probed(draft._replace(diff=found), (before, after), (old, new), limits)


def probed(
    file: FileDiff, opened: tuple[Opened, Opened], sides: tuple[Side, Side], limits: "RunLimits | None"
) -> FileDiff:
    """The difference with what running both gave, where that was asked for."""
    if limits is None or file.diff is None:
        return file
    from gitops_model.diff.probe import Probe

    if file.diff.verdict.kind == "identical-bytes":
        return file._replace(diff=file.diff._replace(probe=Probe(why="the files are byte for byte the same")))
    from gitops_model.pipeline.probe import contradiction, probe

    made = probe(opened, sides, limits)
    problems = (*made.problems, *contradiction(file.diff.verdict, made.probe))
    return file._replace(diff=file.diff._replace(probe=made.probe), problems=(*file.problems, *problems))


def alike(old: Side, new: Side) -> bool:
    """Whether it is worth comparing bytes: everything the two describe, other files included, is known and equal."""
    known = None not in old.digests and None not in new.digests
    return known and old.digests == new.digests and old.weights == new.weights and old.structure == new.structure


def same_bytes(old: Blob, new: Blob) -> bool:
    if old.size != new.size:
        return False
    if old.oid is not None and old.oid == new.oid:
        return True
    pairs = zip(old.windows(0, old.size), new.windows(0, new.size), strict=True)
    return all(one == other for one, other in pairs)


def diff_states(
    repository: "Repository",
    wanted: TwoStates,
    use: Use = Use(),  # noqa: B008 - immutable
) -> Compared:
    """Every model file that differs, and every model whose external data or shards do."""
    changes = repository.changes(
        staged=wanted.staged,
        old=wanted.old,
        new=wanted.new,
        merge_base=wanted.merge_base,
        paths=tuple(path for path in wanted.paths if path),
        renames=True,
    )
    from gitops_model.pipeline.recorded import Known

    before, after = places(repository, wanted)
    known = Known(repository) if use.notes else None
    models = [change for change in changes if is_model_path(change.path) or is_model_path(change.old_path or "")]
    others = [change for change in changes if change not in models]
    direct = {change.path for change in models}
    pairing = Pairing(repository, before, after, known, measure=use.measure, run=use.run)
    files = [_changed(pairing, change) for change in models]
    files += [_dependent(pairing, entry) for entry in dependents(repository, others, after) if entry.path not in direct]
    names = [_name(place) for place in (before, after)]
    return Compared(tuple(sorted(files, key=lambda file: file.path)), names[0], names[1])


def places(repository: "Repository", wanted: TwoStates) -> "tuple[Place, Place]":
    from gitops_model.git.entries import INDEX, WORKTREE

    if wanted.staged:
        return wanted.old or "HEAD", INDEX
    if wanted.old is None:
        return INDEX, WORKTREE
    if wanted.new is None:
        return wanted.old, WORKTREE
    old = wanted.old
    if wanted.merge_base:
        old = repository.git.out("merge-base", "--", old, wanted.new).decode().strip()
    return old, wanted.new


def _name(place: "Place") -> str:
    return place if isinstance(place, str) else place.value


class Pairing(NamedTuple):
    """The two places, and what is known without reading."""

    repository: "Repository"
    before: "Place"
    after: "Place"
    known: "Known | None"
    measure: bool
    run: "RunLimits | None"


def _changed(pairing: Pairing, change: "Change") -> FileDiff:
    from gitops_model.git.entries import Entry

    old_path = change.old_path or change.path
    status = STATUS.get(change.status, "modified")
    renamed = change.old_path if change.status == "R" else None
    if change.status == "U":
        problem = Problem("GM009", "the file is in conflict", hint=command("git", "status", "--", f":/{change.path}"))
        return FileDiff(change.path, status, None, problems=(("after", problem),))
    old = None if change.status in "AC" else Entry(change.old_mode, change.old_oid, old_path)
    new = None if change.status == "D" else Entry(change.new_mode, change.new_oid, change.path)
    return _file(pairing, (old, new), FileDiff(change.path, status, None, renamed))


def _dependent(pairing: Pairing, entry: "Entry") -> FileDiff:
    old = pairing.repository.entry(pairing.before, entry.path)
    status = "modified" if old is not None else "added"
    return _file(pairing, (old, entry), FileDiff(entry.path, status, None))


def _file(pairing: Pairing, entries: "tuple[Entry | None, Entry | None]", draft: FileDiff) -> FileDiff:
    """`draft` with what was found: the difference, or the problems."""
    pair = tuple(zip(entries, (pairing.before, pairing.after), strict=True))
    lines = [_line(pairing.known, entry, place) for entry, place in pair]
    believed = None not in lines
    if (
        believed
        and not pairing.measure
        and not pairing.run
        and (compared := from_notes(lines[0], lines[1])) is not None
    ):
        return draft._replace(diff=compared)
    sides: list[Opened] = []
    described: dict[str, Side] = {}
    problems: list[tuple[str, Problem]] = []
    try:
        for name, (entry, place), line in zip(("before", "after"), pair, lines, strict=True):
            if entry is None:
                continue
            try:
                opened = open_entry(pairing.repository, entry, place)
                sides.append(opened)
                described[name] = describe(opened, line=line)
            except BadFile as error:
                problems.append((name, error.problem))
        compared = None
        if len(described) == 2:
            one, other = described["before"], described["after"]
            same = not believed and alike(one, other) and same_bytes(sides[0].blob, sides[1].blob)
            limits = declared(pairing, draft, one, other)
            compared = diff_models(one, other, same_bytes=same, measure=pairing.measure or not believed, limits=limits)
        draft = draft._replace(diff=compared, problems=tuple(problems))
        if len(described) == 2:
            draft = probed(draft, (sides[0], sides[1]), (described["before"], described["after"]), pairing.run)
    finally:
        for opened in sides:
            opened.blob.close()
    return draft


def declared(pairing: Pairing, file: FileDiff, before: Side, after: Side) -> tuple[Limits, ...]:
    """The limits of what runs the model by the manifests on either side, where the change may go beyond one."""
    from gitops_model.pipeline.declared import limits, rose

    if not rose(before.model, after.model):
        return ()
    sides = ((pairing.before, file.old_path or file.path), (pairing.after, file.path))
    return tuple(found for place, path in sides for found in limits(pairing.repository, place, path))


def _line(known: "Known | None", entry: "Entry | None", place: "Place") -> dict[str, Any] | None:
    return known.line(entry, place) if known is not None and entry is not None else None


def from_notes(before: dict[str, Any] | None, after: dict[str, Any] | None) -> ModelDiff | None:
    """The difference as two notes tell it; None where the files must be opened: they say more, or a declared target
    may not load the new IR version (`enough` asks for one opset)."""
    if before is None or after is None or "facts" not in before or "facts" not in after:
        return None
    from gitops_model.pipeline.recorded import compare as compare_lines
    from gitops_model.pipeline.recorded import enough

    try:
        same_ir = len({line["facts"]["properties"].get("ir_version") for line in (before, after)}) == 1
        compared = compare_lines(before, after) if same_ir and enough(before, after) else None
        if compared is None or before["facts"]["ops"] is None:
            return compared
    except (TypeError, KeyError, AttributeError):  # whoever may push may write any line
        return None
    # Tensors of which neither name nor content is left can be told by their place in the graph.
    return None if compared.weights.added and compared.weights.removed else compared


def open_entry(repository: "Repository", entry: "Entry", place: "Place") -> Opened:
    from gitops_model.git.paths import folder_of

    try:
        return Opened(repository.blob(entry, place), repository.source(place, folder_of(entry.path)))
    except BadFile as error:
        raise named(error, entry.path) from error


def dependents(
    repository: "Repository", changes: "list[Change]", after: "Place", known: "Known | None" = None
) -> "Iterator[Entry]":
    """The models that need a file which changed: external data may have any name, so the models above it are asked."""
    from gitops_model.git.deps import needed
    from gitops_model.git.paths import folder_of, resolve

    changed = {path for change in changes for path in (change.path, change.old_path) if path}
    if not changed:
        return
    folders = {folder for path in changed for folder in folders_above(path)}
    for entry in repository.entries(after):
        folder = folder_of(entry.path)
        if folder not in folders or not entry.is_regular or not is_model_path(entry.path):
            continue
        try:
            line = _line(known, entry, after)
            if line is not None:
                deps = needed(line, entry.path)
            else:
                with open_entry(repository, entry, after) as opened:
                    deps = {resolve(folder, path) for path in _deps(opened)}
        except (BadFile, CouldNotRun):
            continue  # what is wrong with an unchanged file is no difference
        if deps & changed:
            yield entry


def _deps(opened: Opened) -> tuple[str, ...]:
    from gitops_model.blob import NoSource
    from gitops_model.readers import read_model

    return read_model(opened.blob, NoSource()).deps


def folders_above(path: str) -> Iterator[str]:
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        yield folder
