"""Composing YAML from events: positions, limits, and what is refused."""

from pathlib import Path

import pytest
import yaml
from support.cases import walk

from gitops_model.manifest import nodes
from gitops_model.manifest.nodes import MAX_NODES, MAX_PROBLEMS, Composed, Mapping, Scalar, Sequence, compose
from gitops_model.manifest.text import Text, decode

GOOD = [path for path in walk("manifest/good") if (path / "model.yaml").exists()]


def flat(node: object) -> object:
    """A tree of nodes as something that can be compared."""
    if isinstance(node, Sequence):
        return node.start, node.weight, node.height, [flat(item) for item in node.items]
    if isinstance(node, Mapping):
        return node.start, node.weight, node.height, [(key, flat(value)) for key, value in node.entries.values()]
    return node


def codes(composed: Composed) -> list[str]:
    return [problem.code for problem in composed.problems]


@pytest.mark.parametrize(
    "source, token",
    [
        ("a: b", "b"),
        ("a: b  # c", "b"),
        ("a: 'b'", "'b'"),
        ('a: "é"', '"é"'),
        ("a: &x b", "b"),
        ("a: &x 'b'", "'b'"),
        ("a: {c: b, d: e}", "b"),
        ("é: [\U0001f600, b]", "b"),
        ("a:\r\n  b\r\n", "b"),
    ],
)
def test_a_scalar_knows_its_token(source: str, token: str) -> None:
    tokens: list[str] = []

    def visit(node: object) -> None:
        if isinstance(node, Scalar):
            tokens.append(source[node.start : node.end])
        elif isinstance(node, Sequence):
            for item in node.items:
                visit(item)
        elif isinstance(node, Mapping):
            for _, value in node.entries.values():
                visit(value)

    visit(compose(Text(source)).root)
    assert token in tokens


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_both_parsers_of_pyyaml_give_the_same_nodes(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, _ = decode((case / "model.yaml").read_bytes())
    assert text is not None
    fast = compose(text)
    monkeypatch.delattr(yaml, "CSafeLoader")
    slow = compose(text)
    assert flat(fast.root) == flat(slow.root)
    assert fast.problems == slow.problems == ()


def test_the_events_are_not_read_past_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser is lazy: of 200,000 brackets only as many are parsed as the limit allows."""
    seen = 0
    original = nodes._events

    def counted(characters: str) -> object:
        nonlocal seen
        for event in original(characters):
            seen += 1
            yield event

    monkeypatch.setattr(nodes, "_events", counted)
    assert codes(compose(Text("[" * 200_000))) == ["GM113"]
    assert seen < 40


@pytest.mark.parametrize("extra, expected", [(0, []), (1, ["GM113"])])
def test_the_limit_of_nodes_is_exact(extra: int, expected: list[str]) -> None:
    source = "[" + ",".join("x" * (MAX_NODES - 1 + extra)) + "]"
    assert codes(compose(Text(source))) == expected


def test_an_alias_counts_as_what_it_stands_for() -> None:
    tenth = MAX_NODES // 10
    source = "a: &a [" + "x," * (tenth - 1) + "]\nb: [" + "*a," * 10 + "]\n"
    assert codes(compose(Text(source))) == ["GM113"]
    assert codes(compose(Text(source.replace("*a,*a,", "", 1)))) == []


def test_an_anchor_may_be_set_again() -> None:
    root = compose(Text("a: &x 1\nb: *x\nc: &x 2\nd: *x\n")).root
    assert isinstance(root, Mapping)
    assert [value.value for _, value in root.entries.values() if isinstance(value, Scalar)] == ["1", "1", "2", "2"]


def test_many_problems_end_the_reading() -> None:
    composed = compose(Text("a: 1\n" * 2000))
    assert len(composed.problems) == MAX_PROBLEMS
    assert composed.root is None
