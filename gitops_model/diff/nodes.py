"""The nodes of a model, subgraphs and function bodies included, as one graph: who feeds whom, without names.

A constant is what its type and shape say, whether an initializer or a Constant node holds it; a formal input is its
place. The body of a node feeds the node that holds it.
"""

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from struct import pack
from typing import NamedTuple, TypeAlias, cast

from gitops_model.diff.ops import meaning
from gitops_model.diff.proof.order import in_order
from gitops_model.diff.result import Plain
from gitops_model.ir import Attribute, Graph, Model, Node, OtherType, Tensor

LONGEST = 64
"""Items of a list, and characters of a text, that are shown."""


class Source(NamedTuple):
    """Where an input comes from: output `output` of node `node`, or (node -1) the leaf `label`.

    `tensor` is what the model calls a leaf that is a constant.
    """

    node: int
    output: int
    label: str = ""
    tensor: str | None = None


UNDEFINED = Source(-1, 0, "undefined")
OMITTED = Source(-1, 0, "none")


class Item(NamedTuple):
    """A node in its place. `where` is the path of subgraphs and functions around it, "" for the graph itself."""

    node: Node
    where: str
    inputs: tuple[Source, ...]
    attributes: tuple[tuple[str, str], ...]
    """By name, as they are compared; what they are is in `node`."""


Scope: TypeAlias = "MutableMapping[str, Source]"
TENSORS = ("tensors", "sparse_tensors")


class Nodes:
    """All nodes of a model by number, each behind those that feed it where the file has such an order."""

    def __init__(self, model: Model, contents: Mapping[Tensor, str]) -> None:
        self.contents = contents
        """Digests of the tensors that stand in attributes."""
        self.items: list[Item] = []
        self.ends: list[tuple[int, int, int]] = []
        """(node, output, place) of what the graph and the functions give back."""
        self.opset = model.opset.get("ai.onnx", 1)
        if model.graph is not None:
            self._walk(model.graph)
        for function in model.functions:
            scope: Scope = {name: Source(-1, 0, f"argument {place}") for place, name in enumerate(function.inputs)}
            where = f"{function.domain}:{function.name}"
            self._nodes(function.nodes, scope, Path(where, f"{where}:{function.overload}/"))
            self._end(function.outputs, scope)

    def _walk(self, graph: Graph) -> None:
        scope: Scope = formal(graph, "input")
        self._nodes(graph.nodes, scope, Path("", ""))
        self._end(tuple(value.name for value in graph.outputs), scope)

    def _end(self, names: tuple[str, ...], scope: "Scope") -> None:
        for place, name in enumerate(names):
            found = scope.get(name)
            if found is not None and found.node >= 0:
                self.ends.append((found.node, found.output, place))

    def _nodes(self, nodes: tuple[Node, ...], scope: "Scope", path: "Path") -> None:
        """Number the nodes of a body and of the bodies in it, inner ones first; no recursion on the file's nesting."""
        frames: list[Frame] = [Frame(nodes, scope, path)]
        while frames:
            frame = frames[-1]
            if frame.waiting:
                graph, path, slot = frame.waiting.pop()
                frames.append(Frame(graph.nodes, below(frame.scope, formal(graph, "parameter")), path))
                frames[-1].body, frames[-1].slot = graph, slot
                continue
            if frame.node is not None:
                self._add(frame)
            following = next(frame.nodes, None)
            if following is None:
                frames.pop()
                if frame.body is not None:
                    ends = [frame.scope.get(value.name) for value in frame.body.outputs]
                    frames[-1].inner += [(frame.slot, end) for end in ends if end is not None]
                continue
            index, frame.node = following
            frame.inner = []
            frame.waiting = list(reversed(list(bodies(frame.node, index, frame.path))))

    def _add(self, frame: "Frame") -> None:
        node = frame.node
        assert node is not None
        number = len(self.items)
        scope = frame.scope
        given = [scope.get(name) or (UNDEFINED if name else OMITTED) for name in node.inputs]
        inner = [Source(end.node, end.output, f"{slot} {end.label}", end.tensor) for slot, end in frame.inner]
        self.items.append(Item(node, frame.path.where, (*given, *inner), tuple(self._attributes(node))))
        constant = node.op_type == "Constant" and node.domain == "ai.onnx" and constant_label(node)
        for output, name in enumerate(node.outputs):
            if name and constant:
                frame.scope[name] = Source(-1, 0, constant, frame.path.prefix + name)
            elif name:
                frame.scope[name] = Source(number, output)
        frame.node = None

    def _attributes(self, node: Node) -> Iterator[tuple[str, str]]:
        """Attributes by name as they are compared: without those that only say the operator's default."""
        known = meaning(node.op_type, self.opset) if node.domain == "ai.onnx" else None
        defaults = known.defaults if known is not None else {}
        label = constant_label(node) if node.op_type == "Constant" else ""
        if label:
            yield "value", label
            return
        for attribute in sorted(node.attributes, key=lambda attribute: attribute.name):
            name, kind, value = attribute
            default = defaults.get(name)
            default = short(default) if isinstance(default, float) else default
            if kind in ("graph", "graphs") or (default is not None and default == plain_value(attribute)):
                continue
            several = cast("tuple[object, ...]", value) if isinstance(value, tuple) else ()
            tensors = (value,) if isinstance(value, Tensor) else several if kind in TENSORS else ()
            if tensors:
                yield name, " ".join(f"{tensor_label(t)} {self._digest(t)}" for t in tensors if isinstance(t, Tensor))
            else:
                yield name, f"{kind} {value!r}"

    def _digest(self, tensor: Tensor) -> str:
        return self.contents.get(tensor) or f"unknown {id(tensor)}"


