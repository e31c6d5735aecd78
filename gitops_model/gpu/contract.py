"""The two sides of a verdict as typed values, made from documents that the published schemas have accepted.

Absent and null are kept apart where null is a statement (`stated` holds the keys that were there); everywhere else
None is "nobody knows". The sides are built once per document, so that one release against twelve machines costs one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from gitops_model.gpu.facts import Capability, capability
from gitops_model.gpu.versions import Version, parse

Document: TypeAlias = Mapping[str, Any]

LINK_INPUT = "__nv_relfatbin"
COMPUTE_MODES = ("default", "exclusive-thread", "prohibited", "exclusive-process")
"""In the order of nvmlComputeMode_t."""


# --- what a release needs ------------------------------------------------------------------------------------------
class Image(NamedTuple):
    """`arch` is "90a"; `capability` what its number says; `suffix` "", "a" or "f"; `isa` only for PTX."""

    kind: str
    arch: str
    capability: Capability
    suffix: str
    isa: Version | None


class Container(NamedTuple):
    """`number` containers that hold exactly these images."""

    images: tuple[Image, ...]
    number: int


class Binary(NamedTuple):
    """`containers` None: it was never said what is in it. `linked` counts the containers that are only link input.

    `toolkit` is the newest compiler that its code names.
    """

    path: str
    containers: tuple[Container, ...] | None
    linked: int
    coverage: str | None
    problems: tuple[str, ...]
    toolkit: Version | None = None


class Operator(NamedTuple):
    domain: str
    op_type: str
    since: int | None
    types: dict[str, tuple[str, ...]]


class Onnx(NamedTuple):
    ir_version: int | None
    opset: dict[str, int] | None
    operators: tuple[Operator, ...] | None


class Engine(NamedTuple):
    """`hardware` is none, ampere_plus or same_compute_capability; None where it is not said."""

    path: str
    capability: Capability | None
    tensorrt: Version | None
    hardware: str | None
    version_compatible: bool


class Conflict(NamedTuple):
    """`user` expects `symbol` of `library`, and both are of the release."""

    symbol: str
    library: str
    user: str


class Requirements(NamedTuple):
    """`stated` holds the keys of the document: one that is there with None is a need nobody could find out."""

    stated: frozenset[str]
    cuda_runtime: Version | None
    binaries: tuple[Binary, ...] | None
    image_require: tuple[str, ...] | None
    sonames: tuple[str, ...] | None
    symbols: tuple[tuple[str, str], ...] | None
    conflicts: tuple["Conflict", ...]
    onnx: Onnx | None
    onnxruntime: Version | None
    cpu_fallback: bool
    cudnn: Version | None
    tensorrt: Version | None
    engines: tuple[Engine, ...] | None
    memory_mib: float | None
    dtypes: tuple[str, ...] | None


# --- what a machine has --------------------------------------------------------------------------------------------
class Gpu(NamedTuple):
    """`place` is that in the target's list."""

    stated: frozenset[str]
    place: int
    name: str
    uuid: str | None
    capability: Capability | None
    brand: int | None
    memory_mib: float | None
    memory_free_mib: float | None
    mig: bool | str | None
    ecc_uncorrected: int | None
    ecc_mode: str | None
    remap_failed: bool | None
    compute_mode: str | None
    processes: int | None
    fabric: str | None


class Compat(NamedTuple):
    version: Version | None
    cuda: Version | None
    driver_branches: tuple[int, ...] | None
    devices: tuple[int, ...] | None
    in_use: bool | None


class Library(NamedTuple):
    soname: str
    version: Version | None
    symbols: frozenset[str] | None
    architectures: tuple[str, ...] | None


class Target(NamedTuple):
    stated: frozenset[str]
    name: str
    architecture: str | None
    driver: Version | None
    cuda_driver: Version | None
    libcuda_present: bool | None
    nvml_status: int | None
    gpus: tuple[Gpu, ...] | None
    compat: Compat | None
    libraries: tuple[Library, ...] | None
    environment: dict[str, str] | None

    def library(self, soname: str) -> Library | None:
        """The one that the loader finds first."""
        return next((library for library in self.libraries or () if library.soname == soname), None)

    def variable(self, name: str) -> str:
        """The value of an environment variable, "" where it is not set or nothing is known."""
        return (self.environment or {}).get(name, "")


