"""From a model's graph to expressions: one walk in the order of the data, rules applied as each node is met."""

import struct
from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from itertools import count
from math import prod
from typing import cast

from gitops_model.diff.ops import is_random, meaning, newest, same_meaning
from gitops_model.diff.proof.call import Attr, Call
from gitops_model.diff.proof.dims import dims_of, input_symbol
from gitops_model.diff.proof.evaluate import Evaluator
from gitops_model.diff.proof.floats import as_type, packed
from gitops_model.diff.proof.form import Form, defaults, form_of, is_plain
from gitops_model.diff.proof.infer import infer, infer_outputs
from gitops_model.diff.proof.operations import LAYOUTS, Unknown
from gitops_model.diff.proof.order import in_order
from gitops_model.diff.proof.table import NONE, STUMBLES, Constant, Table, is_fixed, op_key
from gitops_model.diff.proof.tally import Tally
from gitops_model.fingerprint.constants import Content, content
from gitops_model.ir import Attribute, Function, Graph, Model, Node, Sparse, Tensor, TensorType, Value
from gitops_model.readers.onnx.constant import constant_of

SMALL = 1024
"""Bytes up to which the value of a constant is looked at while building (shapes, axes, scalars)."""

LIMIT_CALLS = 64
"""Depth of calls of model-local functions, and of subgraphs."""

LIMIT_NODES = 1_000_000
"""Nodes that are walked, those of a function body once per call: calls of calls could be without end."""

Outputs = tuple[int, ...]


class Unprovable(Exception):
    """The graph has something about which nothing can be proved (randomness, a missing value)."""


