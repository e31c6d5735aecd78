"""Proof that two models compute the same, by value numbering.

Every value is numbered by how it is computed: a stored content by its digest, an input by its name, the result of an
operation by the operation, its attributes and the numbers of what goes in. Two models that share one numbering and
whose outputs get equal numbers are the same expression, so they compute the same function, whatever the names, the
order of the nodes, and whether a constant is an initializer or a node. Unequal numbers prove nothing.
"""

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING

from gitops_model.ir import Attribute, Function, Graph, Node, Tensor

if TYPE_CHECKING:
    from gitops_model.diff.result import Side

RANDOM = {
    "Bernoulli",
    "Dropout",
    "Multinomial",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
}
"""Two of these on the same input are two values. (Dropout in inference copies its input, see `_Numbering.copies`.)"""

DEEPEST = 64
"""Calls of functions in functions."""


class Unproved(Exception):
    """Something was met that has no number: bytes that are not here, chance, a value that nothing defines."""


def same_values(before: "Side", after: "Side") -> bool:
    """Whether both models are proved to compute the same outputs, in this order, from inputs of the same names."""
    if before.model.graph is None or after.model.graph is None:
        return False
    ids: dict[Hashable, int] = {}
    try:
        return _Numbering(before, ids).outputs() == _Numbering(after, ids).outputs()
    except Unproved:
        return False


class _Scope:
    """Names of one graph, and the way to those of the graphs around it."""

    __slots__ = ("depth", "names", "outer")

    def __init__(self, outer: "_Scope | None") -> None:
        self.outer = outer
        self.names: dict[str, int] = {}
        self.depth: int = 0 if outer is None else outer.depth + 1

    def __getitem__(self, name: str) -> int:
        scope: _Scope | None = self
        while scope is not None:
            number = scope.names.get(name)
            if number is not None:
                return number
            scope = scope.outer
        raise Unproved(name)


class _Frame:
    """A graph whose nodes are being numbered; `waiting` is the node whose subgraphs come first."""

    __slots__ = ("graph", "head", "inner", "nodes", "scope", "waiting")

    def __init__(self, graph: Graph, scope: _Scope, head: Hashable) -> None:
        self.graph = graph
        self.scope = scope
        self.head = head
        self.nodes = iter(graph.nodes)
        self.waiting: Node | None = None
        self.inner: list[int] = []