# --- documents into values -----------------------------------------------------------------------------------------
def requirements(document: Document) -> Requirements:
    """From a document that is valid under requirements.schema.json."""
    binaries, symbols, engines = document.get("binaries"), document.get("symbols"), document.get("engines")
    memory = document.get("memory_mib")
    return Requirements(
        stated=frozenset(document),
        cuda_runtime=_version(document.get("cuda_runtime")),
        binaries=None if binaries is None else tuple(map(_binary, binaries)),
        image_require=_texts(document.get("image_require")),
        sonames=_texts(document.get("sonames")),
        symbols=None if symbols is None else tuple(map(_symbol, symbols)),
        conflicts=tuple(Conflict(row["symbol"], row["library"], row["user"]) for row in document.get("conflicts", ())),
        onnx=None if document.get("onnx") is None else _onnx(document["onnx"]),
        onnxruntime=_version(document.get("onnxruntime")),
        cpu_fallback=document.get("cpu_fallback") == "allow",
        cudnn=_version(document.get("cudnn")),
        tensorrt=_version(document.get("tensorrt")),
        engines=None if engines is None else tuple(map(_engine, engines)),
        memory_mib=None if memory is None else float(memory),
        dtypes=_texts(document.get("dtypes")),
    )


def target(document: Document) -> Target:
    """From a document that is valid under target.schema.json, profiles already merged in."""
    gpus, libraries, environment = document.get("gpus"), document.get("libraries"), document.get("environment")
    return Target(
        stated=frozenset(document),
        name=document.get("name") or "target",
        architecture=document.get("architecture"),
        driver=_version(document.get("driver")),
        cuda_driver=_version(document.get("cuda_driver")),
        libcuda_present=document.get("libcuda_present"),
        nvml_status=_integer(document.get("nvml_status")),
        gpus=None if gpus is None else tuple(_gpu(number, gpu) for number, gpu in enumerate(gpus)),
        compat=None if document.get("compat") is None else _compat(document["compat"]),
        libraries=None if libraries is None else tuple(map(_library, libraries)),
        environment=None if environment is None else {name: str(value) for name, value in environment.items()},
    )


def _binary(document: Document) -> Binary:
    containers: Counter[tuple[Image, ...]] = Counter()
    linked = 0
    for group in document.get("containers") or ():
        count = int(group.get("count", 1))
        images = _images(group["images"])
        if group.get("section") == LINK_INPUT or (group["images"] and not images):
            linked += count
        else:
            containers[images] += count
    groups: dict[int | None, list[Document]] = {}
    for image in document.get("images") or ():
        groups.setdefault(_integer(image.get("container")), []).append(image)
    for group in groups.values():
        images = _images(group)
        if images:
            containers[images] += 1
        else:
            linked += 1
    said = document.get("images") is not None or document.get("containers") is not None
    return Binary(
        document["path"],
        tuple(Container(images, number) for images, number in containers.items()) if said else None,
        linked,
        document.get("coverage"),
        tuple(document.get("problems", ())),
        _newest([*document.get("toolkits", ()), *(image.get("toolkit") for image in document.get("images") or ())]),
    )


def _newest(texts: Iterable[str | None]) -> Version | None:
    """The newest of what may be versions (`13.0`, `V13.0.88`): these texts come out of files."""
    found = [re.fullmatch(r"V?([0-9]{1,4}\.[0-9]{1,4})(?:\.[0-9]{1,9})*", text, re.ASCII) for text in texts if text]
    return max((parse(match[1]) for match in found if match), default=None)


def _images(documents: Iterable[Document]) -> tuple[Image, ...]:
    """Those that the runtime registers."""
    return tuple(
        _image(document["kind"], document["arch"], document.get("ptx_isa"))
        for document in documents
        if document.get("section") != LINK_INPUT
    )