class Builder:
    """Builds one side. `digests` gives a tensor's digest by content; `read` its canonical bytes (at most SMALL).

    `tally` counts what the rules recognised.
    """

    def __init__(
        self,
        table: Table,
        model: Model,
        digests: Mapping[Content, str],
        read: Callable[[Tensor], bytes],
        side: str,
        *,
        lossy: bool = False,
    ) -> None:
        from gitops_model.diff.rewrites import rules

        self.table = table
        self.model = model
        self.digests = digests
        self.read = read
        self.side = side
        self.tally = Tally(model.opset)
        self.opset = model.opset
        self.functions = {(f.domain, f.name, f.overload): f for f in model.functions}
        self.rules = rules(lossy=lossy)
        self.depth = 0
        self.level = 0
        self.left = LIMIT_NODES
        self.fresh = count()
        self.forms: dict[tuple[object, ...], Form] = {}
        self.evaluator: Evaluator | None = None
        self.scales: dict[int, set[tuple[int, object]]] = {}  # of tensors that are quantised (rewrites/qdq.py)

    # --- entry ------------------------------------------------------------------------------------------------------
    def outputs(self, inputs: Mapping[str, object]) -> list[int]:
        """The expressions of the graph's outputs; `inputs` maps the names of the formal inputs to shared keys."""
        graph = self.model.graph
        assert graph is not None
        env: dict[str, int] = {}
        for value in graph.inputs:
            if value.name in graph.initializers and value.name not in inputs:
                continue
            number = self.table.make("input", (), (inputs[value.name],))
            env[value.name] = self.declared(number, value)
        self.graph_constants(graph, env)
        self.run(graph.nodes, env, {})
        return [self.get(env, value.name) for value in graph.outputs]

    def declared(self, number: int, value: Value) -> int:
        if isinstance(value.type, TensorType):
            dims = value.type.shape
            key = self.table.items[number].attrs
            names = [
                dim if isinstance(dim, int) else input_symbol(key[0], index) for index, dim in enumerate(dims or ())
            ]
            shape = None if dims is None else tuple(names)
            self.table.typed(number, value.type.dtype, shape)
        return number

    def graph_constants(self, graph: Graph, env: MutableMapping[str, int]) -> None:
        for name, tensor in graph.initializers.items():
            env[name] = self.tensor(tensor)
            self.tally.store(env[name], tensor, node=False)

    def get(self, env: Mapping[str, int], name: str) -> int:
        """A value by name; one that nothing makes stands for itself (an invalid file is still compared)."""
        if not name:
            return NONE
        found = env.get(name)
        return found if found is not None else self.table.make("free", (), (self.side, name))

    # --- nodes ------------------------------------------------------------------------------------------------------
    def run(self, nodes: tuple[Node, ...], env: MutableMapping[str, int], given: Mapping[str, Attribute]) -> None:
        """Make every node's expressions. `given` are the attributes of the function call that `ref`s name."""
        self.left -= len(nodes)
        if self.left < 0:
            raise Unprovable("the graphs have more nodes than are compared")
        here: set[str] = set()
        for node in in_order(nodes):
            if node.domain == "ai.onnx" and node.op_type == "Constant" and len(node.attributes) == 1:
                made = self.constant_node(node, given)
            else:
                made = self.node(node, env, given)
            for name, number in zip(node.outputs, made, strict=False):
                if name in here:
                    raise Unprovable(f"the value {name} is made twice")
                if name:
                    here.add(name)
                    env[name] = number

    def constant_node(self, node: Node, given: Mapping[str, Attribute]) -> Outputs:
        attribute = self.resolved(node.attributes[0], given)
        tensor = constant_of("", attribute) if attribute else None
        if tensor is None:
            return (self.table.make("free", (), (self.side, "constant", next(self.fresh))),)
        number = self.tensor(tensor)
        self.tally.store(number, tensor, node=True)
        return (number,)

    def node(self, node: Node, env: Mapping[str, int], given: Mapping[str, Attribute]) -> Outputs:
        args = tuple([self.get(env, name) for name in node.inputs])
        if self.functions:
            function = self.functions.get((node.domain, node.op_type, node.overload))
            if function is not None:
                return self.call(function, node, args, given)
        if is_random(node.domain, node.op_type):
            raise Unprovable(f"{node.op_type} draws random numbers")
        opset = self.opset.get(node.domain, 1 if node.domain == "ai.onnx" else 0)
        # Readers share equal attributes, and the model keeps them alive: their ids say what they are.
        key = (node.op_type, node.domain, opset, *map(id, node.attributes))
        form = self.forms.get(key)
        if form is None:
            form = self.form(node, opset, args, env, given)
            if all(map(is_plain, node.attributes)):
                self.forms[key] = form
        if not form.valid or (form.inputs is not None and len(args) > form.inputs):
            return self.plain_call(Call(node.op_type, node.domain, -opset, args, form.attrs, len(node.outputs)))
        outputs = len(node.outputs)
        while outputs and not node.outputs[outputs - 1] and node.op_type != "Split":
            outputs -= 1  # of a Split one without a name is a part as well
        self.tally.at(form.op)
        made = self.emit(Call(node.op_type, node.domain, form.version, args, form.attrs, outputs, form.given))
        self.noted(made[0], args)
        return made

    def form(
        self, node: Node, opset: int, args: Outputs, env: Mapping[str, int], given: Mapping[str, Attribute]
    ) -> Form:
        if node.domain == "ai.onnx" and meaning(node.op_type, opset) is not None:
            outer = self.model.opset.get("ai.onnx", opset)
            if not same_meaning(node.op_type, opset, outer):
                raise Unprovable(f"{node.op_type} means another thing under the opset of its function")
        own: dict[str, Attr] = {}
        never = self.never(node, args)
        muted = self.tally.muted
        for attribute in node.attributes:
            found = self.resolved(attribute, given)
            if found is not None:
                self.tally.muted = muted or attribute.name == never
                own[attribute.name] = self.attribute(found, env, given)
                self.tally.muted = muted
        return form_of(node, opset, own)

    def noted(self, number: int, args: Outputs) -> None:
        """Count a node that computes a constant, or nothing but sizes."""
        if self.table.constant[number]:
            if number not in args and self.table.items[number].op != "const":
                self.tally.only("constant-folding", "constant-fill", "qdq")
        elif self.table.dtype[number] in ("int64", "int32") and dims_of(self, number) is not None:
            self.tally.only("shape-computation")

    def never(self, node: Node, args: Outputs) -> str:
        """The branch that an If never takes, if that is known."""
        if node.op_type != "If" or len(args) != 1:
            return ""
        condition = self.ints(args[0])
        return "" if not condition else "else_branch" if condition[0] else "then_branch"

    def emit(self, call: Call) -> Outputs:
        """The expressions of a call: a rule's answer, or the call as it stands."""
        for rule in self.rules.get((call.domain, call.op), ()):
            try:
                answer = rule(self, call)
            except STUMBLES:
                continue
            if answer is not None:
                return answer
        return self.plain_call(call)

    def op(self, op: str, *args: int, outputs: int = 1, version: int = 0, **attrs: Attr) -> int:
        """The first output of an operator of the default domain, as rules write it (with rules applied)."""
        known = meaning(op, version or 21)
        full = {**defaults(op, version or 21), **attrs}
        return self.emit(Call(op, "ai.onnx", known.version if known else 0, args, full, outputs))[0]

    def plain_call(self, call: Call) -> Outputs:
        given = len(call.args)
        while given and call.args[given - 1] == NONE:
            given -= 1
        attrs = tuple(sorted(call.attrs.items()))
        if call.domain != "ai.onnx" or call.op == "Split":
            attrs = (*attrs, call.outputs)  # how many results are asked for is part of what is done
        number = self.table.make(op_key(call.domain, call.op, call.version), call.args[:given], attrs)
        new = self.table.is_new(number)
        if call.outputs <= 1:
            if new:
                with suppress(*STUMBLES):
                    infer(self, number, call)
            return (number,)
        rest = (self.table.make("out", (number,), (index,)) for index in range(1, call.outputs))
        made = (number, *rest)
        if new:
            with suppress(*STUMBLES):
                infer_outputs(self, made, call)
        return made

    def call(
        self,
        function: Function,
        node: Node,
        args: Outputs,
        given: Mapping[str, Attribute],
    ) -> Outputs:
        """A call of a model-local function is its body, with the arguments in place."""
        if self.depth >= LIMIT_CALLS:
            raise Unprovable("functions call each other without end")
        if function.domain == "ai.onnx" and meaning(function.name, newest()) is not None:
            raise Unprovable(f"the model has a function of its own under the name of the operator {function.name}")
        inner: dict[str, int] = dict(zip(function.inputs, args, strict=False))
        for name in function.inputs[len(args) :]:
            inner[name] = NONE
        attributes = {attribute.name: attribute for attribute in function.defaults}
        for attribute in node.attributes:
            found = self.resolved(attribute, given)
            if found is not None:
                attributes[attribute.name] = found
        outer_opset, self.opset = self.opset, function.opset or self.opset
        self.depth += 1
        self.run(function.nodes, inner, attributes)
        self.depth -= 1
        self.opset = outer_opset
        made = tuple(self.get(inner, name) for name in function.outputs)
        self.tally.at(function.name)
        self.note("function-inlining")
        return made

    # --- attributes -------------------------------------------------------------------------------------------------
    def resolved(self, attribute: Attribute, given: Mapping[str, Attribute]) -> Attribute | None:
        """A `ref` is what the caller gave under that name; None where it gave nothing."""
        if attribute.kind != "ref":
            return attribute
        name = attribute.value.decode("utf-8", "replace") if isinstance(attribute.value, bytes) else ""
        found = given.get(name)
        return None if found is None else found._replace(name=attribute.name)

    def attribute(self, attribute: Attribute, env: Mapping[str, int], given: Mapping[str, Attribute]) -> Attr:
        value = attribute.value
        if isinstance(value, Graph):
            return self.subgraph(value, env, given)
        if isinstance(value, Tensor):
            return ("tensor", self.tensor(value))
        if isinstance(value, tuple) and attribute.kind in ("graphs", "tensors"):
            parts = [item for item in value if isinstance(item, (Graph, Tensor))]
            return tuple(self.attribute(Attribute("", "", item), env, given) for item in parts)
        return packed(value)

    def subgraph(self, graph: Graph, env: Mapping[str, int], given: Mapping[str, Attribute]) -> Attr:
        """A body: its outputs, its inputs being parameters known by level and place; the outer values stay visible.

        The level is part of the body: a body within a body must say whose parameter it means.
        """
        if self.depth >= LIMIT_CALLS:
            raise Unprovable("subgraphs are nested too deeply")
        inner: MutableMapping[str, int] = ChainMap({}, cast("MutableMapping[str, int]", env))
        binds = bool(graph.inputs)
        self.depth += 1
        self.level += binds
        for index, value in enumerate(graph.inputs):
            inner[value.name] = self.table.make("param", (), (self.level, index))
        self.graph_constants(graph, inner)
        self.run(graph.nodes, inner, given)
        head = ("graph", (self.level if binds else 0, len(graph.inputs)))
        self.depth -= 1
        self.level -= binds
        return (*head, *(self.get(inner, value.name) for value in graph.outputs))

    # --- constants --------------------------------------------------------------------------------------------------
    def tensor(self, tensor: Tensor) -> int:
        digest = self.digests.get(content(tensor))
        if digest is None:
            digest = f"unknown {self.side} {next(self.fresh)}"
        return self.table.const(tensor.dtype, tensor.shape, digest, Constant(tensor, self.read))

    def value(self, dtype: str, shape: tuple[int, ...], raw: bytes) -> int:
        """A constant that is made here."""
        from blake3 import blake3

        from gitops_model.fingerprint.encode import tensor_header

        digest = blake3(tensor_header(dtype, shape) + raw).hexdigest()
        return self.table.const(dtype, shape, digest, Constant(None, None, raw))

    def ints(self, number: int) -> tuple[int, ...] | None:
        """The values of a small constant of integers or bools; None for anything else."""
        layout = {"int64": "q", "int32": "i", "bool": "?", "uint8": "B", "int8": "b"}.get(self.table.dtype[number])
        raw = self.raw(number) if layout else None
        if raw is None or layout is None:
            known = self.table.dims.get(number)
            return known if known and is_fixed(known) else None
        size = struct.calcsize(layout)
        return tuple(int(item) for item in struct.unpack(f"<{len(raw) // size}{layout}", raw))

    def floats(self, number: int) -> tuple[float, ...] | None:
        """The values of a small float32 constant."""
        raw = self.raw(number) if self.table.dtype[number] == "float32" else None
        return None if raw is None else struct.unpack(f"<{len(raw) // 4}f", raw)

    def scalar(self, number: int) -> float | None:
        """The value of a float constant with one element."""
        layout = {"float32": "f", "float64": "d", "float16": "e"}.get(self.table.dtype[number])
        shape = self.table.static(number)
        raw = self.raw(number) if layout and (shape is None or prod(shape) == 1) else None
        if raw is None or layout is None or len(raw) != struct.calcsize(layout):
            return None
        return struct.unpack(f"<{layout}", raw)[0]

    def raw(self, number: int) -> bytes | None:
        """The bytes of a small constant."""
        source = self.table.sources.get(number)
        if source is None:
            return self.computed(number)
        if self.table.dtype[number] not in LAYOUTS:
            return None
        if source.value is not None:
            return source.value
        if source.tensor is None or source.read is None or source.tensor.nbytes > SMALL:
            return None
        if isinstance(source.tensor.data, Sparse):
            return None
        self.table.looked_at.add(number)
        try:
            value = source.read(source.tensor)
        except Unknown:
            return None
        self.table.sources[number] = source._replace(value=value)
        return value

    def computed(self, number: int) -> bytes | None:
        """The bytes of a small constant expression (the shape that a Reshape is given, put together from parts)."""
        dims = self.table.static(number)
        if not self.table.constant[number] or self.evaluator is None or (dims is not None and prod(dims) > SMALL):
            return None
        layout = LAYOUTS.get(self.table.dtype[number])
        try:
            value = self.evaluator.value(number)
        except Unknown:
            return None
        return None if layout is None or value.nbytes > SMALL else value.astype(layout).tobytes()

    def int64s(self, values: tuple[int, ...]) -> int:
        return self.value("int64", (len(values),), struct.pack(f"<{len(values)}q", *values))

    def float_like(self, number: int, value: float) -> int | None:
        """A scalar constant of the float type that an expression has; None where that is not known."""
        raw = as_type(self.table.dtype[number], value)
        return None if raw is None else self.value(self.table.dtype[number], (), raw)

    def note(self, pattern: str) -> None:
        """A rule recognised the node that is looked at."""
        self.tally.note(pattern)
