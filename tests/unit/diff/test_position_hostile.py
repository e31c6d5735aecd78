"""Graphs that no exporter writes are matched all the same: circles, names that stand twice, one tensor everywhere."""

from collections.abc import Iterable

import pytest
from support.weighted import compared, fates

from gitops_model.diff.result import Side
from gitops_model.ir import Attribute, Graph, Inline, Model, Node, Tensor, Value

MANY = 20_000


def node(op: str, inputs: str, output: str, *attributes: Attribute) -> Node:
    return Node(op, "ai.onnx", "", tuple(inputs.split()), (output,), attributes)


def tensor(name: str) -> Tensor:
    return Tensor(name, "float32", (4, 4), Inline(bytes(64)), 64)


def graph(nodes: Iterable[Node], tensors: Iterable[Tensor] = ()) -> Graph:
    return Graph("", (Value("x", None),), (Value("y", None),), (*nodes,), {one.name: one for one in tensors})


def model(nodes: Iterable[Node], **contents: str) -> Side:
    """`contents` are the digests of the initializers."""
    tensors = [tensor(name) for name in contents]
    described = Model("onnx", (*tensors,), inputs=(), outputs=(), graph=graph(nodes, tensors), opset={"ai.onnx": 17})
    return Side(described, tuple(contents.values()))


def chain(names: list[str], op: str = "Add") -> list[Node]:
    return [node(op, f"{f'v{i}' if i else 'x'} {name}", f"v{i + 1}") for i, name in enumerate(names)]


def test_a_circle() -> None:
    one, other = (
        model([node("Add", f"v {name}", "u"), node("Mul", "u", "v"), node("Relu", "v", "y")], **{name: content})
        for name, content in (("a", "1"), ("p", "2"))
    )
    assert fates(compared(one, other)) == {"changed": ["a > p"]}


def test_a_node_that_feeds_itself() -> None:
    one, other = (model([node("Add", f"y {n}", "y")], **{n: content}) for n, content in (("a", "1"), ("p", "2")))
    assert fates(compared(one, other)) == {"changed": ["a > p"]}


def test_a_name_that_stands_twice() -> None:
    """Both are kept; the place is that of the one that the graph means, the last."""
    twice = [tensor("a"), tensor("a")]

    def side(name: str, *digests: str) -> Side:
        tensors = [one._replace(name=name) for one in twice]
        body = graph([node("Add", f"x {name}", "y")], tensors)
        return Side(Model("onnx", (*tensors,), inputs=(), outputs=(), graph=body, opset={"ai.onnx": 17}), digests)

    assert fates(compared(side("a", "1", "2"), side("a", "1", "2"))) == {}
    found = compared(side("a", "1", "2"), side("p", "3", "4"))
    assert (len(found.changed), len(found.removed), len(found.added)) == (1, 1, 1)


def test_names_that_nothing_defines() -> None:
    one, other = (model([node("Add", f"gone {n}", "y")], **{n: c}) for n, c in (("a", "1"), ("p", "2")))
    assert fates(compared(one, other)) == {"changed": ["a > p"]}


def test_one_tensor_that_every_operation_takes() -> None:
    one, other = model(chain(["a"] * MANY), a="1"), model(chain(["p"] * MANY), p="2")
    assert fates(compared(one, other)) == {"changed": ["a > p"]}


def test_one_tensor_against_as_many_copies() -> None:
    names = [f"p{number}" for number in range(MANY)]
    found = compared(model(chain(["a"] * MANY), a="0"), model(chain(names), **{n: n for n in names}))
    assert (len(found.removed), len(found.added), found.changed) == (1, MANY, ())


@pytest.mark.parametrize("last", ["Concat", "Sum"])
def test_as_many_equal_branches(last: str) -> None:
    """Into a Concat, each has its place; into a Sum, only names and order tell them apart."""

    def side(letter: str) -> Side:
        names = [f"{letter}{number}" for number in range(MANY // 4)]
        nodes = [node("MatMul", f"x {name}", f"v{name}") for name in names]
        return model([*nodes, node(last, " ".join(f"v{name}" for name in names), "y")], **{n: n for n in names})

    found = compared(side("a"), side("p"))
    assert [(c.old_name or "")[1:] for c in found.changed] == [c.name[1:] for c in found.changed]
    assert len(found.changed) == MANY // 4


def test_subgraphs_in_subgraphs() -> None:
    def side(name: str, content: str) -> Side:
        inner = graph([node("Add", f"x {name}", "y")], [tensor(name)])
        described = inner
        path = ""
        for _ in range(400):
            described = graph([node("If", "x", "y", Attribute("then_branch", "graph", described))])
            path += "If#0.then_branch/"
        weight = inner.initializers[name]._replace(name=path + name)
        inner.initializers[name] = weight
        return Side(Model("onnx", (weight,), inputs=(), outputs=(), graph=described, opset={"ai.onnx": 17}), (content,))

    found = compared(side("a", "1"), side("p", "2"))
    assert [change.name[-2:] for change in found.changed] == ["/p"]
