"""What the structure and model digests tell apart, and what they are blind to, one by one."""

import itertools
import struct

import pytest

from gitops_model import ir
from gitops_model.blob import Blob, NoSource
from gitops_model.fingerprint import fingerprint, structure_digest
from gitops_model.readers.bytes import TensorBytes

DOMAIN = "ai.onnx"


def structure(model: ir.Model) -> str:
    digest = structure_digest(model)
    assert digest is not None
    return digest


def tensor(name: str, values: list[float], dtype: str = "float32") -> ir.Tensor:
    data = struct.pack(f"<{len(values)}f", *values)
    return ir.Tensor(name, dtype, (len(values),), ir.Inline(data), len(data))


def node(op: str, inputs: str, outputs: str, *attributes: ir.Attribute, domain: str = DOMAIN) -> ir.Node:
    return ir.Node(op, domain, "", tuple(inputs.split()), tuple(outputs.split()), attributes)


def graph(
    inputs: str, outputs: str, nodes: list[ir.Node], initializers: dict[str, ir.Tensor] | None = None
) -> ir.Graph:
    return ir.Graph(
        "g",
        tuple(ir.Value(name, None) for name in inputs.split()),
        tuple(ir.Value(name, None) for name in outputs.split()),
        tuple(nodes),
        initializers or {},
    )


def model(graph: ir.Graph, *functions: ir.Function, **options: object) -> ir.Model:
    return ir.Model("test", tuple(graph.initializers.values()), graph=graph, functions=functions, **options)  # type: ignore[arg-type]


def attribute(kind: str, value: ir.AttributeValue, name: str = "a") -> ir.Attribute:
    return ir.Attribute(name, kind, value)


def one_node(*attributes: ir.Attribute, op: str = "Op", domain: str = DOMAIN) -> ir.Model:
    return model(graph("x", "y", [node(op, "x", "y", *attributes, domain=domain)]))


def if_node(then: ir.Graph, other: ir.Graph, output: str = "y") -> ir.Node:
    return node("If", "c", output, attribute("graph", then, "then_branch"), attribute("graph", other, "else_branch"))


def function(
    nodes: list[ir.Node], name: str = "f", attributes: tuple[str, ...] = (), inputs: str = "p", outputs: str = "q"
) -> ir.Function:
    return ir.Function(
        "local", name, "", tuple(inputs.split()), tuple(outputs.split()), attributes, (), tuple(nodes), {}
    )


CALL = graph("x", "y", [node("f", "x", "y", domain="local")])
BRANCH = graph("", "t", [node("Relu", "x", "t")])
NEGATED = graph("", "t", [node("Neg", "x", "t")])
USE = node("F", "x w", "y")
INTEGERS = ir.Tensor("w", "int64", (2,), ir.Inline(struct.pack("<2q", 1, 2)), 16)
BASE = one_node(attribute("int", 1))

