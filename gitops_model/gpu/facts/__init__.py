"""The fact tables, read on first use. Every row names its source and the day it was read or measured.

The tables are data, not code: a newer CUDA, driver or ONNX Runtime is a row. What no row covers is unknown, and the
functions here say so (None, or a `Range` that is open) instead of continuing a pattern. `benchmarks/gpu_facts.py`
compares them with what can be had from package registries and the installed compiler.
"""

import json
import os
import re
from functools import cache
from typing import Any, NamedTuple, TypeAlias, cast

from gitops_model.gpu.versions import ANY, Range, Version, between, parse

Row: TypeAlias = dict[str, Any]
Capability: TypeAlias = tuple[int, int]

TABLES = (
    "capabilities",
    "driver_symbols",
    "drivers",
    "dtypes",
    "forward_compat",
    "libraries",
    "onnx_operators",
    "onnxruntime",
    "onnxruntime_kernels",
    "ptx_jit_matrix",
    "toolkits",
)


@cache
def table(name: str) -> dict[str, Any]:
    """One file of this folder."""
    with open(os.path.join(os.path.dirname(__file__), f"{name}.json"), encoding="utf-8") as stream:
        return cast("dict[str, Any]", json.load(stream))


def rows(name: str, key: str) -> list[Row]:
    return table(name)[key]


def capability(text: str) -> Capability:
    """`9.0` as (9, 0); ValueError for anything else."""
    major, dot, minor = text.partition(".")
    if not dot or not (major.isascii() and major.isdigit() and minor.isascii() and minor.isdigit()) or len(minor) != 1:
        raise ValueError(f"{text!r} is not a compute capability")
    return int(major), int(minor)


# --- toolkits and drivers ------------------------------------------------------------------------------------------
class Floor(NamedTuple):
    """The oldest driver for a toolkit. `exact` False: the row is that of the same major's newest known toolkit."""

    driver: Version
    exact: bool
    source: str


@cache
def _toolkits() -> dict[Version, Row]:
    return {parse(row["toolkit"]): row for row in rows("toolkits", "toolkits")}


def oldest_toolkit() -> Version:
    return min(_toolkits())


def driver_floor(toolkit: Version) -> Floor | None:
    """The driver floor of a toolkit (its patch does not count); None where not even its major is known."""
    key = parse(f"{toolkit[0]}.{toolkit[1] if len(toolkit) > 1 else 0}")
    known = _toolkits()
    row = known.get(key)
    if row is not None:
        return Floor(parse(row["driver_floor"]), True, row["source"])
    same = [version for version in known if version[0] == key[0]]
    if not same:
        return None
    row = known[max(same)]
    return Floor(parse(row["driver_floor"]), False, row["source"])


@cache
def _branches() -> list[tuple[Version, Version]]:
    return sorted(((row["branch"],), parse(row["cuda"])) for row in rows("drivers", "branches"))


def cuda_of_driver(driver: Version) -> Range:
    """The CUDA version of the user-mode driver that comes with a kernel driver, by its branch."""
    return between(_branches(), driver[:1])


def cuda_of_jetson(driver: Version) -> Range:
    """The CUDA version of a JetPack driver, whose number is no branch; only those in the table are known."""
    for row in rows("drivers", "jetson"):
        if parse(row["driver"]) == driver:
            return Range(parse(row["cuda"]), parse(row["cuda"]))
    return ANY


def branches_source(driver: Version) -> str:
    for row in rows("drivers", "branches"):
        if row["branch"] == driver[0]:
            return row["source"]
    return rows("drivers", "branches")[0]["source"]


@cache
def _ptx_limits() -> list[tuple[Version, Version]]:
    return sorted((parse(row["cuda"]), parse(row["ptx_isa"])) for row in rows("drivers", "ptx"))


def ptx_limit(cuda: Range) -> Range:
    """The newest PTX ISA that a user-mode driver of this CUDA version compiles. Newer drivers compile older PTX."""
    low = ANY.low if cuda.low is None else between(_ptx_limits(), cuda.low).low
    high = ANY.high if cuda.high is None else between(_ptx_limits(), cuda.high).high
    return Range(low, high)


def ptx_source() -> str:
    return rows("drivers", "ptx")[-1]["source"]


class Drop(NamedTuple):
    last_branch: int
    generation: str
    source: str


