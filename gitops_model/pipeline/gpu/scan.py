"""Find out what a release needs of a GPU machine: from files and folders, packages, an image, and a manifest."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, CouldNotRun, Problem
from gitops_model.gpu.closure import Search
from gitops_model.gpu.fitted import Note
from gitops_model.gpu.image import Layout, Remote, Store, read_images
from gitops_model.gpu.onnx_needs import Lookup, lookup_in
from gitops_model.gpu.onnx_values import Inferred, planned
from gitops_model.gpu.part import Bytes
from gitops_model.gpu.requirements import Found, Release, Weights, is_device_path, paths_to_scan, requirements_of
from gitops_model.gpu.shapes import NotInferred, infer
from gitops_model.gpu.tar import Tar, is_tar
from gitops_model.gpu.tree import Folder
from gitops_model.gpu.wheels import Package, installed, library_folders, locked
from gitops_model.ir import Dim
from gitops_model.manifest import Manifest, is_manifest_path, load
from gitops_model.pipeline.load import open_named, read
from gitops_model.readers import is_model_path

USER, PASSWORD = "GITOPS_MODEL_REGISTRY_USER", "GITOPS_MODEL_REGISTRY_PASSWORD"


@dataclass(slots=True)
class Wanted:
    """What the user named. `words` are files, manifests, and at most one folder; see `gpu scan --help` for the rest.

    `manifest` names a manifest that says more about the files in `words`, and whose own files are left out.
    `image` is a folder, an archive or a reference; `image_name` chooses among several of one archive. With `layers` its
    files are looked into as well, as those of a folder are. `roots` are the libraries of the folder or of the image
    that are loaded; without them the libraries of an image state no needs, since most of them are its system's.
    """

    words: tuple[str, ...] = ()
    manifest: str | None = None
    name: str | None = None
    image: str | None = None
    image_name: str | None = None
    architecture: str | None = None
    layers: bool = False
    packages: str | None = None
    library_path: tuple[str, ...] = ()
    roots: tuple[str, ...] | None = None
    batch: int | None = None
    dimensions: Mapping[str, int] = field(default_factory=dict[str, int])


class Looked(NamedTuple):
    """What was found, and the model files it was found in, each with the other files that it names."""

    found: Found
    models: tuple[tuple[str, tuple[str, ...]], ...]


def scan(wanted: Wanted, cwd: str, environ: Mapping[str, str]) -> Found:
    """The requirements, and notes on what they leave open. Raises BadFile for a bad model, manifest or image."""
    return look(wanted, cwd, environ).found


def look(wanted: Wanted, cwd: str, environ: Mapping[str, str]) -> Looked:
    """As `scan`, and which models were read."""
    with ExitStack() as stack:
        collect = _Collect(wanted, cwd, environ, stack)
        if wanted.manifest is not None:
            collect.told(wanted.manifest)
        for word in wanted.words:
            collect.word(word)
        if wanted.image is not None:
            collect.image(wanted.image)
        collect.packages()
        release = collect.finished()
        found = requirements_of(release)
        models = tuple((weights.path, weights.model.deps) for weights in release.models)
        return Looked(Found(found.requirements, (*collect.notes, *found.notes)), models)


def path_of(word: str, cwd: str) -> str:
    """The path in `[REV:]PATH`, read as `open_named` reads it."""
    return word if os.path.lexists(os.path.join(cwd, word)) else word.partition(":")[2] or word


def beside(word: str, path: str, cwd: str) -> str:
    """The word for a file that the manifest `word` lists as `path`."""
    here = path_of(word, cwd)
    folder = here.rpartition("/")[0]
    return word[: len(word) - len(here)] + (f"{folder}/{path}" if folder else path)


def manifest_at(word: str, cwd: str, environ: Mapping[str, str]) -> Manifest:
    """The manifest `[REV:]PATH`; BadFile when anything about it is wrong."""
    with open_named(word, cwd, environ) as opened:
        manifest, problems = load(opened.blob)
    if manifest is None or problems:
        raise BadFile(problems[0]._replace(message=f"{word}: {problems[0].message}"))
    return manifest


class _Collect:
    def __init__(self, wanted: Wanted, cwd: str, environ: Mapping[str, str], stack: ExitStack) -> None:
        self._wanted, self._cwd, self._environ, self._stack = wanted, cwd, environ, stack
        self.release = Release(name=wanted.name)
        self.notes: list[Note] = []
        self._files: list[Bytes] = []
        self._models: list[str] = []
        self._shapes: dict[str, tuple[Dim, ...] | None] = {}
        self._architecture: str | None = None

    def word(self, word: str) -> None:
        full = os.path.join(self._cwd, word)
        if os.path.isdir(full):
            if self.release.tree is not None:
                raise CouldNotRun("gpu scan looks into one folder at a time", hint="name the folder that holds both")
            tree = self.release.tree = Folder(full)
            self.release.paths = paths_to_scan(tree.walk())
            self.release.roots = self._wanted.roots
            self.release.search = Search(self._wanted.library_path, library_folders(tree))
        elif is_manifest_path(path_of(word, self._cwd)):
            self._manifest(word)
        elif is_model_path(word) or not is_device_path(word):
            self._models.append(word)
        else:
            self._files.append(self._stack.enter_context(Blob.of_file(full, word)))

    def _manifest(self, word: str) -> None:
        manifest = self.told(word)
        for path in manifest.checksums:
            full = beside(word, path, self._cwd)
            if is_model_path(path):
                self._models.append(full)
            elif is_device_path(path):
                opened = self._stack.enter_context(open_named(full, self._cwd, self._environ))
                self._files.append(opened.blob)

    def told(self, word: str) -> Manifest:
        """Take what a manifest says, without its files."""
        manifest = manifest_at(word, self._cwd, self._environ)
        self.release.name = self.release.name or manifest.name
        self.release.runtime = {**self.release.runtime, **manifest.runtime}
        if len(manifest.architecture) == 1:
            self._architecture = manifest.architecture[0]
        for value in manifest.inputs or ():
            self._shapes[value.name] = value.shape
        return manifest

    def packages(self) -> None:
        where = self._wanted.packages
        tree = self.release.tree
        if where is not None:
            full = os.path.join(self._cwd, where)
            if os.path.isdir(full):
                self.release.packages = installed(Folder(full))
            else:
                with Blob.of_file(full, where) as blob:
                    self.release.packages = locked(blob)
        elif tree is not None and self.release.packages is None:
            found: tuple[Package, ...] = installed(tree)
            self.release.packages = found or None

    def finished(self) -> Release:
        runtime = self.release.runtime
        told = cast("Mapping[str, Any]", runtime.get("dimensions") or {})
        sizes = {**told, **self._wanted.dimensions}
        batch = self._wanted.batch if self._wanted.batch is not None else runtime.get("batch")
        self.release.models = tuple(self._weights(sizes, cast("int | None", batch)))
        self.release.files = tuple(self._files)
        return self.release

    def image(self, named: str) -> None:
        store = self._store(named)
        images = read_images(store, self._wanted.architecture or self._architecture)
        self.release.images = images
        if not self._wanted.layers:
            return
        if self.release.tree is not None:
            raise CouldNotRun("gpu scan looks into a folder or the layers of an image", hint="scan them one by one")
        image, *others = images
        if others:
            known = ", ".join(sorted(each.architecture for each in images))
            raise CouldNotRun(f"{named} is for several platforms: {known}", hint="choose one with --architecture")
        from gitops_model.gpu.layers import packages_of, search_of, unpack

        root = unpack(store, image, self._stack)
        told = search_of(image, root)
        self.release.packages, preloaded = packages_of(root)
        self.release.tree = root
        self.release.paths = paths_to_scan(root.walk())
        self.release.roots = self._wanted.roots or ()
        self.release.search = Search((*self._wanted.library_path, *told.library_path), (*told.defaults, *preloaded))

    def _store(self, named: str) -> Store:
        """A folder or an archive where there is one of that name, else a registry."""
        name = self._wanted.image_name
        full = os.path.join(self._cwd, named)
        if os.path.isdir(full):
            return Layout(Folder(full), name)
        if os.path.lexists(full):
            blob = self._stack.enter_context(Blob.of_file(full, named))
            head = blob.head(512)
            if not is_tar(head):
                gzip = head[:2] == b"\x1f\x8b"
                what = "a gzip file: unpack it first" if gzip else "no archive of an image"
                raise BadFile(
                    Problem("GM009", f"{named} is {what}", expected="a tar archive, as docker save writes it")
                )
            return Layout(Tar(blob), name)
        from gitops_model.net.registry import Credentials, Registry, parse_reference

        reference = parse_reference(named)
        user, password = self._environ.get(USER), self._environ.get(PASSWORD)
        credentials = Credentials(user, password) if user and password else None
        return Remote(Registry(reference, credentials=credentials), reference.version)

    def _weights(self, sizes: Mapping[str, int], batch: int | None) -> Iterator[Weights]:
        for word in dict.fromkeys(self._models):
            with open_named(word, self._cwd, self._environ) as opened:
                model = read(opened)
                plan = planned(model, sizes, batch, self._shapes)
                inferred: Inferred = ()
                schema: Lookup | None = None
                if model.format == "onnx":
                    try:
                        inferred, schemas = infer(opened.blob, plan)
                        schema = lookup_in(schemas)
                    except NotInferred as error:
                        self.notes.append(Note(word, error.problem))
                yield Weights(word, model, plan, inferred, schema)