DIFFERENT: dict[str, tuple[ir.Model, ir.Model]] = {
    "the operator": (one_node(op="A"), one_node(op="B")),
    "the domain": (one_node(), one_node(domain="com.example")),
    "an attribute's value": (BASE, one_node(attribute("int", 2))),
    "an attribute's name": (BASE, one_node(attribute("int", 1, "b"))),
    "an attribute's kind": (BASE, one_node(attribute("float", 1.0))),
    "an attribute more": (BASE, one_node()),
    "the sign of zero": (one_node(attribute("float", 0.0)), one_node(attribute("float", -0.0))),
    "one number and a list of one": (BASE, one_node(attribute("ints", (1,)))),
    "the order of a list": (one_node(attribute("ints", (1, 2))), one_node(attribute("ints", (2, 1)))),
    "how strings are split": (one_node(attribute("strings", (b"ab",))), one_node(attribute("strings", (b"a", b"b")))),
    "the value of a tensor attribute": (
        one_node(attribute("tensor", tensor("", [1]))),
        one_node(attribute("tensor", tensor("", [2]))),
    ),
    "the order of inputs": (
        model(graph("a b", "y", [node("Sub", "a b", "y")])),
        model(graph("a b", "y", [node("Sub", "b a", "y")])),
    ),
    "the order of outputs": (
        model(graph("x", "a b", [node("F", "x", "a"), node("G", "x", "b")])),
        model(graph("x", "b a", [node("F", "x", "a"), node("G", "x", "b")])),
    ),
    "which output of a node": (
        model(graph("x", "a", [node("Split", "x", "a b")])),
        model(graph("x", "b", [node("Split", "x", "a b")])),
    ),
    "an unused input": (BASE, model(graph("x z", "y", [node("Op", "x", "y", attribute("int", 1))]))),
    "a dead node": (BASE, model(graph("x", "y", [node("Op", "x", "y", attribute("int", 1)), node("Dead", "x", "z")]))),
    "one constant used twice and two": (
        model(graph("x", "y", [node("F", "x w w", "y")], {"w": tensor("w", [1])})),
        model(graph("x", "y", [node("F", "x w v", "y")], {"w": tensor("w", [1]), "v": tensor("v", [1])})),
    ),
    "one node used twice and two": (
        model(graph("x", "y", [node("R", "x", "a"), node("Add", "a a", "y")])),
        model(graph("x", "y", [node("R", "x", "a"), node("R", "x", "b"), node("Add", "a b", "y")])),
    ),
    "a constant's shape": (
        model(graph("x", "y", [node("F", "x w", "y")], {"w": tensor("w", [1])})),
        model(graph("x", "y", [node("F", "x w", "y")], {"w": tensor("w", [1, 1])})),
    ),
    "a constant's dtype": (
        model(graph("x", "y", [node("F", "x w", "y")], {"w": tensor("w", [1])})),
        model(graph("x", "y", [node("F", "x w", "y")], {"w": tensor("w", [1], "uint32")})),
    ),
    "a constant that nothing uses": (BASE, model(BASE.graph._replace(initializers={"w": tensor("w", [1])}))),  # type: ignore[union-attr]
    "an omitted input in the middle": (
        model(graph("x", "y", [ir.Node("F", DOMAIN, "", ("x", "", "x"), ("y",), ())])),
        model(graph("x", "y", [ir.Node("F", DOMAIN, "", ("x", "x"), ("y",), ())])),
    ),
    "an output that is asked for": (
        model(graph("x", "y", [node("Dropout", "x", "y")])),
        model(graph("x", "y", [node("Dropout", "x", "y mask")])),
    ),
    "the branches of an If": (
        model(graph("c x", "y", [if_node(BRANCH, NEGATED)])),
        model(graph("c x", "y", [if_node(NEGATED, BRANCH)])),
    ),
    "what a branch takes from outside": (
        model(graph("c x z", "y", [if_node(BRANCH, NEGATED)])),
        model(graph("c x z", "y", [if_node(graph("", "t", [node("Relu", "z", "t")]), NEGATED)])),
    ),
    "an attribute four levels down": (
        model(graph("c x", "y", [if_node(graph("", "y", [if_node(BRANCH, NEGATED)]), NEGATED)])),
        model(graph("c x", "y", [if_node(graph("", "y", [if_node(NEGATED, NEGATED)]), NEGATED)])),
    ),
    "which of two equal branches is changed": (
        model(graph("c x", "y z", [if_node(BRANCH, BRANCH), if_node(BRANCH, NEGATED, "z")])),
        model(graph("c x", "z y", [if_node(BRANCH, BRANCH), if_node(BRANCH, NEGATED, "z")])),
    ),
    "a function's body": (
        model(CALL, function([node("Relu", "p", "q")])),
        model(CALL, function([node("Neg", "p", "q")])),
    ),
    "a function that is called and an operator": (model(CALL, function([node("Relu", "p", "q")])), model(CALL)),
    "a function's attributes": (
        model(CALL, function([node("Relu", "p", "q", attribute("ref", b"k"))], attributes=("k",))),
        model(CALL, function([node("Relu", "p", "q", attribute("ref", b"l"))], attributes=("l",))),
    ),
    "the body of a function that a function calls": (
        model(CALL, function([node("g", "p", "q", domain="local")]), function([node("Relu", "p", "q")], "g")),
        model(CALL, function([node("g", "p", "q", domain="local")]), function([node("Neg", "p", "q")], "g")),
    ),
}

