"""The structure digest is held to graph isomorphism, decided by trying every renumbering of small graphs."""

import itertools
import random
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_model import ir
from gitops_model.fingerprint import structure_digest

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
