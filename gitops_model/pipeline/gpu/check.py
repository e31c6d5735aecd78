"""`gpu check`: one release against the machines that it is meant for."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.gpu import documents
from gitops_model.gpu.compat import matrix
from gitops_model.gpu.digest import facts_digest
from gitops_model.manifest import Manifest, is_manifest_path
from gitops_model.pipeline.gpu import targets as _targets
from gitops_model.pipeline.gpu.record import Kept, record
from gitops_model.pipeline.gpu.scan import Looked, Wanted, look, manifest_at, path_of
from gitops_model.pipeline.run_model import Task
from gitops_model.readers import is_model_path
from gitops_model.render.gpu import Checked, Judged, Smoke

MAX_NAMES = 1000
"""Names of a folder among which the manifest of a model is looked for."""


@dataclass(slots=True)
class Asked:
    """What the user wants judged. `requirements` is a file with them; else they are found as `wanted` says.

    `targets` are files or profiles, `fleet` adds those that are declared; neither means the declared ones.
    """

    wanted: Wanted = field(default_factory=Wanted)
    requirements: str | None = None
    targets: tuple[str, ...] = ()
    fleet: bool = False
    record: bool = True
    smoke: bool = False
    """Run the models too: with `fixed` values of inputs, within the limits of `task`."""
    fixed: Mapping[str, float] = field(default_factory=dict[str, float])
    task: Task = field(default_factory=Task)


class Release(NamedTuple):
    """What is judged, what of it was read, and the manifest (as named, and what it says) that tells of it."""

    name: str
    requirements: dict[str, Any]
    looked: Looked | None
    manifest: tuple[str, Manifest] | None


def check(asked: Asked, cwd: str, environ: Mapping[str, str]) -> Checked:
    """The verdicts, recorded on the model's blobs where there are any. BadFile for a bad model or manifest."""
    release = release_of(asked, cwd, environ)
    machines = list(_targets.named(asked.targets, cwd, environ))
    if asked.fleet or not asked.targets:
        machines += _targets.fleet(release.manifest, cwd, environ)
    if asked.smoke and not asked.targets and not asked.fleet:
        machines = list(_targets.named((_targets.HERE,), cwd, environ))
    if not machines:
        raise CouldNotRun(
            "which machines? neither the manifest nor the configuration has targets",
            hint="gitops-model gpu check MODEL --target l4 (or --target here: this machine)",
        )
    verdicts = matrix(release.requirements, machines)
    judged = tuple(
        Judged(verdict, facts_digest(release.requirements, machine))
        for verdict, machine in zip(verdicts, machines, strict=True)
    )
    runs = tuple(_runs(asked, release, cwd, environ)) if asked.smoke else ()
    kept = Kept()
    if asked.record and release.looked is not None:
        kept = record(release.looked.models, judged, cwd, environ)
    notes = tuple((note.path, note.problem) for note in release.looked.found.notes) if release.looked else ()
    return Checked(release.name, release.requirements, judged, notes, *kept, smoke=runs)


def _runs(asked: Asked, release: Release, cwd: str, environ: Mapping[str, str]) -> "Iterator[Smoke]":
    from gitops_model.pipeline.gpu.smoke import refused, smoke

    models = [word for word, _ in release.looked.models] if release.looked is not None else []
    if not models:
        raise CouldNotRun("--smoke needs a model to run", hint="gitops-model gpu check model.onnx --smoke")
    for word in models:
        try:
            yield smoke(
                word,
                cwd,
                environ,
                manifest=release.manifest[1] if release.manifest is not None else None,
                sizes=asked.wanted.dimensions,
                batch=asked.wanted.batch,
                fixed=asked.fixed,
                limits=asked.task,
            )
        except BadFile as error:
            yield refused(word, error)


def release_of(asked: Asked, cwd: str, environ: Mapping[str, str]) -> Release:
    """Find out, or read, what the release needs."""
    wanted = asked.wanted
    if asked.requirements is not None:
        if wanted.words or wanted.image is not None or wanted.packages is not None:
            raise CouldNotRun("--requirements says it all; files beside it would be a second release")
        document = documents.load(os.path.join(cwd, asked.requirements), "requirements")
        return Release(str(document.get("name") or asked.requirements), document, None, None)
    if not wanted.words and wanted.image is None and wanted.packages is None:
        raise CouldNotRun("which release?", hint="gitops-model gpu check model.yaml --target l4")
    manifest = manifest_of(wanted, cwd, environ)
    if manifest is not None and manifest[0] not in wanted.words:
        wanted = replace(wanted, manifest=manifest[0])
    looked = look(wanted, cwd, environ)
    name = looked.found.requirements.get("name") or (wanted.words or (wanted.image or "the packages",))[0]
    return Release(str(name), looked.found.requirements, looked, manifest)


def manifest_of(wanted: Wanted, cwd: str, environ: Mapping[str, str]) -> tuple[str, Manifest] | None:
    """The manifest among the words, else the only one in the folder of the first model that lists it."""
    for word in wanted.words:
        if is_manifest_path(path_of(word, cwd)):
            return word, manifest_at(word, cwd, environ)
    for word in wanted.words:
        full = os.path.join(cwd, word)
        if is_model_path(word) and os.path.isfile(full):
            return _listing(word, full, cwd, environ)
    return None


def _listing(word: str, full: str, cwd: str, environ: Mapping[str, str]) -> tuple[str, Manifest] | None:
    """A manifest that cannot be read might list the model and state a need, so it is not passed over."""
    folder, name = os.path.split(full)
    found: list[tuple[str, Manifest]] = []
    for other in sorted(os.listdir(folder or os.curdir))[:MAX_NAMES]:
        if is_manifest_path(other) and os.path.isfile(os.path.join(folder, other)):
            called = os.path.join(os.path.dirname(word), other)
            manifest = manifest_at(called, cwd, environ)
            if name in manifest.checksums:
                found.append((called, manifest))
    if len(found) > 1:
        raise CouldNotRun(f"{found[0][0]} and {found[1][0]} both list {word}: name the one that is meant")
    return found[0] if found else None
