"""Tensors by fate, where no graph says which is in whose place: name with content first, then content, then name."""

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_model.diff.result import Side, WeightsDiff
from gitops_model.diff.weights import diff
from gitops_model.ir import Inline, Model, Tensor

Contents = dict[str, str] | list[tuple[str, str | None]]


def side(contents: Contents, shape: tuple[int, ...] = (4, 4)) -> Side:
    """A model whose tensors are named by the keys and hold what the values stand for."""
    items = list(contents.items()) if isinstance(contents, dict) else contents
    tensors = tuple(
        Tensor(name, "float32", shape, Inline(bytes(4 * prod(shape))), 4 * prod(shape)) for name, _ in items
    )
    return Side(Model("safetensors", tensors), tuple(digest for _, digest in items))


def fates(before: Contents, after: Contents, shape: tuple[int, ...] = (4, 4)) -> dict[str, object]:
    found = diff(side(before, shape), side(after, shape))
    return {
        "changed": sorted(change.name for change in found.changed),
        "added": sorted(change.name for change in found.added),
        "removed": sorted(change.name for change in found.removed),
        "renamed": sorted((change.before.name, change.name) for change in found.renamed if change.before),
    }


def only(**expected: object) -> dict[str, object]:
    return {"changed": [], "added": [], "removed": [], "renamed": []} | expected


@pytest.mark.parametrize(
    "before, after, expected",
    [
        pytest.param({}, {}, only(), id="nothing"),
        pytest.param({"a": "1", "b": "2"}, {"b": "2", "a": "1"}, only(), id="another order"),
        pytest.param([("a", "1"), ("a", "1")], [("a", "1"), ("a", "1")], only(), id="a name twice"),
        pytest.param({"a": "1"}, {"a": "2"}, only(changed=["a"]), id="changed"),
        pytest.param({"a": "1"}, {"a": "1", "b": "1"}, only(added=["b"]), id="a copy was added"),
        pytest.param({"a": "1", "b": "2"}, {"a": "1"}, only(removed=["b"]), id="removed"),
        pytest.param({"a": "1"}, {"b": "1"}, only(renamed=[("a", "b")]), id="renamed"),
        pytest.param({"a": "1"}, {"b": "2"}, only(added=["b"], removed=["a"]), id="another name and content"),
        pytest.param(
            {"a": "1", "b": "2"}, {"a": "2", "b": "1"}, only(changed=["a", "b"]), id="contents changed places"
        ),
        pytest.param(
            {"a": "1", "b": "2"}, {"a": "2", "c": "1"}, only(renamed=[("a", "c"), ("b", "a")]), id="generated names"
        ),
        pytest.param(
            {"a": "0", "b": "0", "c": "0"},
            {"a": "0", "d": "0"},
            only(renamed=[("b", "d")], removed=["c"]),
            id="equal contents pair in order",
        ),
        pytest.param(
            {"a": "0", "b": "0"},
            {"a": "1", "c": "0"},
            only(changed=["a"], renamed=[("b", "c")]),
            id="of equal contents the one whose name went was renamed",
        ),
        pytest.param(
            {"e.w": "1", "e.b": "0", "f.w": "2", "f.b": "0"},
            {"q.w": "2", "q.b": "0", "p.w": "1", "p.b": "0"},
            only(renamed=[("e.b", "p.b"), ("e.w", "p.w"), ("f.b", "q.b"), ("f.w", "q.w")]),
            id="equal contents follow the rest of their layer",
        ),
        pytest.param(
            {"e.w": "1", "e.b": "3", "f.w": "2", "f.b": "4"},
            {"q.w": "2", "q.b": "5", "p.w": "1", "p.b": "6"},
            only(changed=["p.b", "q.b"], renamed=[("e.w", "p.w"), ("f.w", "q.w")]),
            id="what changed follows the rest of its layer",
        ),
        pytest.param(
            {"m.a": "1", "m.b": "2", "m.c": "3"},
            {"a": "1", "b": "4", "c": "3"},
            only(changed=["b"], renamed=[("m.a", "a"), ("m.c", "c")]),
            id="a prefix less, and one changed",
        ),
    ],
)
def test_fates(before: Contents, after: Contents, expected: dict[str, object]) -> None:
    assert fates(before, after) == expected


def test_a_tiny_content_does_not_decide() -> None:
    """What tells for a matrix is chance for one number."""
    before, after = {"a": "1", "b": "2"}, {"a": "2", "c": "1"}
    assert fates(before, after) == only(renamed=[("a", "c"), ("b", "a")])
    assert fates(before, after, shape=(1,)) == only(changed=["a"], added=["c"], removed=["b"])


def test_what_is_not_here_is_neither_the_same_nor_changed() -> None:
    found = diff(side([("a", None), ("b", "1")]), side([("a", None), ("b", "1")]))
    assert (len(found.unknown), found.unchanged) == (1, 1)
    assert not found.changed


NAMES = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("012"), max_size=6)


def count(found: WeightsDiff) -> tuple[int, int]:
    kept = found.unchanged + len(found.renamed) + len(found.changed)
    return kept + len(found.removed), kept + len(found.added)


@given(NAMES, NAMES)
def test_every_tensor_has_exactly_one_fate(before: dict[str, str], after: dict[str, str]) -> None:
    assert count(diff(side(before), side(after))) == (len(before), len(after))


@given(NAMES, NAMES)
def test_backwards_is_the_mirror(before: dict[str, str], after: dict[str, str]) -> None:
    one, other = diff(side(before), side(after)), diff(side(after), side(before))
    assert (one.unchanged, len(one.changed), len(one.renamed)) == (
        other.unchanged,
        len(other.changed),
        len(other.renamed),
    )
    assert {change.name for change in one.added} == {change.name for change in other.removed}


@given(NAMES)
def test_a_model_against_itself(contents: dict[str, str]) -> None:
    assert fates(contents, contents) == only()
