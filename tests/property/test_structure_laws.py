"""Laws of the structure and model digests: blind to names and order, and to nothing else.

The strongest one holds the digest to graph isomorphism, decided by trying every renumbering of small graphs.
"""

import itertools
import random
import struct
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_model import ir
from gitops_model.blob import Blob, NoSource
from gitops_model.fingerprint import fingerprint, structure_digest
from gitops_model.readers.bytes import TensorBytes

DOMAIN = "ai.onnx"


class Plain(NamedTuple):
    """A small graph by numbers: sources 0…k-1 are inputs, then constants by shape, then nodes (op, sources)."""

    inputs: int
    constants: tuple[int, ...]
    nodes: tuple[tuple[str, tuple[int, ...]], ...]
    outputs: tuple[int, ...]


@st.composite
def plain_graphs(draw: st.DrawFn, most_nodes: int = 4) -> Plain:
    inputs = draw(st.integers(1, 2))
    constants = tuple(draw(st.lists(st.integers(1, 2), max_size=2)))
    nodes: list[tuple[str, tuple[int, ...]]] = []
    for _ in range(draw(st.integers(1, most_nodes))):
        source = st.integers(0, inputs + len(constants) + len(nodes) - 1)
        nodes.append((draw(st.sampled_from("FG")), tuple(draw(st.lists(source, min_size=1, max_size=2)))))
    last = inputs + len(constants) + len(nodes)
    outputs = tuple(draw(st.lists(st.integers(0, last - 1), min_size=1, max_size=2)))
    return Plain(inputs, constants, tuple(nodes), outputs)


def built(plain: Plain, rng: random.Random | None = None) -> ir.Model:
    """The model of a plain graph, its names and order shuffled by `rng`; every second constant is a node."""
    count = plain.inputs + len(plain.constants) + len(plain.nodes)
    labels = list(range(count))
    if rng is not None:
        rng.shuffle(labels)
    names = [f"v{label}" for label in labels]
    tensors: list[ir.Tensor] = []
    initializers: dict[str, ir.Tensor] = {}
    nodes: list[ir.Node] = []
    for number, size in enumerate(plain.constants):
        name = names[plain.inputs + number]
        tensor = ir.Tensor(name, "float32", (size,), ir.Inline(bytes(4 * size)), 4 * size)
        tensors.append(tensor)
        if rng is not None and rng.random() < 0.5:
            attribute = ir.Attribute("value", "tensor", tensor)
            nodes.append(ir.Node("Constant", DOMAIN, f"c{number}", (), (name,), (attribute,)))
        else:
            initializers[name] = tensor
    first = plain.inputs + len(plain.constants)
    for number, (op, sources) in enumerate(plain.nodes):
        label = f"n{labels[first + number]}" if rng else ""
        nodes.append(ir.Node(op, DOMAIN, label, tuple(names[at] for at in sources), (names[first + number],), ()))
    if rng is not None:
        rng.shuffle(nodes)
        shuffled = list(initializers.items())
        rng.shuffle(shuffled)
        initializers = dict(shuffled)
        rng.shuffle(tensors)
    graph = ir.Graph(
        "g",
        tuple(ir.Value(names[at], None) for at in range(plain.inputs)),
        tuple(ir.Value(names[at], None) for at in plain.outputs),
        tuple(nodes),
        initializers,
    )
    return ir.Model("test", tuple(tensors), graph=graph)


def structure(model: ir.Model) -> str:
    digest = structure_digest(model)
    assert digest is not None
    return digest


def isomorphic(a: Plain, b: Plain) -> bool:
    """Whether some renumbering of constants and nodes turns one into the other."""
    if (a.inputs, sorted(a.constants), len(a.nodes)) != (b.inputs, sorted(b.constants), len(b.nodes)):
        return False
    first, second = a.inputs, a.inputs + len(a.constants)
    for constants in itertools.permutations(range(len(a.constants))):
        if any(a.constants[i] != b.constants[j] for i, j in enumerate(constants)):
            continue
        for nodes in itertools.permutations(range(len(a.nodes))):
            place = [*range(first), *(first + j for j in constants), *(second + j for j in nodes)]
            if tuple(place[at] for at in a.outputs) == b.outputs and all(
                (op, tuple(place[at] for at in sources)) == b.nodes[nodes[i]] for i, (op, sources) in enumerate(a.nodes)
            ):
                return True
    return False


def all_live(plain: Plain) -> bool:
    """Whether every constant and node reaches an output."""
    first = plain.inputs + len(plain.constants)
    live = set(plain.outputs)
    for number in range(len(plain.nodes) - 1, -1, -1):
        if first + number in live:
            live.update(plain.nodes[number][1])
    return live >= set(range(plain.inputs, first + len(plain.nodes)))


@given(plain_graphs(6), st.randoms(use_true_random=False))
def test_names_order_and_the_form_of_constants_do_not_count(plain: Plain, rng: random.Random) -> None:
    assert structure(built(plain)) == structure(built(plain, rng))


def lively(plain: Plain) -> Plain:
    """The same graph with everything that nothing uses as a further output."""
    used = {source for _, sources in plain.nodes for source in sources} | set(plain.outputs)
    count = plain.inputs + len(plain.constants) + len(plain.nodes)
    return plain._replace(outputs=(*plain.outputs, *sorted(set(range(plain.inputs, count)) - used)))


@settings(max_examples=400)
@given(plain_graphs(3).map(lively), plain_graphs(3).map(lively))
def test_two_live_graphs_have_one_structure_exactly_when_they_are_isomorphic(a: Plain, b: Plain) -> None:
    assert all_live(a)
    assert (structure(built(a)) == structure(built(b))) == isomorphic(a, b)


def test_all_graphs_of_three_nodes_fall_into_as_many_structures_as_there_are_classes() -> None:
    """Exhaustively: one input, two equal constants, three nodes, live. A collision would merge two classes."""
    graphs = [
        Plain(1, (1, 1), (("F", x), ("F", y), ("G", z)), (5,))
        for x in itertools.product(range(3), repeat=2)
        for y in itertools.product(range(4), repeat=2)
        for z in itertools.product(range(5), repeat=2)
    ]
    by_digest: dict[str, Plain] = {}
    for plain in filter(all_live, graphs):
        other = by_digest.setdefault(structure(built(plain)), plain)
        assert isomorphic(other, plain), (other, plain)
    assert len(by_digest) > 30


@given(plain_graphs(), st.data())
def test_rewiring_one_input_of_a_live_graph_changes_the_structure_or_gives_an_isomorphic_graph(
    plain: Plain, data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, len(plain.nodes) - 1))
    op, sources = plain.nodes[number]
    slot = data.draw(st.integers(0, len(sources) - 1))
    source = data.draw(st.integers(0, plain.inputs + len(plain.constants) + number - 1))
    changed = (op, (*sources[:slot], source, *sources[slot + 1 :]))
    other = plain._replace(nodes=(*plain.nodes[:number], changed, *plain.nodes[number + 1 :]))
    if isomorphic(plain, other):
        assert structure(built(plain)) == structure(built(other))
    elif all_live(plain) and all_live(other):
        assert structure(built(plain)) != structure(built(other))


# --- what counts and what does not, one by one ------------------------------------------------------------------------
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
