"""Whatever the two documents hold, the answer is a verdict or an error of the call, never a crash."""

from contextlib import suppress
from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.machines import MACHINE, NEWER_COMPAT, RELEASE

from gitops_model.errors import CouldNotRun
from gitops_model.gpu.compat import judge
from gitops_model.gpu.documents import schema

VERDICTS = {"allow", "jit-fallback", "unknown", "reject"}
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just("12.4\n")
    | st.just("９.０"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def valid(part: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the schema accepts."""
    if "$ref" in part:
        return valid(root["$defs"][part["$ref"].rpartition("/")[2]], root)
    if "enum" in part:
        return st.sampled_from(part["enum"])
    kinds = part["type"] if isinstance(part["type"], list) else [part["type"]]
    return st.one_of([_of_kind(kind, part, root) for kind in kinds])


def _of_kind(kind: str, part: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[Any]:
    if kind == "string":
        if "pattern" in part:
            return st.from_regex(part["pattern"].replace("$", r"\Z"))
        return st.text(min_size=part.get("minLength", 0), max_size=12)
    if kind in {"integer", "number"}:
        lowest, highest = part.get("minimum", -(2**40)), min(part.get("maximum", 2**40), 2**40)
        telling = [number for number in (0, 1, 9, 18, 4000) if lowest <= number <= highest]
        numbers = st.integers(lowest, highest) | st.sampled_from(telling)
        return numbers if kind == "integer" else numbers | st.just(1.5)
    if kind == "array":
        return st.lists(valid(part["items"], root), max_size=3)
    if kind == "object":
        properties = {key: valid(inner, root) for key, inner in part.get("properties", {}).items() if key != "profile"}
        required = part.get("required", [])
        fixed = st.fixed_dictionaries(
            {key: properties[key] for key in required},
            optional={key: inner for key, inner in properties.items() if key not in required},
        )
        more = part.get("additionalProperties")
        return st.dictionaries(st.text(max_size=8), valid(more, root), max_size=3) if isinstance(more, dict) else fixed
    return {"boolean": st.booleans(), "null": st.none()}[kind]


NEEDS = valid(schema("requirements"), schema("requirements"))
TARGETS = valid(schema("target"), schema("target"))


@given(NEEDS, TARGETS)
def test_every_valid_document_gets_a_verdict(needs: dict[str, Any], target: dict[str, Any]) -> None:
    before = deepcopy((needs, target))
    found = judge(needs, target)
    assert found.verdict in VERDICTS
    assert (needs, target) == before  # nothing is changed on the way
    assert found.as_dict()["verdict"] == found.verdict
    assert found == judge(needs, target)


@given(NEEDS)
def test_a_valid_release_on_a_machine_that_fits(needs: dict[str, Any]) -> None:
    assert judge(needs, MACHINE).verdict in VERDICTS


@given(TARGETS)
def test_a_release_that_fits_on_a_valid_machine(target: dict[str, Any]) -> None:
    assert judge(RELEASE, target).verdict in VERDICTS


def spots(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        found += spots(value, (*path, key))
    return found


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = deepcopy(document)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return changed


FULL = {**MACHINE, "compat": NEWER_COMPAT}


@given(st.data(), JUNK)
def test_a_document_with_junk_in_one_place(data: st.DataObject, junk: Any) -> None:
    needs, target = RELEASE, FULL
    if data.draw(st.booleans()):
        needs = replaced(needs, data.draw(st.sampled_from(spots(needs))), junk)
    else:
        target = replaced(target, data.draw(st.sampled_from(spots(target))), junk)
    with suppress(CouldNotRun):
        assert judge(needs, target).verdict in VERDICTS