EQUAL: dict[str, tuple[ir.Model, ir.Model]] = {
    "the opset": (BASE, model(BASE.graph, opset={DOMAIN: 17})),  # type: ignore[arg-type]
    "metadata": (BASE, model(BASE.graph, metadata={"author": "me"})),  # type: ignore[arg-type]
    "the order of attributes": (
        one_node(attribute("int", 1, "a"), attribute("int", 2, "b")),
        one_node(attribute("int", 2, "b"), attribute("int", 1, "a")),
    ),
    "omitted inputs at the end": (
        model(graph("x", "y", [ir.Node("F", DOMAIN, "", ("x", "", ""), ("y", ""), ())])),
        model(graph("x", "y", [ir.Node("F", DOMAIN, "", ("x",), ("y",), ())])),
    ),
    "an initializer that is listed as an input": (
        model(graph("x", "y", [node("F", "x w", "y")], {"w": tensor("w", [1])})),
        model(graph("w x", "y", [node("F", "x w", "y")], {"w": tensor("w", [1])})),
    ),
    "the value of a weight": (
        model(graph("x", "y", [node("F", "x w", "y")], {"w": tensor("w", [1])})),
        model(graph("x", "y", [node("F", "x w", "y")], {"w": tensor("w", [2])})),
    ),
    "the form of a Constant": (
        model(graph("x", "y", [node("Constant", "", "w", attribute("ints", (1, 2), "value_ints")), USE])),
        model(graph("x", "y", [USE], {"w": INTEGERS})),
    ),
    "names inside a subgraph": (
        model(graph("c x", "y", [if_node(BRANCH, NEGATED)])),
        model(graph("c x", "y", [if_node(graph("", "u", [node("Relu", "x", "u")]), NEGATED)])),
    ),
    "names inside a function, and its own": (
        model(CALL, function([node("Relu", "p", "q")])),
        model(
            graph("x", "y", [node("h", "x", "y", domain="local")]),
            function([node("Relu", "i", "o")], "h", inputs="i", outputs="o"),
        ),
    ),
    "the order of functions": (
        model(CALL, function([node("g", "p", "q", domain="local")]), function([node("Relu", "p", "q")], "g")),
        model(CALL, function([node("Relu", "p", "q")], "g"), function([node("g", "p", "q", domain="local")])),
    ),
    "where a list of numbers is held": (
        one_node(attribute("ints", (1, -2))),
        one_node(attribute("ints", ir.Tensor("", "int64", (2,), ir.Inline(struct.pack("<2q", 1, -2)), 16))),
    ),
    "where a string is held": (
        one_node(attribute("string", b"abc")),
        one_node(attribute("string", ir.Tensor("", "string", (), ir.Inline(struct.pack("<Q3s", 3, b"abc")), 11))),
    ),
}


@pytest.mark.parametrize("a, b", DIFFERENT.values(), ids=DIFFERENT)
def test_the_structure_tells_apart(a: ir.Model, b: ir.Model) -> None:
    assert structure(a) != structure(b)


@pytest.mark.parametrize("a, b", EQUAL.values(), ids=EQUAL)
def test_the_structure_is_blind_to(a: ir.Model, b: ir.Model) -> None:
    assert structure(a) == structure(b)


# --- what no valid file has -------------------------------------------------------------------------------------------
INVALID: dict[str, list[ir.Node]] = {
    "a circle": [node("F", "b", "a"), node("G", "a", "b"), node("H", "b x", "y")],
    "a node that uses itself": [node("F", "a x", "a"), node("H", "a", "y")],
    "an undefined name": [node("F", "nowhere x", "y"), node("G", "nowhere", "z")],
    "a name that is defined twice": [node("F", "x", "a"), node("G", "x", "a"), node("H", "a", "y")],
    "an output that nothing defines": [node("F", "x", "a")],
    "an If that uses its own output": [if_node(graph("", "t", [node("R", "y", "t")]), BRANCH)],
}


