"""NVIDIA_REQUIRE_* of a container image, evaluated here because the runtime may not do it (REQUIRE_UNSATISFIED).

Each variable is one requirement and all must hold. Inside, spaces separate alternatives and commas conditions that hold
together: `cuda>=12.2 brand=tesla,driver>=470,driver<471`. A condition is a property (cuda: of the user-mode driver;
driver; arch: compute capability; brand), an operator (!= <= >= = < >) and a value. As in
NVIDIA/nvidia-container-toolkit (internal/requirements, internal/config/image/cuda_image.go @2da32970, @1081cece, read
2026-11-24): unknown properties are passed over, an alternative without a known one does not count, a value that is no
version is an error, and what is left without conditions holds.
"""

import re
from collections.abc import Iterable, Iterator

from gitops_model.gpu import facts
from gitops_model.gpu.contract import Gpu, Requirements, Target
from gitops_model.gpu.driver import UserMode
from gitops_model.gpu.nvidia_require import stated
from gitops_model.gpu.reasons import Reason, missing, reject, unknown
from gitops_model.gpu.versions import Range, Version, parse

_ERROR = "REQUIRE_UNSATISFIED"
_SOURCE = "NVIDIA/nvidia-container-toolkit internal/requirements/constraints/factory.go@2da32970"
_FIX = "update the driver, or use an image for an older CUDA"
_OPERATORS = ("!=", "<=", ">=", "=", "<", ">")
_NUMBERS = re.compile(r"v?([0-9]{1,9}(?:\.[0-9]{1,9}){0,5})", re.ASCII)
_NAMED = re.compile(r"\ANVIDIA_REQUIRE_[A-Za-z0-9_]*=")


class _Malformed(Exception):
    """The requirement is one that the runtime itself refuses."""


def check_require(need: Requirements, target: Target, gpu: Gpu, mode: UserMode) -> Iterator[Reason]:
    """Every requirement of the image on one GPU."""
    if "image_require" in need.stated and need.image_require is None:
        yield missing(_ERROR, "image_require of the release")
    if stated(target.environment or {}).disabled:
        return
    for text in need.image_require or ():
        try:
            holds = _evaluate(_NAMED.sub("", text, count=1), target, gpu, mode)
        except _Malformed as error:
            message = f"the runtime refuses the requirement {_short(text)}: {error}"
            yield reject(_ERROR, message, _SOURCE, "correct NVIDIA_REQUIRE_* of the image")
            continue
        if holds is False:
            yield reject(_ERROR, f"{_short(text)} does not hold on {gpu.name}{_have(target, gpu, mode)}", _SOURCE, _FIX)
        elif holds is None:
            message = f"whether {_short(text)} holds on {gpu.name} is not known{_have(target, gpu, mode)}"
            yield unknown(_ERROR, message, _SOURCE, "state driver, cuda_driver, brand and compute_capability")


def _evaluate(text: str, target: Target, gpu: Gpu, mode: UserMode) -> bool | None:
    """Three-valued; the values of all conditions are checked first, as the runtime does."""
    alternatives: list[list[bool | None]] = []
    for alternative in text.split(" "):
        conditions = [
            _condition(condition, target, gpu, mode) for condition in alternative.split(",") if condition.strip()
        ]
        known = [holds for holds in conditions if holds != "skip"]
        if known:
            alternatives.append([None if holds == "unknown" else holds == "yes" for holds in known])
    if not alternatives:
        return True
    return _any(_all(conditions) for conditions in alternatives)


def _all(values: Iterable[bool | None]) -> bool | None:
    found = list(values)
    return False if False in found else None if None in found else True


def _any(values: Iterable[bool | None]) -> bool | None:
    found = list(values)
    return True if True in found else None if None in found else False


def _condition(text: str, target: Target, gpu: Gpu, mode: UserMode) -> str:
    match = re.search(r"[<>=!]", text)
    if match is None:
        raise _Malformed(f"{text!r} has no operator")
    name, rest = text[: match.start()], text[match.start() :]
    if name not in {"cuda", "driver", "arch", "brand"}:
        return "skip"
    operator = next((operator for operator in _OPERATORS if rest.startswith(operator)), "")
    value = rest.removeprefix(operator)
    if not operator:
        raise _Malformed(f"{text!r} has no operator")
    if name == "brand":
        row = None if gpu.brand is None else facts.brand(gpu.brand)
        return _shown(_text_holds(None if row is None else row["require"], operator, value))
    number = _NUMBERS.fullmatch(value)
    if number is None:
        raise _Malformed(f"{value!r} is no version")
    return _shown(_holds(_property(name, target, gpu, mode), operator, parse(number[1])))


def _property(name: str, target: Target, gpu: Gpu, mode: UserMode) -> Range:
    if name == "cuda":
        return mode.cuda
    if name == "driver":
        return Range(target.driver, target.driver)
    known = None if gpu.capability is None else parse(".".join(map(str, gpu.capability)))
    return Range(known, known)


def _holds(have: Range, operator: str, value: Version) -> bool | None:
    at_least = have.at_least(value)
    # strictly newer: at least the value, and not the value itself
    above = None if have.known is None else have.known > value
    if above is None and at_least is not None:
        above = False if at_least is False else True if have.low is not None and have.low > value else None
    if operator == ">=":
        return at_least
    if operator == "<":
        return None if at_least is None else not at_least
    if operator == ">":
        return above
    if operator == "<=":
        return None if above is None else not above
    equal = have.known == value if have.known is not None else None if have.allows(value) else False
    return equal if operator == "=" or equal is None else not equal


def _text_holds(have: str | None, operator: str, value: str) -> bool | None:
    if have is None:
        return None
    return {
        "=": have == value,
        "!=": have != value,
        "<": have < value,
        "<=": have <= value,
        ">": have > value,
        ">=": have >= value,
    }[operator]


def _shown(holds: bool | None) -> str:
    return "unknown" if holds is None else "yes" if holds else "no"


def _short(text: str) -> str:
    return repr(text if len(text) <= 120 else text[:119] + "…")


def _have(target: Target, gpu: Gpu, mode: UserMode) -> str:
    driver = ".".join(map(str, target.driver or ())) or "not known"
    brand = None if gpu.brand is None else facts.brand(gpu.brand)
    name = brand["name"] if brand else "not known"
    return f" (cuda {mode.cuda}, driver {driver}, brand {name})"
