"""An ONNX model against ONNX Runtime: IR, opset, and a kernel for every operator, on CUDA or at least on the CPU.

A kernel is registered for a range of versions of its operator. A closed range matches every version inside; an open one
only the version at which it begins, so that a new form of an operator is never run by an old kernel
(microsoft/onnxruntime onnxruntime/core/framework/kernel_registry.cc). A kernel is necessary, not sufficient: the CUDA
provider also leaves small shape computations on the CPU.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from gitops_model.gpu import facts
from gitops_model.gpu.contract import Onnx, Operator, Requirements, Target
from gitops_model.gpu.reasons import Reason, missing, reject, unknown
from gitops_model.gpu.versions import Version, show

_TABLE = "table of ONNX Runtime releases"
_NEEDLESS = frozenset((("ai.onnx", "Constant"),))
"""Operators that ONNX Runtime removes when it loads a model."""

_TYPES = {
    "float32": "float",
    "float64": "double",
    "float8_e4m3fn": "float8e4m3fn",
    "float8_e5m2": "float8e5m2",
    "float4_e2m1fn": "float4e2m1",
    "float8_e8m0fnu": "float8e8m0",
}
"""NumPy names of element types that ONNX Runtime calls otherwise."""


def check_onnx(need: Requirements, target: Target) -> Iterator[Reason]:
    """IR, opset and operators of the model, and whether the CUDA provider would load at all."""
    if "onnxruntime" in need.stated and need.onnxruntime is None:
        yield missing("UNSUPPORTED_OPSET", "onnxruntime of the release")
    if "onnx" in need.stated and need.onnx is None:
        yield missing("UNSUPPORTED_OPSET", "onnx of the release")
    if need.onnxruntime is not None:
        yield from _provider(need, need.onnxruntime, target)
    if need.onnx is None:
        return
    if need.onnxruntime is None:
        if "onnxruntime" not in need.stated:
            yield missing("UNSUPPORTED_OPSET", "onnxruntime of the release")
        return
    yield from _ir(need.onnx, need.onnxruntime)
    yield from _opset(need.onnx, need.onnxruntime)
    yield from _operators(need, need.onnx, need.onnxruntime)


def _provider(need: Requirements, version: Version, target: Target) -> Iterator[Reason]:
    """CPU_FALLBACK as a whole: a library of the CUDA provider is absent. A scanned release names its own sonames."""
    if "sonames" in need.stated or "binaries" in need.stated:
        return
    build = facts.onnxruntime_builds().get(version)
    if build is None or target.architecture == "arm64":
        yield unknown(
            "CPU_FALLBACK",
            f"which libraries the CUDA provider of ONNX Runtime {show(version)} needs is not known",
            "table of opened ONNX Runtime wheels (x86_64)",
            "scan the release or the image with its layers: gitops-model gpu scan",
        )
        return
    absent = [
        soname
        for soname in (*build["needed"], *build["opened_later"])
        if soname != "libcuda.so.1" and target.library(soname) is None
    ]
    if absent:
        yield unknown(
            "CPU_FALLBACK",
            f"the CUDA provider of ONNX Runtime {show(version)} needs {', '.join(absent)}: the machine does not have "
            "it, and whether the release carries it is not known",
            build["source"],
            "scan the release or the image with its layers: gitops-model gpu scan",
        )


class _Limits(NamedTuple):
    """The newest IR and opset that a release loads: at least `low`, at most `high` (None: not known)."""

    low: int | None
    high: int | None
    source: str


def _limits(version: Version, key: str) -> _Limits:
    """From the row of the release, or from the rows around it: later releases load what earlier ones did."""
    low = high = None
    source = _TABLE
    for release, row in sorted(facts.onnxruntime_releases().items()):
        if release == version[:2]:
            return _Limits(row[key], row[key], row["source"])
        if release < version[:2]:
            low, source = row[key], row["source"]
        elif high is None:
            high = row[key]
    return _Limits(low, high, source)


def most(version: Version) -> tuple[int | None, int | None]:
    """The opset of ai.onnx and the IR version above which a release surely loads nothing; None where no row says it."""
    return _limits(version, "opset").high, _limits(version, "ir").high


def _ir(model: Onnx, version: Version) -> Iterator[Reason]:
    if model.ir_version is None:
        yield missing("UNSUPPORTED_IR", "onnx.ir_version of the release")
        return
    limit = _limits(version, "ir")
    what = f"the model has IR version {model.ir_version}, ONNX Runtime {show(version)}"
    if limit.high is not None and model.ir_version > limit.high:
        fix = "export with an older onnx, or use a newer ONNX Runtime"
        yield reject("UNSUPPORTED_IR", f"{what} loads up to {limit.high}", limit.source, fix)
    elif limit.low is None or model.ir_version > limit.low:
        message = f"{what} is not in the table (loads up to {limit.low} or more)"
        yield unknown("UNSUPPORTED_IR", message, limit.source, "update gitops-model")


def _opset(model: Onnx, version: Version) -> Iterator[Reason]:
    if not model.opset:
        yield missing("UNSUPPORTED_OPSET", "onnx.opset of the release")
        return
    for domain, opset in sorted(model.opset.items()):
        if domain == "ai.onnx":
            yield from _official(opset, version)
        elif domain == "ai.onnx.ml" and opset > _oldest_ml(version):
            message = f"whether ONNX Runtime {show(version)} loads opset {opset} of ai.onnx.ml is not known"
            yield unknown("UNSUPPORTED_OPSET", message, _TABLE, "run the model once: gitops-model gpu check --smoke")


def _oldest_ml(version: Version) -> int:
    """The newest opset of ai.onnx.ml for which a release up to this one registers a kernel."""
    newest = 0
    for release, row in facts.onnxruntime_kernels().items():
        if release <= version:
            kernels = row["cpu"].get("ai.onnx.ml", {})
            newest = max([newest, *(first for ranges in kernels.values() for first, *_ in ranges)])
    return newest


def _official(opset: int, version: Version) -> Iterator[Reason]:
    limit = _limits(version, "opset")
    what = f"the model imports opset {opset}, ONNX Runtime {show(version)}"
    if limit.high is not None and opset > limit.high:
        fix = "export with an older opset, convert with onnx.version_converter, or use a newer ONNX Runtime"
        yield reject("UNSUPPORTED_OPSET", f"{what} knows up to {limit.high}", limit.source, fix)
    elif limit.low is None or opset > limit.low:
        message = f"{what} is not in the table (knows {limit.low} or more)"
        yield unknown("UNSUPPORTED_OPSET", message, limit.source, "update gitops-model")


# --- operators -----------------------------------------------------------------------------------------------------
PROVIDERS = ("cuda", "cpu")


class Place(NamedTuple):
    """Where an operator runs: `cuda`, `cpu`, `nowhere`, or `unknown`; `text` says why it is not CUDA."""

    where: str
    text: str


def _operators(need: Requirements, model: Onnx, version: Version) -> Iterator[Reason]:
    if model.operators is None:
        yield missing("NOT_IMPLEMENTED", "onnx.operators of the release")
        return
    if not model.operators:
        return
    near = _near(version)
    if not near:
        yield unknown(
            "NOT_IMPLEMENTED",
            f"which kernels ONNX Runtime {show(version)} has is not known",
            f"table of kernels: {', '.join(map(show, _known()))}",
            "use a release of the table, or update gitops-model",
        )
        return
    row = facts.onnxruntime_kernels()[near[0]]
    found: dict[str, dict[str, str]] = {}
    for operator in model.operators:
        places = [place_of(operator, model.opset or {}, release) for release in near]
        place = places[0]
        if any(other.where != place.where for other in places):
            place = Place("unknown", f"{' and '.join(map(show, near))} differ")
        found.setdefault(place.where, {})[_name(operator)] = place.text
    where = f"ONNX Runtime {show(version)}"
    if missing_ones := found.get("nowhere"):
        message = f"{where} has no kernel for {_listed(missing_ones)}"
        fix = "replace the operator, or use another ONNX Runtime"
        yield reject("NOT_IMPLEMENTED", message, row["source"], fix)
    if unsure := found.get("unknown"):
        message = f"whether {where} runs {_listed(unsure)} is not known"
        fix = "run the model once: gitops-model gpu check --smoke"
        yield unknown("NOT_IMPLEMENTED", message, row["source"], fix)
    if slow := found.get("cpu"):
        message = f"{where} runs {_listed(slow)} on the CPU: the CUDA provider has no kernel"
        if not need.cpu_fallback:
            fix = "replace the operator, or accept it: cpu_fallback: allow"
            yield reject("CPU_FALLBACK", message, row["source"], fix)


def _known() -> list[Version]:
    """The releases whose CUDA kernels are in the table."""
    return sorted(version for version, row in facts.onnxruntime_kernels().items() if "cuda" in row)


def _near(version: Version) -> list[Version]:
    """The release itself, or the two of the table around it: what both do alike, those between do too."""
    known = _known()
    if version in known:
        return [version]
    below = [release for release in known if release < version]
    above = [release for release in known if release > version]
    return [below[-1], above[0]] if below and above else []


def _name(operator: Operator) -> str:
    return operator.op_type if operator.domain == "ai.onnx" else f"{operator.domain}:{operator.op_type}"


def _listed(operators: dict[str, str]) -> str:
    texts = [name + (f" ({text})" if text else "") for name, text in sorted(operators.items())]
    return ", ".join(texts[:12]) + (f" and {len(texts) - 12} more" if len(texts) > 12 else "")


def place_of(
    operator: Operator, opset: dict[str, int], version: Version, providers: tuple[str, ...] = PROVIDERS
) -> Place:
    """Where one operator of a model with these opset imports runs under a release of the kernel table.

    `providers` are asked in their order; ("cpu",) says whether the CPU alone runs it.
    """
    if (operator.domain, operator.op_type) in _NEEDLESS:
        return Place(providers[0], "")
    since = operator.since or since_version(operator.domain, operator.op_type, opset.get(operator.domain))
    if since is None:
        return Place("unknown", f"the table has no such operator in opset {opset.get(operator.domain)}")
    text = f"version {since}"
    found = False
    for provider in providers:
        kernels = _matching(version, provider, operator.domain, operator.op_type, since)
        bad = _unsupported(kernels, operator.types)
        if kernels and not bad:
            return Place(provider, "" if provider == providers[0] else text)
        if kernels:
            found, text = True, f"version {since}, {bad}"
    return Place("nowhere", text) if found else _inside(operator, opset, version, providers, text)


def _inside(
    operator: Operator, opset: dict[str, int], version: Version, providers: tuple[str, ...], text: str
) -> Place:
    """An operator without a kernel that ONNX defines as a function runs where its body runs."""
    since = operator.since or since_version(operator.domain, operator.op_type, opset.get(operator.domain)) or 0
    key = operator.op_type, since
    if operator.domain != "ai.onnx" or key not in facts.function_bodies():
        known = facts.operator_versions(operator.domain) is not None or operator.domain == "com.microsoft"
        return Place("nowhere" if known else "unknown", text if known else "a domain of its own")
    body = facts.function_bodies()[key]
    if body is None:
        return Place("unknown", f"{text}, a function whose body depends on its types")
    # bodies hold simpler operators; none leads back to itself (tested), so this ends
    places = [place_of(Operator("ai.onnx", name, None, {}), opset, version, providers) for name in body]
    for where in ("nowhere", "unknown", *providers[1:]):
        if any(place.where == where for place in places):
            return Place(where, f"{text}, inside it")
    return Place(providers[0], "")


def since_version(domain: str, op_type: str, opset: int | None) -> int | None:
    """The version of an operator that a model of this opset has. Domains that ONNX does not define have version 1."""
    versions = facts.operator_versions(domain)
    if versions is None:
        return 1
    newest = facts.newest_opset(domain)
    if opset is None or newest is None or opset > newest:
        return None
    return max((version for version in versions.get(op_type, ()) if version <= opset), default=None)


@lru_cache(maxsize=4096)
def _matching(version: Version, provider: str, domain: str, op_type: str, since: int) -> tuple[tuple[Any, ...], ...]:
    ranges = facts.onnxruntime_kernels()[version][provider].get(domain, {}).get(op_type, ())
    return tuple(tuple(row) for row in ranges if row[0] == since or (row[1] is not None and row[0] < since <= row[1]))


def _unsupported(kernels: tuple[tuple[Any, ...], ...], types: dict[str, tuple[str, ...]]) -> str:
    """The type that no matching kernel takes, "" where one takes all that are stated."""
    sets = facts.table("onnxruntime_kernels")["type_sets"]
    worst = ""
    for kernel in kernels:
        constraints: dict[str, int] = (
            kernel[2] if len(kernel) > 2 else {}
        )  # types that were not recorded forbid nothing
        bad = next(
            (
                f"{parameter}={name}"
                for parameter, names in types.items()
                for name in names
                if parameter in constraints and _TYPES.get(name, name) not in sets[constraints[parameter]]
            ),
            None,
        )
        if bad is None:
            return ""
        worst = bad
    return worst
