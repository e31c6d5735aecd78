"""Laws of pairing tensors over random graphs: names, order and direction do not matter to what became of a tensor."""

from dataclasses import dataclass, field
from math import prod
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from gitops_model.diff.match import matching_of
from gitops_model.diff.result import Side, WeightsDiff
from gitops_model.diff.weights import diff
from gitops_model.ir import Graph, Inline, Model, Node, Tensor, Value

SHAPES = ((), (4,), (4, 4), (8, 4))
OPS = ("Add", "Sub", "MatMul", "Relu", "Concat")


@dataclass
class Weight:
    """`content` stands for the digest."""

    name: str
    shape: tuple[int, ...]
    content: str


@dataclass
class Net:
    """Nodes by operation and inputs: `x`, the number of an earlier node, or `wN` for weight number N."""

    nodes: list[tuple[str, list[str]]] = field(default_factory=list)
    weights: list[Weight] = field(default_factory=list)

    def side(self, random: Random | None = None) -> Side:
        """As a description; `random` puts nodes and weights in some order, and gives the values other names."""
        nodes, weights = [*enumerate(self.nodes)], [*self.weights]
        salt = ""
        if random is not None:
            random.shuffle(nodes)
            random.shuffle(weights)
            salt = f"v{random.random()}"

        def named(source: str) -> str:
            return (
                self.weights[int(source[1:])].name if source[0] == "w" else source if source == "x" else salt + source
            )

        tensors = {w.name: Tensor(w.name, "float32", w.shape, Inline(b""), 4 * prod(w.shape)) for w in weights}
        graph = Graph(
            "",
            (Value("x", None),),
            (Value(f"{salt}{len(nodes) - 1}", None),),
            tuple(Node(op, "ai.onnx", "", (*map(named, inputs),), (f"{salt}{i}",), ()) for i, (op, inputs) in nodes),
            tensors,
        )
        model = Model("onnx", (*tensors.values(),), inputs=(), outputs=(), graph=graph, opset={"ai.onnx": 17})
        return Side(model, tuple(weight.content for weight in weights))


@st.composite
def nets(draw: st.DrawFn, *, distinct: bool = False) -> Net:
    """`distinct`: no two operations are the same, so that every place is one of its own; and so are the contents."""
    net = Net()
    for number in range(draw(st.integers(1, 7))):
        before = [str(i) for i in range(number)] or ["x"]
        inputs = [before[-1], *draw(st.lists(st.sampled_from([*before, "x"]), max_size=1))]
        for _ in range(draw(st.integers(0, 2))):
            fresh = f"w{len(net.weights)}"
            known = [f"w{i}" for i in range(len(net.weights))] if not distinct else []
            source = draw(st.sampled_from([fresh, fresh, *known]))
            if source == fresh:
                content = f"c{fresh}" if distinct else draw(st.sampled_from(("0", "0", "1", f"c{fresh}")))
                net.weights.append(Weight(f"n{fresh}", draw(st.sampled_from(SHAPES)), content))
            inputs.append(source)
        net.nodes.append((f"Op{number}" if distinct else draw(st.sampled_from(OPS)), inputs))
    return net


@st.composite
def renamed(draw: st.DrawFn, net: Net) -> Net:
    """The same with other names, some of which others had before."""
    pool = [weight.name for weight in net.weights] + [f"m{number}" for number in range(len(net.weights))]
    names = draw(st.permutations(pool))
    pairs = zip(net.weights, names, strict=False)
    return Net(net.nodes, [Weight(name, weight.shape, weight.content) for weight, name in pairs])


@st.composite
def edited(draw: st.DrawFn, net: Net) -> Net:
    """A few changes: contents, names, operations, a node less at the end."""
    nodes = [(draw(st.sampled_from((op, op, op, *OPS))), inputs) for op, inputs in net.nodes]
    if len(nodes) > 1 and draw(st.booleans()):
        nodes.pop()
    weights = [
        Weight(
            draw(st.sampled_from((weight.name, f"m{number}"))),
            weight.shape,
            draw(st.sampled_from((weight.content, "0", f"d{number}"))),
        )
        for number, weight in enumerate(net.weights)
    ]
    return Net(nodes, weights)


def compared(before: Side, after: Side) -> WeightsDiff:
    return diff(before, after, lambda: matching_of(before, after))


def mapping(found: WeightsDiff, *fates: str) -> set[tuple[str | None, str | None]]:
    changes = [change for fate in fates for change in getattr(found, fate)]
    return {(c.before and c.before.name, c.after and c.after.name) for c in changes}


@given(nets(), st.randoms(use_true_random=False), st.data())
def test_names_and_order_are_only_renames(net: Net, random: Random, data: st.DataObject) -> None:
    found = compared(net.side(), data.draw(renamed(net)).side(random))
    assert (found.changed, found.added, found.removed) == ((), (), ())
    assert found.unchanged + len(found.renamed) == len(net.weights)


@given(nets(distinct=True), st.randoms(use_true_random=False), st.data())
def test_what_was_retrained_and_renamed_is_told_by_its_place(net: Net, random: Random, data: st.DataObject) -> None:
    after = data.draw(renamed(net))
    for weight in after.weights:
        weight.content = data.draw(st.sampled_from((weight.content, "0", f"new {weight.content}")))
    found = compared(net.side(), after.side(random))
    truth = {(was.name, now.name) for was, now in zip(net.weights, after.weights, strict=True)}
    same = {(was.name, now.name) for was, now in zip(net.weights, after.weights, strict=True) if was == now}
    assert mapping(found, "changed", "renamed") == truth - same
    assert found.unchanged == len(same)


@given(nets(), st.data())
def test_backwards_is_the_mirror(net: Net, data: st.DataObject) -> None:
    before, after = net.side(), data.draw(edited(net)).side()
    one, other = compared(before, after), compared(after, before)
    for fate in ("changed", "renamed"):
        assert mapping(one, fate) == {(old, new) for new, old in mapping(other, fate)}
    assert mapping(one, "added") == {(old, new) for new, old in mapping(other, "removed")}
    assert one.unchanged == other.unchanged


@given(nets(), st.data())
def test_every_tensor_has_exactly_one_fate(net: Net, data: st.DataObject) -> None:
    before, after = net.side(), data.draw(edited(net)).side()
    found = compared(before, after)
    kept = found.unchanged + len(found.renamed) + len(found.changed)
    assert (kept + len(found.removed), kept + len(found.added)) == found.totals
