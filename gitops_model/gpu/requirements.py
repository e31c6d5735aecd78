"""What a release needs of a GPU machine: what was found in its files, and what its manifest adds.

The answer is a document of requirements.schema.json. A key is there only when something was looked into that could say
it; null stands for a need that could not be found out. Beside it stand notes: what was not seen, and what disagrees.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gitops_model.errors import BadFile, Problem
from gitops_model.gpu import facts
from gitops_model.gpu.closure import Closure, Search, close
from gitops_model.gpu.engine import find_engine
from gitops_model.gpu.fatbin import SECTIONS, Scan, scan
from gitops_model.gpu.fitted import Note, fitted
from gitops_model.gpu.image import Image
from gitops_model.gpu.model_memory import MIB, Memory, memory_of, mib_of
from gitops_model.gpu.nvidia_require import stated
from gitops_model.gpu.onnx_needs import Lookup, element_types, onnx_needs
from gitops_model.gpu.onnx_values import Inferred, Plan
from gitops_model.gpu.part import Bytes
from gitops_model.gpu.tree import Loose, Tree
from gitops_model.gpu.wheels import Package, Wheels, needs
from gitops_model.ir import Model

VERSIONS = ("cuda_runtime", "cudnn", "tensorrt", "onnxruntime")
NUMBERED = ("libcudart", "libcublas", "libcublasLt", "libnvblas", "libnvrtc", "libnvJitLink")
"""Libraries whose soname has the major version of CUDA (docs.nvidia.com/cuda/cuda-toolkit-release-notes; libcufft,
libcurand and others have numbers of their own)."""
DEVICE_ENDINGS = (".cubin", ".fatbin", ".ptx", ".o")
ENGINE_ENDINGS = (".plan", ".engine", ".trt")
OPTIONAL = {"libonnxruntime_providers_tensorrt.so": "tensorrt"}
"""Libraries that ONNX Runtime loads only when asked for that provider, so that what they lack is no need by itself
(onnxruntime.ai, "Execution Providers"); they count when something else says that the release has TensorRT."""


class Weights(NamedTuple):
    """A model file: how it is called, what it is, the sizes to plan for, and what shape inference found.

    `schema` looks operators up without loading the `onnx` package.
    """

    path: str
    model: Model
    plan: Plan
    inferred: Inferred = ()
    schema: Lookup | None = None


@dataclass(slots=True)
class Release:
    """All that a release consists of, as far as it was given.

    `files` are single files with device code or engines. `paths` are the libraries and files of `tree` to look into,
    `search` says where their libraries are. With `roots` (libraries of the tree that are loaded) only these and what
    they pull in count, since packages bring variants for other systems along; with none all device code counts, and no
    library states a need. `runtime` is the section of the manifest.
    """

    name: str | None = None
    files: tuple[Bytes, ...] = ()
    tree: Tree | None = None
    paths: tuple[str, ...] = ()
    roots: tuple[str, ...] | None = None
    search: Search = field(default_factory=Search)
    models: tuple[Weights, ...] = ()
    images: tuple[Image, ...] = ()
    packages: tuple[Package, ...] | None = None
    runtime: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Found(NamedTuple):
    """A document of requirements.schema.json, and what it does not say."""

    requirements: dict[str, Any]
    notes: tuple[Note, ...]


def is_device_path(path: str) -> bool:
    """Whether a file may hold device code or an engine, by its name: `libx.so.12`, `k.cubin`, `model.plan`."""
    name = path.rpartition("/")[2]
    return name.endswith((".so", *DEVICE_ENDINGS, *ENGINE_ENDINGS)) or ".so." in name


def is_library_path(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.endswith(".so") or ".so." in name


def requirements_of(release: Release) -> Found:
    """Look into everything and say what it needs."""
    return _Collect(release).run()


class _Collect:
    def __init__(self, release: Release) -> None:
        self._release = release
        self._document: dict[str, Any] = {}
        self._notes: list[Note] = []
        self._toolkits: set[str] = set()
        self._isas: set[str] = set()
        self._versions: dict[str, list[tuple[str, str]]] = {}
        """Field → (where it was found, version)."""

    def run(self) -> Found:
        release = self._release
        if release.name:
            self._document["name"] = release.name
        if release.packages is not None:
            self._packages(needs(release.packages))
        paths = release.paths
        if release.tree is not None:
            loaded = self._libraries(release.tree, release.paths if release.roots is None else release.roots)
            if release.roots:
                others = (path for path in paths if not is_library_path(path))
                paths = tuple(sorted({*others, *loaded}))
        elif release.files:
            self._libraries(Loose(release.files), tuple(file.path for file in release.files))
        self._device_code(paths)
        for image in release.images:
            self._image(image)
        if release.models:
            self._models()
        self._declared()
        self._choose()
        return Found(*fitted(self._document, self._notes))

    # --- files -----------------------------------------------------------------------------------------------------
    def _device_code(self, paths: tuple[str, ...]) -> None:
        binaries: list[dict[str, Any]] = []
        engines: list[dict[str, Any]] = []
        for file in self._files(paths):
            try:
                if file.path.endswith(ENGINE_ENDINGS):
                    engine = find_engine(file)
                    if engine is None:
                        self._note(file.path, Problem("GM009", "this has no mark of a TensorRT engine"))
                    engines.append({"path": file.path})
                    continue
                found = scan(file)
            except BadFile as error:
                self._note(file.path, error.problem)
                binaries.append({"path": file.path, "problems": [error.problem.message]})
                continue
            if found.containers or found.problems:
                binaries.append(binary(found))
                self._toolkits |= found.toolkits
                self._isas |= {image.ptx_isa for _, images in found.containers for image in images if image.ptx_isa}
                for problem in found.problems:
                    self._note(file.path, problem)
        if binaries:
            self._document["binaries"] = binaries
        if engines:
            self._document["engines"] = engines
            self._note(
                "",
                Problem(
                    "GM009",
                    "a TensorRT engine does not say for which GPU and version it was built",
                    hint="state compute_capability and tensorrt of the engine in a requirements file",
                ),
            )

    def _files(self, paths: tuple[str, ...]) -> Iterator[Bytes]:
        yield from self._release.files
        tree = self._release.tree
        for path in paths if tree is not None else ():
            file = tree.open(path) if tree is not None else None
            if file is None:
                self._note(path, Problem("GM010", "there is no such file"))
                continue
            with closing(file):
                yield file

    def _libraries(self, tree: Tree, paths: tuple[str, ...]) -> tuple[str, ...]:
        """The closure of the libraries among `paths`; gives the paths of all that are found."""
        roots: list[str] = []
        for path in filter(is_library_path, paths):
            needed = OPTIONAL.get(path.rpartition("/")[2])
            if needed is None or needed in self._versions or needed in self._release.runtime:
                roots.append(path)
            else:
                self._note(path, Problem("GM009", f"this counts only where {needed} is used, and nothing says so"))
        if not roots:
            return ()
        closure = close(tree, roots, self._release.search)
        # A file of another kind (a linker script may be called libx.so) was noted when it was scanned.
        broken = [(path, problem) for path, problem in closure.problems if problem.code != "GM009"]
        for path, problem in broken:
            self._note(path, problem)
        self._document["sonames"] = None if broken else sorted(closure.missing)
        self._document["symbols"] = (
            None
            if broken
            else sorted(f"{need.name}@{need.soname}" for need in closure.symbols if need.version in (None, need.soname))
        )
        if closure.unmet:
            self._document["conflicts"] = [
                {"symbol": str(unmet.symbol), "library": unmet.library, "user": unmet.user} for unmet in closure.unmet
            ]
        self._cudart(closure)
        return tuple(closure.found.values())

    def _cudart(self, closure: Closure) -> None:
        """The major version of CUDA is in some sonames (`libcudart.so.11.0` is that of every 11.x)."""
        for soname in (*closure.found, *closure.missing):
            name, _, version = soname.partition(".so.")
            major = version.partition(".")[0]
            if name in NUMBERED and re.fullmatch(r"[0-9]{1,3}", major):
                self._version("cuda_runtime", soname, major)

    # --- packages, images ------------------------------------------------------------------------------------------
    def _packages(self, wheels: Wheels) -> None:
        for name, version in wheels.needs.items():
            self._version(name, "the installed packages", version)
        for problem in wheels.problems:
            self._note("", problem)

    def _image(self, image: Image) -> None:
        says = stated(image.environment)
        for value in says.require:
            _add(self._document.setdefault("image_require", []), value)
        self._document.setdefault("image_require", [])
        for name, version in says.versions.items():
            self._version(name, "the image", version)
        for problem in says.problems:
            self._note(image.config, problem)
        if says.disabled:
            self._note(image.config, Problem("GM009", "the image sets NVIDIA_DISABLE_REQUIRE: it states no needs"))

    # --- models ----------------------------------------------------------------------------------------------------
    def _models(self) -> None:
        memories: list[Memory] = []
        dtypes: set[str] = set()
        for path, model, plan, inferred, schema in self._release.models:
            memory = memory_of(model, plan, inferred)
            memories.append(memory)
            dtypes.update(element_types(model, inferred))
            if model.format == "onnx":
                self._document["onnx"] = merged(self._document.get("onnx"), onnx_needs(model, inferred, schema))
            if memory.unsized and "memory_mib" not in self._release.runtime:
                self._note(
                    path,
                    Problem(
                        "GM009",
                        f"the memory for activations is open: no size for {', '.join(memory.unsized)}",
                        hint="state runtime.batch and runtime.dimensions, or runtime.memory_mib, in the manifest",
                    ),
                )
        self._document["dtypes"] = sorted(dtypes)
        told = self._release.runtime.get("memory_mib")
        if told is None:
            self._document["memory_mib"] = mib_of(memories)
        else:
            # Less than the weights alone cannot be right.
            self._document["memory_mib"] = max(told, -(-sum(memory.weights for memory in memories) // MIB))

    # --- what the manifest adds ------------------------------------------------------------------------------------
    def _declared(self) -> None:
        runtime = self._release.runtime
        for name in VERSIONS:
            if name in runtime:
                self._version(name, "the manifest", str(runtime[name]))
        for name in ("sonames", "symbols", "image_require", "dtypes"):
            for value in runtime.get(name, ()):
                values = self._document.setdefault(name, [])
                if values is not None:
                    _add(values, value)
        if "memory_mib" in runtime:
            self._document.setdefault("memory_mib", runtime["memory_mib"])

    def _choose(self) -> None:
        """The versions: the first place that says one, the more precise of two that agree; others are noted."""
        if "cuda_runtime" not in self._versions and (toolkits := self._toolkits or self._of_ptx()):
            self._version("cuda_runtime", "the compiler of the device code", max(toolkits, key=_numbers))
        for name, places in self._versions.items():
            where, version = places[0]
            for other, told in places[1:]:
                if _agree(version, told):
                    version = max(version, told, key=len)
                else:
                    self._note(
                        "",
                        Problem(
                            "GM009",
                            f"{name} is {version} in {where} and {told} in {other}",
                            expected=version,
                            found=told,
                        ),
                    )
                    version = max(version, told, key=_numbers)
            self._document[name] = version if "." in version else f"{version}.0"

    def _of_ptx(self) -> set[str]:
        """The oldest toolkits that write the PTX that was found."""
        oldest: dict[str, str] = {}
        for row in facts.rows("drivers", "ptx"):
            oldest.setdefault(row["ptx_isa"], row["cuda"])
        return {oldest[isa] for isa in self._isas if isa in oldest}

    def _version(self, name: str, where: str, version: str) -> None:
        self._versions.setdefault(name, []).append((where, version))

    def _note(self, path: str, problem: Problem) -> None:
        self._notes.append(Note(path, problem))


def binary(found: Scan) -> dict[str, Any]:
    """A file of `binaries[]`. Code in other sections than those of the runtime counts only where there is no other."""
    document: dict[str, Any] = {"path": found.path}
    registered = any(section in SECTIONS or not section for section, _ in found.containers)
    rows = [
        {
            "count": count,
            **({"section": section} if section else {}),
            "images": [
                {"kind": image.kind, "arch": image.arch, **({"ptx_isa": image.ptx_isa} if image.ptx_isa else {})}
                for image in images
            ],
        }
        for (section, images), count in found.containers.items()
        if images
        if not registered or section in SECTIONS or not section
    ]
    if rows or not found.problems:
        document["containers"] = rows
    if found.toolkits:
        document["toolkits"] = sorted(found.toolkits, key=_numbers)
    if found.problems:
        document["problems"] = [problem.message for problem in found.problems]
    return document


def merged(one: dict[str, Any] | None, other: dict[str, Any]) -> dict[str, Any]:
    """The needs of two ONNX models that one runtime loads."""
    if one is None:
        return other
    versions = [document["ir_version"] for document in (one, other) if document["ir_version"] is not None]
    domains = sorted({*one["opset"], *other["opset"]})
    operators: dict[str, dict[str, Any]] = {}
    for operator in (*one["operators"], *other["operators"]):
        key = repr([operator[name] for name in ("domain", "op_type", "since_version", "types")])
        count = operators[key]["count"] if key in operators else 0
        operators[key] = {**operator, "count": operator["count"] + count}
    return {
        "ir_version": max(versions, default=None),
        "opset": {name: max(one["opset"].get(name, 0), other["opset"].get(name, 0)) for name in domains},
        "operators": [operators[key] for key in sorted(operators)],
    }


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isascii() and part.isdigit() else 0 for part in version.split("."))


def _agree(one: str, other: str) -> bool:
    """Whether two versions are the same as far as both go: 12.4 and 12.4.127, but also 12 (a soname) and 12.4."""
    parts = list(zip(_numbers(one), _numbers(other), strict=False))
    return all(left == right for left, right in parts)


def _add(values: list[Any], value: Any) -> None:
    if value not in values:
        values.append(value)


def paths_to_scan(paths: Iterable[str]) -> tuple[str, ...]:
    """Those that may hold device code or an engine, sorted."""
    return tuple(sorted(path for path in paths if is_device_path(path)))