@pytest.mark.parametrize("nodes", INVALID.values(), ids=INVALID)
def test_invalid_graphs_have_a_structure_that_does_not_depend_on_order(nodes: list[ir.Node]) -> None:
    found = {structure(model(graph("x c", "y", list(order)))) for order in itertools.permutations(nodes)}
    assert len(found) == 1
    assert found != {structure(model(graph("x c", "y", nodes[:-1])))}


def test_two_undefined_names_are_not_one() -> None:
    one = model(graph("x", "y", [node("F", "u u", "y")]))
    two = model(graph("x", "y", [node("F", "u v", "y")]))
    assert structure(one) != structure(two)


def test_functions_that_call_one_another_have_a_structure_that_does_not_depend_on_order() -> None:
    circle = [
        function([node("g", "p", "q", domain="local")]),
        function([node("f", "p", "q", domain="local")], "g"),
        function([node("f", "p", "q", domain="local")], "caller"),
    ]
    assert len({structure(model(CALL, *order)) for order in itertools.permutations(circle)}) == 1


def test_a_function_defined_twice_has_a_structure_that_does_not_depend_on_order() -> None:
    twice = [function([node("Relu", "p", "q")]), function([node("Neg", "p", "q")])]
    assert len({structure(model(CALL, *order)) for order in itertools.permutations(twice)}) == 1


def test_many_definitions_of_one_name_take_linear_work() -> None:
    count = 20_000
    nodes = [node("F", "x", "a") for _ in range(count)] + [node("G", "a", f"b{i}") for i in range(count)]
    assert structure(model(graph("x", "b0", nodes)))


def test_a_long_chain_does_not_recurse() -> None:
    nodes = [node("F", f"v{number}", f"v{number + 1}") for number in range(20_000)]
    assert structure(model(graph("v0", "v20000", nodes)))


# --- the model digest -------------------------------------------------------------------------------------------------
def two_layers(first: str, second: str, one: float = 1.0) -> ir.Model:
    weights = {"a": tensor("a", [one, 2]), "b": tensor("b", [3, 4])}
    return model(graph("x", "y", [node("F", f"x {first}", "h"), node("F", f"h {second}", "y")], weights))


def digests(model: ir.Model) -> tuple[str, str, str]:
    found = fingerprint(model, TensorBytes(Blob.of_bytes("m", b""), NoSource()))
    return found.weights, found.structure, found.model


def test_swapped_weights_show_in_the_model_digest_alone() -> None:
    plain, swapped = digests(two_layers("a", "b")), digests(two_layers("b", "a"))
    assert plain[:2] == swapped[:2]
    assert plain[2] != swapped[2]


def test_renamed_weights_do_not_show_in_structure_and_model() -> None:
    plain = two_layers("a", "b")
    assert plain.graph is not None
    renamed = {f"new_{name}": item._replace(name=f"new_{name}") for name, item in plain.graph.initializers.items()}
    nodes = [node("F", "x new_a", "h"), node("F", "h new_b", "y")]
    other = digests(model(graph("x", "y", nodes, renamed)))
    assert digests(plain)[1:] == other[1:]
    assert digests(plain)[0] != other[0]


def test_a_changed_weight_does_not_show_in_the_structure_alone() -> None:
    plain, changed = digests(two_layers("a", "b")), digests(two_layers("a", "b", 9.0))
    assert plain[1] == changed[1]
    assert plain[0] != changed[0]
    assert plain[2] != changed[2]


def test_tensor_attributes_are_read_within_a_budget() -> None:
    content = bytes(1000)
    big = ir.Tensor("", "uint8", (1000,), ir.Span(0, 1000), 1000)
    found = one_node(attribute("tensor", big))
    with TensorBytes(Blob.of_bytes("m", content), NoSource()) as data:
        assert structure_digest(found) is None
        assert structure_digest(found, data, budget=999) is None
        assert structure_digest(found, data, budget=1000) == structure_digest(found, data)
        inline = one_node(attribute("tensor", big._replace(data=ir.Inline(content))))
        assert structure_digest(found, data) == structure_digest(inline)
