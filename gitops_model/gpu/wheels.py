"""Which CUDA libraries and runtimes Python packages bring: from installed wheels, or from the lock that names them.

Only names and versions are read: the folders `NAME-VERSION.dist-info` of site-packages (packaging.python.org,
"Recording installed projects"), or requirements.txt, uv.lock, poetry.lock, pylock.toml, Pipfile.lock.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

from gitops_model.errors import BadFile, Problem
from gitops_model.gpu.part import Bytes
from gitops_model.gpu.tree import Tree

MAX_LOCK = 16 << 20

# Package → the field of a requirement that its version is (pypi.org, read 2026-11-24). The suffix -cuNN is the CUDA
# major; from CUDA 13 on NVIDIA's packages have none.
_FIELDS = (
    (re.compile(r"nvidia-cuda-runtime(?:-cu\d+)?\Z"), "cuda_runtime"),
    (re.compile(r"nvidia-cudnn-cu\d+\Z"), "cudnn"),
    (re.compile(r"tensorrt(?:-cu\d+)?(?:-libs|-bindings)?\Z"), "tensorrt"),
    (re.compile(r"onnxruntime-gpu\Z"), "onnxruntime"),
)
_RELEASE = re.compile(r"(?:\d+!)?(\d{1,9}(?:\.\d{1,9}){1,4})")
_LOCAL_CUDA = re.compile(r"\+cu(\d{2})(\d)\b")
"""`2.5.1+cu124`: how the index of PyTorch names the CUDA version of a build."""
_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*={2,3}\s*([^\s;,#\\]+)\s*(?:;\s*([^#]*))?")
_ELSEWHERE = re.compile(r"(?:sys_platform|platform_system|os_name)\s*==\s*['\"](?:darwin|win32|Darwin|Windows|nt)['\"]")


class Package(NamedTuple):
    """A distribution, its name normalised (PEP 503)."""

    name: str
    version: str


class Wheels(NamedTuple):
    """`needs` are fields of a requirement (cuda_runtime, cudnn, tensorrt, onnxruntime) with their version.

    `problems` say what the packages leave open; then there is no such field.
    """

    packages: tuple[Package, ...]
    needs: dict[str, str]
    problems: tuple[Problem, ...]


def installed(tree: Tree, folder: str = "") -> tuple[Package, ...]:
    """The distributions in a site-packages folder."""
    found: list[Package] = []
    for name in tree.names(folder):
        stem, dot, ending = name.rpartition(".")
        if dot and ending in ("dist-info", "egg-info"):
            project, dash, version = stem.partition("-")
            if dash and version:
                found.append(Package(normal(project), version.split("-py", 1)[0] if ending == "egg-info" else version))
    return tuple(found)


def locked(file: Bytes) -> tuple[Package, ...]:
    """The pinned distributions of a lock file, by its name."""
    if file.size > MAX_LOCK:
        raise BadFile(Problem("GM005", "the lock file is too large", expected=f"at most {MAX_LOCK} bytes"))
    try:
        text = file.read(0, file.size).decode()
    except UnicodeDecodeError:
        raise BadFile(Problem("GM002", "the lock file is not UTF-8")) from None
    name = file.path.rpartition("/")[2]
    try:
        if name.endswith(".lock") and text.lstrip().startswith("{"):
            return tuple(_pipfile(json.loads(text)))
        if name.endswith((".toml", ".lock")):
            import tomllib

            return tuple(_tables(tomllib.loads(text)))
    except (ValueError, RecursionError):
        raise BadFile(Problem("GM002", "the lock file is neither TOML nor JSON")) from None
    return tuple(_lines(text))


def needs(packages: Iterable[Package]) -> Wheels:
    """What the packages make a release need. Two versions of one thing: the need is left open, and said."""
    all_packages = tuple(packages)
    found: dict[str, set[str]] = {}
    problems: list[Problem] = []
    names = {package.name for package in all_packages}
    for package in all_packages:
        for pattern, field in _FIELDS:
            if pattern.match(package.name):
                release = _RELEASE.match(package.version)
                if release is not None:
                    found.setdefault(field, set()).add(release[1])
                else:
                    problems.append(Problem("GM002", f"{package.name} has no release version", found=package.version))
    if "cuda_runtime" not in found:
        for package in all_packages:
            local = _LOCAL_CUDA.search(package.version)
            if local is not None:
                found.setdefault("cuda_runtime", set()).add(f"{local[1]}.{local[2]}")
    if "onnxruntime" in names and "onnxruntime-gpu" in names:
        problems.append(
            Problem("GM002", "onnxruntime and onnxruntime-gpu are both there: they overwrite each other's files")
        )
    elif "onnxruntime" in names:
        problems.append(
            Problem("GM002", "onnxruntime is there without -gpu: the model would run on the CPU", found="onnxruntime")
        )
    needed: dict[str, str] = {}
    for field, versions in sorted(found.items()):
        if len(versions) == 1:
            (needed[field],) = versions
        else:
            problems.append(
                Problem("GM002", f"there are several versions of {field}", found=", ".join(sorted(versions)))
            )
    return Wheels(tuple(sorted(set(all_packages))), needed, tuple(problems))


def library_folders(tree: Tree, site: str = "") -> tuple[str, ...]:
    """The folders `nvidia/*/lib` that packages preload from (torch and onnxruntime do), as places to search."""
    base = f"{site}/nvidia" if site else "nvidia"
    return tuple(f"{base}/{name}/lib" for name in tree.names(base) if tree.names(f"{base}/{name}/lib"))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _lines(text: str) -> Iterator[Package]:
    for line in text.replace("\\\n", " ").splitlines():
        match = _LINE.match(line.strip())
        if match is not None and not _elsewhere(match[3] or ""):
            yield Package(normal(match[1]), match[2])


def _elsewhere(marker: str) -> bool:
    """Whether a marker is for another system alone."""
    return _ELSEWHERE.search(marker) is not None and " or " not in marker


def _tables(document: dict[str, object]) -> Iterator[Package]:
    """uv.lock and poetry.lock say `[[package]]`, pylock.toml (PEP 751) `[[packages]]`."""
    for key in ("package", "packages"):
        rows = document.get(key)
        for row in cast(list[object], rows) if isinstance(rows, list) else ():
            entry = cast(dict[str, object], row) if isinstance(row, dict) else {}
            name, version, marker = entry.get("name"), entry.get("version"), entry.get("marker", "")
            if isinstance(name, str) and isinstance(version, str) and not _elsewhere(str(marker)):
                yield Package(normal(name), version)


def _pipfile(document: object) -> Iterator[Package]:
    rows = cast(dict[str, object], document).get("default") if isinstance(document, dict) else None
    for name, row in cast(dict[str, object], rows).items() if isinstance(rows, dict) else ():
        version = cast(dict[str, object], row).get("version") if isinstance(row, dict) else None
        if isinstance(version, str) and version.startswith("=="):
            yield Package(normal(name), version.lstrip("="))