class Path(NamedTuple):
    """Where a body is, and what the names of tensors in it begin with (as the reader writes them)."""

    where: str
    prefix: str


class Frame:
    """A body that is being numbered."""

    def __init__(self, nodes: tuple[Node, ...], scope: "Scope", path: Path) -> None:
        self.nodes = iter(numbered(nodes))
        self.scope = scope
        self.path = path
        self.node: Node | None = None
        self.waiting: list[tuple[Graph, Path, str]] = []
        self.inner: list[tuple[str, Source]] = []
        self.body: Graph | None = None
        self.slot = ""


def below(scope: Scope, own: dict[str, Source]) -> Scope:
    """The names in a body: its own, then those around it."""
    return ChainMap(own, *(scope.maps if isinstance(scope, ChainMap) else (scope,)))


def formal(graph: Graph, word: str) -> dict[str, Source]:
    """The names that a (sub)graph begins with: its inputs by place, its initializers by type and shape."""
    scope = {value.name: Source(-1, 0, f"{word} {place}") for place, value in enumerate(graph.inputs)}
    scope.update(
        {name: Source(-1, 0, tensor_label(tensor), tensor.name) for name, tensor in graph.initializers.items()}
    )
    return scope


def numbered(nodes: tuple[Node, ...]) -> Iterable[tuple[int, Node]]:
    """The nodes in the order of the data, each with its place in the file, which may be another."""
    ordered = in_order(nodes)
    if ordered is nodes:
        return enumerate(nodes)
    places = {id(node): place for place, node in enumerate(nodes)}
    return ((places[id(node)], node) for node in ordered)


def bodies(node: Node, index: int, path: Path) -> Iterator[tuple[Graph, Path, str]]:
    """(subgraph, path, slot) of a node, as tensors in them are called: `If_0.then_branch`, `OP#3.body`."""
    for attribute in node.attributes:
        value = attribute.value
        graphs = (value,) if isinstance(value, Graph) else value if attribute.kind == "graphs" else ()
        name = node.name or f"{node.op_type}#{index}"
        for number, graph in enumerate(graphs if isinstance(graphs, tuple) else ()):
            if isinstance(graph, Graph):
                slot = attribute.name if attribute.kind == "graph" else f"{attribute.name}[{number}]"
                where = f"{path.where}/{name}.{slot}" if path.where else f"{name}.{slot}"
                yield graph, Path(where, f"{path.prefix}{name}.{slot}/"), slot


def op_text(node: Node) -> str:
    """The operation; another domain's is `DOMAIN:OP`."""
    return node.op_type if node.domain in {"", "ai.onnx"} else f"{node.domain}:{node.op_type}"


def tensor_label(tensor: Tensor) -> str:
    return f"{tensor.dtype}{list(tensor.shape)}"


def constant_label(node: Node) -> str:
    from gitops_model.fingerprint.constants import constant_tensor

    tensor = constant_tensor(node)
    return "" if tensor is None else tensor_label(tensor)


def plain_value(attribute: Attribute) -> Plain:
    return _plain(attribute.value)


def short(value: float) -> float:
    """The shortest decimal number that is the same float32 (0.1, not 0.10000000149011612)."""
    try:
        stored = pack("<f", value)
        return next(found for digits in range(6, 10) if pack("<f", found := float(f"{value:.{digits}g}")) == stored)
    except (OverflowError, StopIteration):
        return value


def _plain(value: object) -> Plain:
    if isinstance(value, bytes):
        text = value.decode("utf-8", "replace")
        return text if len(text) <= LONGEST else text[:LONGEST] + "…"
    if isinstance(value, float):
        return short(value)
    if isinstance(value, (int, str)):
        return value
    if isinstance(value, Tensor):
        return tensor_label(value)
    if isinstance(value, OtherType):
        return value.text
    if isinstance(value, Graph):
        return "graph"
    if isinstance(value, tuple):
        several = cast("tuple[object, ...]", value)
        items: list[Plain] = [_plain(item) for item in several[:LONGEST]]
        return items if len(several) <= LONGEST else [*items, "…"]
    return None