class _Numbering:
    def __init__(self, side: "Side", ids: dict[Hashable, int]) -> None:
        self._model = side.model
        self._ids = ids
        pairs = zip(side.model.tensors, side.digests, strict=True)
        self._contents = {id(tensor): digest for tensor, digest in pairs}
        self._constants = side.constants
        self._functions = {(f.domain, f.name, f.overload): f for f in side.model.functions}
        self._bodies: dict[tuple[str, str, str], int] = {}
        self._calls = 0

    def number(self, key: Hashable) -> int:
        return self._ids.setdefault(key, len(self._ids))

    def outputs(self) -> list[int]:
        graph = self._model.graph
        assert graph is not None
        scope = _Scope(None)
        self._initializers(graph, scope)
        for value in graph.inputs:
            default = scope.names.get(value.name)
            scope.names[value.name] = self.number(("input", value.name, default))
        self._run(_Frame(graph, scope, None))
        names = [value.name for value in graph.outputs]
        return [self.number(("output", name, scope[name])) for name in names]

    def _initializers(self, graph: Graph, scope: _Scope) -> None:
        for name, tensor in graph.initializers.items():
            scope.names[name] = self._content(tensor)

    def _content(self, tensor: Tensor) -> int:
        digest = self._contents.get(id(tensor)) or self._constants.get(tensor)
        if not digest:
            raise Unproved(tensor.name)
        return self.number(("content", digest))

    def _run(self, top: _Frame) -> None:
        """Number every node of a graph and of the graphs inside it. An explicit stack: nesting is the file's own."""
        stack = [top]
        while stack:
            frame = stack[-1]
            if frame.waiting is None:
                frame.waiting = next(frame.nodes, None)
                frame.inner = []
                if frame.waiting is None:
                    stack.pop()
                    if stack:
                        outputs = tuple(frame.scope[value.name] for value in frame.graph.outputs)
                        stack[-1].inner.append(self.number(("graph", frame.head, outputs)))
                    continue
            graphs = list(_graphs(frame.waiting))
            if len(frame.inner) < len(graphs):
                stack.append(self._open(graphs[len(frame.inner)], frame.scope))
                continue
            self._node(frame.waiting, frame.scope, frame.inner)
            frame.waiting = None

    def _open(self, graph: Graph, outer: _Scope) -> _Frame:
        scope = _Scope(outer)
        self._initializers(graph, scope)
        defaults: list[int | None] = []
        for place, value in enumerate(graph.inputs):
            defaults.append(scope.names.get(value.name))
            scope.names[value.name] = self.number(("argument", scope.depth, place))
        return _Frame(graph, scope, tuple(defaults))

    def _node(self, node: Node, scope: _Scope, inner: list[int]) -> None:
        inputs = tuple(scope[name] if name else -1 for name in node.inputs)
        if self.copies(node):
            if not node.outputs or any(node.outputs[1:]):
                raise Unproved(node.op_type)
            scope.names[node.outputs[0]] = inputs[0]
            return
        if node.domain == "ai.onnx" and node.op_type == "Constant" and len(node.outputs) == 1:
            scope.names[node.outputs[0]] = self._constant(node)
            return
        if node.domain == "ai.onnx" and node.op_type in RANDOM:
            raise Unproved(node.op_type)
        numbers = iter(inner)
        attributes = tuple(
            (attribute.name, attribute.kind, *self._items(attribute, numbers)) for attribute in _sorted(node)
        )
        called = self._functions.get((node.domain, node.op_type, node.overload))
        what = self._body(called) if called is not None else (node.domain, node.op_type, node.overload)
        present = tuple(bool(output) for output in node.outputs)
        made = self.number(("node", what, inputs, attributes, present))
        for place, output in enumerate(node.outputs):
            if output in scope.names:
                raise Unproved(output)  # defined twice
            if output:
                scope.names[output] = self.number(("result", made, place))

    @staticmethod
    def copies(node: Node) -> bool:
        """Whether a node gives its first input as it is: Identity, and Dropout without a training mode."""
        if node.domain != "ai.onnx" or not node.inputs or not node.inputs[0]:
            return False
        if node.op_type == "Dropout":
            training = any(node.inputs[2:]) or any(attribute.name == "is_test" for attribute in node.attributes)
            return not training
        return node.op_type == "Identity"

    def _constant(self, node: Node) -> int:
        """A Constant is what an initializer of the same content is; its reader made a tensor of it."""
        if len(node.attributes) != 1:
            raise Unproved(node.op_type)
        (attribute,) = node.attributes
        if isinstance(attribute.value, Tensor):
            return self._content(attribute.value)
        return self.number(("constant", attribute.name, attribute.kind, *self._items(attribute, iter(()))))

    def _items(self, attribute: Attribute, graphs: Iterator[int]) -> Iterator[Hashable]:
        value = attribute.value
        several = attribute.kind.endswith("s") and isinstance(value, tuple) and not isinstance(value, Graph | Tensor)
        for item in value if several and isinstance(value, tuple) else (value,):
            if isinstance(item, Tensor):
                yield self._content(item)
            elif isinstance(item, Graph):
                yield next(graphs)
            else:  # a repr tells -0.0 from 0.0 and 1 from 1.0
                yield item if isinstance(item, bytes) else repr(item)

    def _body(self, function: Function) -> int:
        """A function is numbered once, with its inputs by place; functions that call themselves are not proved."""
        key = (function.domain, function.name, function.overload)
        if key in self._bodies:
            if self._bodies[key] < 0:
                raise Unproved(function.name)
            return self._bodies[key]
        if self._calls > DEEPEST:
            raise Unproved(function.name)
        self._calls += 1
        self._bodies[key] = -1
        scope = _Scope(None)
        for place, name in enumerate(function.inputs):
            scope.names[name] = self.number(("parameter", place))
        self._run(_Frame(Graph(function.name, (), (), function.nodes, {}), scope, None))
        outputs = tuple(scope[name] for name in function.outputs)
        defaults = tuple((d.name, d.kind, *self._items(d, iter(()))) for d in function.defaults)
        facts = (function.attributes, defaults, tuple(sorted(function.opset.items())), len(function.inputs))
        self._calls -= 1
        self._bodies[key] = self.number(("function", outputs, *facts))
        return self._bodies[key]


def _sorted(node: Node) -> list[Attribute]:
    return sorted(node.attributes, key=lambda attribute: attribute.name)


def _graphs(node: Node) -> Iterator[Graph]:
    """The subgraphs of a node, in the order of its sorted attributes."""
    for attribute in _sorted(node):
        value = attribute.value
        if isinstance(value, Graph):
            yield value
        elif attribute.kind == "graphs" and isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, Graph))