@lru_cache(maxsize=4096)
def _image(kind: str, arch: str, isa: str | None) -> Image:
    arch = bare(arch)
    return Image(kind, arch, number(arch), arch.lstrip("0123456789"), _version(isa))


def bare(arch: str) -> str:
    """`sm_90a` and `9.0a` as `90a`."""
    return arch.removeprefix("sm_").removeprefix("compute_").replace(".", "")


def number(arch: str) -> Capability:
    """The capability in a bare target's name: (9, 0) of `90a`, (12, 1) of `121`."""
    digits = arch.rstrip("af")
    return int(digits[:-1] or "0"), int(digits[-1])


def _symbol(text: str) -> tuple[str, str]:
    name, _, soname = text.partition("@")
    return name, soname.removeprefix("@")


def _onnx(document: Document) -> Onnx:
    opset, operators = document.get("opset"), document.get("operators")
    return Onnx(
        _integer(document.get("ir_version")),
        None if opset is None else {domain or "ai.onnx": int(version) for domain, version in opset.items()},
        None if operators is None else tuple(map(_operator, operators)),
    )


def _operator(document: Any) -> Operator:
    if isinstance(document, str):
        domain, _, op_type = document.replace("::", ":").rpartition(":")
        if not domain and "." in op_type:
            domain, _, op_type = op_type.rpartition(".")
        return Operator(domain or "ai.onnx", op_type, None, {})
    types = {parameter: tuple(names) for parameter, names in document.get("types", {}).items()}
    since = _integer(document.get("since_version"))
    return Operator(document.get("domain") or "ai.onnx", document["op_type"], since, types)


def _engine(document: Document) -> Engine:
    hardware = document.get("hardware_compatible")
    names = {True: "ampere_plus", False: "none"}
    return Engine(
        document.get("path") or "an engine",
        _capability(document.get("compute_capability")),
        _version(document.get("tensorrt")),
        names.get(hardware) if isinstance(hardware, bool) else hardware,
        document.get("version_compatible") is True,
    )


def _gpu(place: int, document: Document) -> Gpu:
    mode = document.get("compute_mode")
    return Gpu(
        stated=frozenset(document),
        place=place,
        name=document.get("name") or f"GPU {place}",
        uuid=document.get("uuid"),
        capability=_capability(document.get("compute_capability")),
        brand=_integer(document.get("brand")),
        memory_mib=_number(document.get("memory_mib")),
        memory_free_mib=_number(document.get("memory_free_mib")),
        mig=document.get("mig"),
        ecc_uncorrected=_integer(document.get("ecc_uncorrected")),
        ecc_mode=document.get("ecc_mode"),
        remap_failed=document.get("remap_failed"),
        compute_mode=None if mode is None else _compute_mode(mode),
        processes=_integer(document.get("processes")),
        fabric=document.get("fabric"),
    )


def _compute_mode(mode: str | float) -> str:
    """One of COMPUTE_MODES however it is spelt (`Exclusive_Process`), else the text itself."""
    if isinstance(mode, str):
        return mode.strip().lower().replace("_", "-").replace(" ", "-")
    return COMPUTE_MODES[int(mode)] if 0 <= mode < len(COMPUTE_MODES) else str(int(mode))


def _compat(document: Document) -> Compat:
    branches, devices = document.get("driver_branches"), document.get("devices")
    return Compat(
        _version(document.get("version")),
        _version(document.get("cuda")),
        None if branches is None else tuple(map(int, branches)),
        None if devices is None else tuple(map(int, devices)),
        document.get("in_use"),
    )


def _library(document: Document) -> Library:
    symbols, archs = document.get("symbols"), document.get("compute_capabilities")
    return Library(
        document["soname"],
        _version(document.get("version")),
        None if symbols is None else frozenset(symbols),
        None if archs is None else tuple(map(bare, archs)),
    )


def _version(text: str | None) -> Version | None:
    return None if text is None else parse(text)


def _capability(text: str | None) -> Capability | None:
    return None if text is None else capability(text)


def _integer(value: Any) -> int | None:
    """JSON Schema counts 3.0 as an integer, and so does this."""
    return None if value is None else int(value)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _texts(value: Any) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)