def dropped(gpu: Capability) -> Drop | None:
    """The last driver branch for a GPU generation, where there is one."""
    for row in rows("drivers", "drops"):
        if gpu < capability(row["below"]):
            return Drop(row["last_branch"], row["generation"], row["source"])
    return None


class Function(NamedTuple):
    """The CUDA versions whose drivers brought the first and the last form of a function of libcuda.so.1."""

    first: Version
    last: Version
    source: str


@cache
def _driver_functions() -> dict[str, Function]:
    return {
        name: Function(parse(row["first"]), parse(row["last"]), row["source"])
        for row in rows("driver_symbols", "functions")
        for name in row["names"]
    }


def driver_function(symbol: str) -> Function | None:
    """By the exported name, whose suffixes (`_v2`, `_ptsz`) say the form; None for what no row names."""
    return _driver_functions().get(re.sub(r"(?:_v[0-9])?(?:_pts[zd])?\Z", "", symbol))


# --- GPUs ----------------------------------------------------------------------------------------------------------
@cache
def capabilities() -> dict[Capability, Row]:
    return {capability(row["capability"]): row for row in rows("capabilities", "capabilities")}


@cache
def families() -> dict[str, frozenset[Capability]]:
    """Targets with a suffix that run on more than the capability in their name (`100f`, `101a`)."""
    return {row["arch"]: frozenset(map(capability, row["runs_on"])) for row in rows("capabilities", "families")}


@cache
def lowest_isa(arch: str) -> Version | None:
    """The oldest PTX ISA that has a target; None for targets no row names."""
    for row in rows("capabilities", "targets"):
        if row["arch"] == arch:
            return parse(row["ptx_isa"])
    return None


def rule(name: str) -> Row:
    return next(row for row in rows("capabilities", "rules") if row["rule"] == name)


def brand(number: int) -> Row | None:
    return next((row for row in rows("forward_compat", "brands") if row["brand"] == number), None)


def compat_rule(name: str) -> str:
    return next(row["source"] for row in rows("forward_compat", "rules") if row["rule"] == name)


# --- libraries, types, ONNX ----------------------------------------------------------------------------------------
class Limit(NamedTuple):
    """`capability` is the lowest one; None: there is no limit."""

    capability: Capability | None
    source: str


def dtype_floor(name: str) -> Limit | None:
    """What a GPU must have to compute with an element type; None for types no row names."""
    name = name.lower()
    name = next((row["dtype"] for row in rows("dtypes", "aliases") if row["alias"] == name), name)
    for row in rows("dtypes", "dtypes"):
        if row["dtype"] == name:
            return Limit(None if row["floor"] is None else capability(row["floor"]), row["source"])
    return None


def floor_since(key: str, version: Version) -> Limit | None:
    """The newest row of `cudnn_floors` or `tensorrt_floors` that is not newer than `version`."""
    found = [row for row in rows("libraries", key) if parse(row["version"]) <= version]
    return Limit(capability(found[-1]["capability_floor"]), found[-1]["source"]) if found else None


@cache
def system_sonames() -> frozenset[str]:
    return frozenset(row["soname"] for row in rows("libraries", "system"))


@cache
def onnxruntime_releases() -> dict[Version, Row]:
    """By major and minor."""
    return {parse(row["version"]): row for row in rows("onnxruntime", "releases")}


@cache
def onnxruntime_builds() -> dict[Version, Row]:
    """By full version: wheels that were opened."""
    return {parse(row["version"]): row for row in rows("onnxruntime", "builds")}


@cache
def onnxruntime_kernels() -> dict[Version, Row]:
    return {parse(row["version"]): row for row in rows("onnxruntime_kernels", "releases")}


@cache
def operator_versions(domain: str) -> dict[str, list[int]] | None:
    """Operator → opset versions at which it changed, rising; None for a domain that ONNX does not define."""
    for row in rows("onnx_operators", "domains"):
        if row["domain"] == domain:
            return row["versions"]
    return None


def newest_opset(domain: str) -> int | None:
    """The newest opset version that the table of operators knows."""
    return next((row["newest"] for row in rows("onnx_operators", "domains") if row["domain"] == domain), None)


@cache
def function_bodies() -> dict[tuple[str, int], list[str] | None]:
    """(operator, version) of ai.onnx functions → operators in the body; None where it depends on types."""
    return {(row["operator"], row["since"]): row["body"] for row in rows("onnx_operators", "functions")}
