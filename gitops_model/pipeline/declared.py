"""What the manifests that list a model declare to run it with: the newest opset and IR version that this loads.

A manifest declares an ONNX Runtime by `runtime.onnxruntime`, and by a file of its `targets` that has the library
`libonnxruntime.so`. What such a file is wrong in is said where targets are judged, not here.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gitops_model.config import Config
from gitops_model.diff.result import Limits
from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.git.paths import folder_of
from gitops_model.pipeline.gather import Gatherer
from gitops_model.pipeline.tree import GitTree

if TYPE_CHECKING:
    from gitops_model.blob import Source
    from gitops_model.git.entries import Place
    from gitops_model.git.repository import Repository
    from gitops_model.ir import Model
    from gitops_model.manifest import Manifest

LIBRARY = "libonnxruntime.so"


def rose(before: "Model", after: "Model") -> bool:
    """Whether an ONNX model imports a newer opset, or has a newer IR version, than the model before it."""
    if after.format != "onnx":
        return False
    domain, ir = "ai.onnx", "ir_version"
    pairs = (
        (before.opset.get(domain), after.opset.get(domain)),
        (before.properties.get(ir), after.properties.get(ir)),
    )
    return any(isinstance(new, int) and (not isinstance(old, int) or new > old) for old, new in pairs)


def limits(repository: "Repository", place: "Place", path: str) -> Iterator[Limits]:
    """Of every ONNX Runtime that is declared at `place` for the model `path`, as far as the tables know it."""
    from gitops_model.gpu.onnx_support import most
    from gitops_model.gpu.versions import parse

    gatherer = Gatherer(GitTree(repository, place), Config())
    for entry in gatherer.listed_by(path):
        manifest = gatherer.manifest(entry)[0]
        assert manifest is not None
        source = repository.source(place, folder_of(entry.path))
        for version, where in versions(manifest, entry.path, source):
            try:
                opset, ir = most(parse(version))
            except ValueError:
                continue
            if opset is not None or ir is not None:
                yield Limits(f"ONNX Runtime {version} (declared in {where})", opset, ir)


def versions(manifest: "Manifest", path: str, source: "Source") -> Iterator[tuple[str, str]]:
    """(version, where it is written)"""
    from gitops_model.gpu import documents
    from gitops_model.pipeline.gpu.targets import is_file

    said = manifest.runtime.get("onnxruntime")
    if isinstance(said, str):
        yield said, path
    for word in filter(is_file, manifest.targets):
        try:
            with source.open(word) as blob:
                target = documents.read(blob, "target")
        except (BadFile, CouldNotRun):
            continue
        for library in target.get("libraries") or ():
            if str(library.get("soname", "")).startswith(LIBRARY) and isinstance(library.get("version"), str):
                yield library["version"], word
