"""Which shared libraries a set of libraries pulls in, and what of that must come from the machine.

The search is the dynamic loader's (ld.so(8)): a soname that is loaded already is not searched again; else the RPATH of
the object and of the chain that loaded it, as far as these have no RUNPATH, then LD_LIBRARY_PATH, then the object's
own RUNPATH, then the default folders. Everything happens inside one tree and is told, not taken from this machine.

A symbol is written `name@soname`, or `name@VERSION@soname` where the version is not simply the soname (as it is in all
of NVIDIA's libraries). Unversioned symbols of the driver's libraries are told by their names.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

from gitops_model.errors import BadFile, Problem
from gitops_model.gpu.elf import EM_CUDA, EM_NAMES, Dynamic, read_dynamic, read_elf
from gitops_model.gpu.part import File
from gitops_model.gpu.symbols import Symbol, read_symbols, read_versions
from gitops_model.gpu.tree import Tree

MAX_LIBRARIES = 1 << 10
MAX_LOOKUPS = 1 << 18
MAX_WANTED = 1 << 20
"""Undefined symbols of the whole closure; PyTorch has some 60,000."""

BASE = re.compile(
    r"(?:lib(?:c|m|dl|rt|util|resolv|pthread|gcc_s|stdc\+\+|anl)\.so\.\d+|ld-linux[\w.-]*\.so\.\d+|linux-vdso\.so\.1)\Z"
)
"""What every Linux with glibc has; told as the highest version per family (`GLIBC` 2.28), not as sonames."""
_FAMILY = re.compile(r"(GLIBC|GLIBCXX|CXXABI|GCC)_(\d+(?:\.\d+)*)\Z")
_DRIVER = {"libcuda.so.1": re.compile(r"cu[A-Z]\w*\Z"), "libnvidia-ml.so.1": re.compile(r"nvml[A-Z]\w*\Z")}
_ORIGIN = re.compile(r"\$(?:ORIGIN\b|\{ORIGIN\})")


class Search(NamedTuple):
    """Folders of the tree: LD_LIBRARY_PATH, and where the loader or a preloading package looks last."""

    library_path: tuple[str, ...] = ()
    defaults: tuple[str, ...] = ()


class Need(NamedTuple):
    """A symbol that a library must define; as text in the form above."""

    name: str
    version: str | None
    soname: str

    def __str__(self) -> str:
        plain = self.version is None or self.version == self.soname
        return f"{self.name}@{self.soname}" if plain else f"{self.name}@{self.version}@{self.soname}"


class Unmet(NamedTuple):
    """A symbol that `user` expects of the library at `library`, and that this copy does not define."""

    symbol: Need
    library: str
    user: str


@dataclass(slots=True)
class Closure:
    """`found` maps soname to path, `missing` soname to the path that needs it first (each must come from the machine).

    `symbols` are expected of missing libraries. `base` is the highest version per family of glibc and the compiler's
    libraries. `unmet` would fail on every machine. `machines` are the architectures (x86_64). `problems` not empty
    means that something could not be looked into.
    """

    found: dict[str, str] = field(default_factory=dict[str, str])
    missing: dict[str, str] = field(default_factory=dict[str, str])
    symbols: tuple[Need, ...] = ()
    base: dict[str, str] = field(default_factory=dict[str, str])
    unmet: tuple[Unmet, ...] = ()
    machines: tuple[str, ...] = ()
    problems: list[tuple[str, Problem]] = field(default_factory=list[tuple[str, Problem]])


class _Object(NamedTuple):
    path: str
    dynamic: Dynamic
    loader: "_Object | None"


def close(tree: Tree, roots: Iterable[str], search: Search) -> Closure:
    """Follow the NEEDED entries of the files at `roots` (paths in the tree), breadth first as the loader does."""
    return _Walk(tree, search).run(tuple(roots))


class _Walk:
    def __init__(self, tree: Tree, search: Search) -> None:
        self._tree = tree
        self._search = search
        self._result = Closure()
        self._objects: dict[str, _Object] = {}
        self._wanted: dict[str, dict[tuple[str, str], str]] = {}
        """Soname → (name, version) → the path of the first user."""
        self._loose: dict[str, str] = {}
        """Undefined names without a version → the path of the first user."""
        self._number = 0
        self._lookups = 0
        self._machines: set[int] = set()

    def run(self, roots: tuple[str, ...]) -> Closure:
        result = self._result
        queue: list[_Object] = []
        for path in roots:
            made = self._load(path, None)
            if made is not None:
                result.found.setdefault(made.dynamic.soname or posixpath.basename(path), path)
                queue.append(made)
        for made in queue:
            for soname in made.dynamic.needed:
                if BASE.match(soname) or soname in result.found or soname in result.missing:
                    continue
                path = self._find(soname, made)
                child = self._load(path, made) if path is not None else None
                if path is None:
                    result.missing[soname] = made.path
                else:
                    result.found[soname] = path
                if child is not None:
                    result.found.setdefault(child.dynamic.soname or soname, child.path)
                    queue.append(child)
        self._settle()
        result.machines = tuple(sorted(EM_NAMES.get(number, str(number)) for number in self._machines))
        return result

    def _load(self, path: str, loader: _Object | None) -> _Object | None:
        if path in self._objects:
            return None
        if len(self._objects) >= MAX_LIBRARIES:
            raise BadFile(Problem("GM005", "too many shared libraries", expected=f"at most {MAX_LIBRARIES}"))
        try:
            with self._opened(path) as file:
                elf = read_elf(file)
                dynamic = read_dynamic(file, elf) if elf.machine != EM_CUDA else None
                if dynamic is None:
                    return None
                self._machines.add(elf.machine)
                made = self._objects[path] = _Object(path, dynamic, loader)
                for need in read_versions(file, elf, dynamic).needed.values():
                    self._base(need.version)
                for symbol in read_symbols(file, elf, dynamic):
                    if not symbol.defined and not symbol.weak:
                        self._want(symbol, path)
                return made
        except BadFile as error:
            self._result.problems.append((path, error.problem))
            return None

    def _base(self, version: str) -> None:
        family = _FAMILY.match(version)
        if family is not None:
            name, number = family.groups()
            if _numbers(number) > _numbers(self._result.base.get(name, "0")):
                self._result.base[name] = number

    def _want(self, symbol: Symbol, path: str) -> None:
        if symbol.library is not None and BASE.match(symbol.library):
            return
        self._number += 1
        if self._number > MAX_WANTED:
            raise BadFile(Problem("GM005", "too many undefined symbols", expected=f"at most {MAX_WANTED}"))
        if symbol.library is None or symbol.version is None:
            self._loose.setdefault(symbol.name, path)
        else:
            self._wanted.setdefault(symbol.library, {}).setdefault((symbol.name, symbol.version), path)

    def _find(self, soname: str, user: _Object) -> str | None:
        if "/" in soname:
            candidates: list[str] = [soname]
        else:
            folders: list[str] = []
            if not user.dynamic.runpath:
                chain: _Object | None = user
                while chain is not None:
                    if not chain.dynamic.runpath:
                        folders += _expand(chain.dynamic.rpath, chain.path)
                    chain = chain.loader
            folders += self._search.library_path
            folders += _expand(user.dynamic.runpath, user.path)
            folders += self._search.defaults
            candidates = [posixpath.join(folder, soname) for folder in dict.fromkeys(folders)]
        for candidate in candidates:
            path = _inside(candidate)
            self._lookups += 1
            if self._lookups > MAX_LOOKUPS:
                raise BadFile(Problem("GM005", "too many places to search", expected=f"at most {MAX_LOOKUPS}"))
            file = self._tree.open(path) if path is not None else None
            if file is not None:
                file.close()
                return path
        return None

    def _settle(self) -> None:
        """Compare what is wanted of each library with what the copy that is found defines."""
        result = self._result
        symbols: set[Need] = set()
        unmet: list[Unmet] = []
        for soname, wanted in self._wanted.items():
            path = result.found.get(soname)
            if path is None:
                # A version may name a library that no NEEDED entry does: then nothing says where it comes from.
                if soname in result.missing:
                    symbols.update(Need(name, version, soname) for name, version in wanted)
                continue
            lacking = self._lacking(path, wanted)
            unmet += [Unmet(Need(*symbol, soname), path, wanted[symbol]) for symbol in sorted(lacking)]
        for soname, pattern in _DRIVER.items():
            if soname in result.missing:
                symbols.update(Need(name, None, soname) for name in self._loose if pattern.match(name))
        result.symbols = tuple(sorted(symbols, key=str))
        result.unmet = tuple(unmet)

    def _lacking(self, path: str, wanted: Mapping[tuple[str, str], str]) -> set[tuple[str, str]]:
        """What of `wanted` the library at `path` does not define; a symbol without a version serves every version."""
        left: dict[str, set[str]] = {}
        for name, version in wanted:
            left.setdefault(name, set()).add(version)
        try:
            with self._opened(path) as file:
                elf = read_elf(file)
                dynamic = read_dynamic(file, elf)
                for symbol in read_symbols(file, elf, dynamic) if dynamic is not None else ():
                    if symbol.defined and symbol.name in left:
                        if symbol.version is None:
                            left[symbol.name].clear()
                        else:
                            left[symbol.name].discard(symbol.version)
        except BadFile as error:
            self._result.problems.append((path, error.problem))
            return set()
        return {(name, version) for name, versions in left.items() for version in versions}

    def _opened(self, path: str) -> closing[File]:
        file = self._tree.open(path)
        if file is None:
            raise BadFile(Problem("GM010", f"there is no {path}"))
        return closing(file)


def _expand(folders: Iterable[str], path: str) -> list[str]:
    origin = posixpath.dirname(path) or "."
    return [_ORIGIN.sub(origin.replace("\\", r"\\"), folder) for folder in folders]


def _inside(path: str) -> str | None:
    """A path of the tree in normal form; one that leaves it is none. An absolute path starts at the tree's root."""
    normal = posixpath.normpath(path.lstrip("/") or ".")
    return None if normal == ".." or normal.startswith("../") else normal


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
