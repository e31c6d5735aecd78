"""One prefix on nearly all names: found, told, and counted; nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_model.diff.prefix import find

NAMES = ("conv.weight", "conv.bias", "layers.0.w", "layers.1.w", "layers.10.w", "head/w", "head/b", "e", "n.w", "n.b")


def looks(names: "tuple[str, ...] | list[str]") -> dict[str, object]:
    return {name: ("float32", (len(NAMES),)) for name in names}


def found(before: "tuple[str, ...] | list[str]", after: "tuple[str, ...] | list[str]") -> tuple[str, str, int] | None:
    prefix = find(looks(before), looks(after))
    return None if prefix is None else (prefix.before, prefix.after, prefix.tensors)


def put(prefix: str) -> list[str]:
    return [prefix + name for name in NAMES]


@pytest.mark.parametrize(
    "before, after",
    [
        pytest.param([], [], id="nothing"),
        pytest.param(["a"], [], id="nothing left"),
        pytest.param(NAMES, NAMES, id="the same names"),
        pytest.param(NAMES, [f"x{number}" for number in range(10)], id="other names"),
        pytest.param(["fc.w"], ["head.w"], id="one tensor under another name"),
        pytest.param(NAMES, [*put("m.")[:7], "x", "y", "z"], id="less than nearly all"),
        pytest.param([*map(str, range(1, 9))], [*map(str, range(11, 19))], id="numbers that were counted on"),
        pytest.param(
            [f"onnx::MatMul_{number}" for number in range(1, 9)],
            [f"onnx::MatMul_{number}" for number in range(101, 109)],
            id="generated names",
        ),
        pytest.param([f"layers.{n}.w" for n in range(4)], [f"layers.{n + 1}.w" for n in range(4)], id="a layer more"),
        pytest.param(["a", "b"], ["a", "x.a"], id="a name that stays"),
    ],
)
def test_no_prefix(before: list[str], after: list[str]) -> None:
    assert found(before, after) is None


@pytest.mark.parametrize(
    "before, after, expected",
    [
        pytest.param(put("module."), NAMES, ("module.", "", 10), id="lost"),
        pytest.param(NAMES, put("module."), ("", "module.", 10), id="got"),
        pytest.param(put("a.b."), put("a.c."), ("a.b.", "a.c.", 10), id="replaced"),
        pytest.param(put("model."), put("module."), ("model.", "module.", 10), id="components, not letters"),
        pytest.param(put("_orig_mod.module."), NAMES, ("_orig_mod.module.", "", 10), id="two components"),
        pytest.param(put("a/b/"), put("b/"), ("a/", "", 10), id="only what changed"),
        pytest.param(NAMES, put("pre_"), ("", "pre_", 10), id="any text"),
        pytest.param(put("m."), [*NAMES[:9], "n.c"], ("m.", "", 9), id="nearly all"),
        pytest.param(put("m."), [*NAMES, "extra.w", "extra.b"], ("m.", "", 10), id="and two more"),
        pytest.param(["w"], ["module.w"], ("", "module.", 1), id="one tensor"),
        pytest.param(
            ["w", "If_0.then_branch/w", "If_0.then_branch/Loop_1.body/v", "b"],
            ["p/w", "p/If_0.then_branch/p/w", "p/If_0.then_branch/p/Loop_1.body/p/v", "p/b"],
            ("", "p/", 4),
            id="at every level",
        ),
    ],
)
def test_prefix(before: list[str], after: list[str], expected: tuple[str, str, int]) -> None:
    assert found(before, after) == expected
    assert found(after, before) == (expected[1], expected[0], expected[2])


def test_names_of_other_shapes_are_other_tensors() -> None:
    before = {name: (number,) for number, name in enumerate(put("m."))}
    after = {name: (number + 1,) for number, name in enumerate(NAMES)}
    assert find(before, after) is None


@pytest.mark.parametrize(
    "before, after, sentence",
    [
        (put("m."), NAMES, '10 tensors lost the prefix "m."'),
        (NAMES, put("m."), '10 tensors got the prefix "m."'),
        (put("m."), put("n."), '10 tensors got the prefix "n." instead of "m."'),
        (["m.w"], ["w"], '1 tensor lost the prefix "m."'),
    ],
)
def test_sentences(before: list[str], after: list[str], sentence: str) -> None:
    prefix = find(looks(before), looks(after))
    assert prefix is not None
    assert prefix.sentence == sentence


def test_hostile_names() -> None:
    deep = ["." * 50_000 + str(number) for number in range(20)]
    assert found(deep, ["a." + name for name in deep]) == ("", "a.", 20)
    assert found(["\0", "\x1b[2J"], ["\u202e.\0", "\u202e.\x1b[2J"]) == ("", "\u202e.", 2)


TEXT = st.text("ab01./_", max_size=6)


@given(st.lists(TEXT, max_size=12, unique=True), st.lists(TEXT, max_size=12, unique=True))
def test_a_prefix_leads_from_one_side_to_the_other(before: list[str], after: list[str]) -> None:
    """Whatever is found explains as many names as it says, and the other way finds the same."""
    prefix, back = find(looks(before), looks(after)), find(looks(after), looks(before))
    assert (prefix is None) == (back is None)
    if prefix is not None and back is not None:
        assert sum(name != prefix.renamed(name) and prefix.renamed(name) in after for name in before) == prefix.tensors
        assert back.tensors == prefix.tensors


@given(st.lists(TEXT, min_size=1, max_size=12, unique=True), st.sampled_from(("module.", "a/b/", "_orig_mod.")))
def test_what_was_put_before_all_names_is_found(names: list[str], prefix: str) -> None:
    after = [prefix + name for name in names]
    if 2 * len(set(names) & set(after)) < len(names):
        one = find(looks(names), looks(after))
        assert one is not None
        assert {one.renamed(name) for name in names} == set(after)
