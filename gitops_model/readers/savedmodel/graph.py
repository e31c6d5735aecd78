"""Graphs of a SavedModel: nodes of the main graph, functions of its library, constants as weights.

Field numbers after tensorflow/core/framework: graph.proto, node_def.proto, function.proto, attr_value.proto.
"""

from struct import unpack

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Attribute, Function, Graph, Node, Tensor
from gitops_model.readers.protobuf import FIXED32, VARINT, Wire, signed
from gitops_model.readers.savedmodel.protos import DTYPES, entries, map_entries, shape_of, tag, tensor_of, text

DOMAIN = "tensorflow"

LIMIT_LIST = 100_000
DEBUGGING = frozenset(("_class", "_output_shapes", "_XlaMustCompile", "config_proto", "_read_only_resource_inputs"))
"""Attributes that say nothing about what is computed."""


class GraphReading:
    """Reads graphs of one file; constants are collected in `tensors`."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.tensors: list[Tensor] = []

    def main(self, start: int, end: int) -> tuple[Graph, tuple[Function, ...]]:
        """GraphDef: the graph and the functions of its library."""
        nodes: list[Node] = []
        functions: list[Function] = []
        initializers: dict[str, Tensor] = {}
        for name, first, behind in self.wire.fields(start, end, "GraphDef"):
            if name == tag(1):
                nodes.append(self.node(first, behind, "", initializers))
            elif name == tag(2):
                functions += [self.function(a, b) for a, b in entries(self.wire, first, behind, 1, "library")]
        return Graph("", (), (), tuple(nodes), initializers), tuple(functions)

    def function(self, start: int, end: int) -> Function:
        """FunctionDef: signature, nodes, and which value each output returns."""
        spans: list[tuple[int, int]] = []
        name, inputs, outputs = "", (), ()
        returns: dict[str, str] = {}
        for field, first, behind in self.wire.fields(start, end, "FunctionDef"):
            if field == tag(1):
                name, inputs, outputs = self.signature(first, behind)
            elif field == tag(3):
                spans.append((first, behind))
            elif field == tag(4):
                key, (a, b) = map_entries(self.wire, first, behind)
                returns[key] = value_name(text(self.wire, a, b))
        initializers: dict[str, Tensor] = {}
        nodes = tuple(self.node(a, b, f"{name}/", initializers) for a, b in spans)
        given = tuple(returns.get(output, output) for output in outputs)
        return Function(DOMAIN, name, "", inputs, given, (), (), nodes, {})

    def signature(self, start: int, end: int) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """OpDef: name, names of the arguments, names of the results."""
        name = ""
        arguments: dict[int, list[str]] = {2: [], 3: []}
        for field, first, behind in self.wire.fields(start, end, "OpDef"):
            if field == tag(1):
                name = text(self.wire, first, behind)
            elif field in (tag(2), tag(3)):
                for inner, a, b in self.wire.fields(first, behind, "ArgDef"):
                    if inner == tag(1):
                        arguments[field >> 3].append(text(self.wire, a, b))
        return name, tuple(arguments[2]), tuple(arguments[3])

    def node(self, start: int, end: int, prefix: str, initializers: dict[str, Tensor]) -> Node:
        """NodeDef. A Const becomes a node with its tensor, which is a weight under the node's name."""
        name = op = ""
        inputs: list[str] = []
        spans: list[tuple[int, int]] = []
        for field, first, behind in self.wire.fields(start, end, "NodeDef"):
            if field == tag(1):
                name = text(self.wire, first, behind)
            elif field == tag(2):
                op = text(self.wire, first, behind)
            elif field == tag(3):
                inputs.append(value_name(text(self.wire, first, behind)))
            elif field == tag(5):
                spans.append((first, behind))
        attributes: list[Attribute] = []
        for first, behind in spans:
            key, (a, b) = map_entries(self.wire, first, behind)
            if key in DEBUGGING:
                continue
            attribute = self.attribute(key, a, b, prefix + name)
            if op == "Const" and attribute.kind == "tensor" and isinstance(attribute.value, Tensor):
                self.tensors.append(attribute.value)
                initializers[name] = attribute.value
            attributes.append(attribute)
        return Node(op, DOMAIN, name, tuple(inputs), (name,), tuple(sorted(attributes, key=lambda item: item.name)))

    def attribute(self, key: str, start: int, end: int, where: str) -> Attribute:
        """AttrValue: one of list 1, bytes 2, int 3, float 4, bool 5, type 6, shape 7, tensor 8, func 10."""
        for field, first, behind in self.wire.fields(start, end, "AttrValue"):
            if field == tag(8):
                tensor = tensor_of(self.wire, first, behind, where)
                return Attribute(key, "tensor", tensor) if tensor else Attribute(key, "string", b"a variant")
            if field == tag(3, VARINT):
                return Attribute(key, "int", signed(first))
            if field == tag(4, FIXED32):
                return Attribute(key, "float", unpack("<f", self.wire.bytes(first, behind))[0])
            if field == tag(5, VARINT):
                return Attribute(key, "int", first)
            if field == tag(6, VARINT):
                return Attribute(key, "string", DTYPES.get(first, (f"type {first}", 0))[0].encode())
            if field == tag(7):
                return Attribute(key, "string", repr(shape_of(self.wire, first, behind)).encode())
            if field == tag(10):
                return Attribute(key, "string", self.function_name(first, behind))
            if field == tag(1):
                return Attribute(key, "string", self.listed(first, behind))
            if field == tag(2):
                return Attribute(key, "string", self.wire.bytes(first, behind))
        return Attribute(key, "string", b"")

    def function_name(self, start: int, end: int) -> bytes:
        for field, first, behind in self.wire.fields(start, end, "NameAttrList"):
            if field == tag(1):
                return self.wire.bytes(first, behind)
        return b""

    def listed(self, start: int, end: int) -> bytes:
        """A list as text: numbers and short texts by value, shapes and functions as they are shown alone."""
        parts: list[str] = []
        for field, first, behind in self.wire.fields(start, end, "ListValue"):
            if len(parts) > LIMIT_LIST:
                raise BadFile(Problem("GM005", f"a list of more than {LIMIT_LIST} items"))
            if field in (tag(3), tag(5), tag(6)):
                parts += [str(signed(value)) for value in self.wire.numbers(first, behind, "list")]
            elif field == tag(7):
                parts.append(repr(shape_of(self.wire, first, behind)))
            elif field == tag(9):
                parts.append(self.function_name(first, behind).decode("utf-8", "backslashreplace"))
            elif field & 7 == VARINT:
                parts.append(str(signed(first)))
            else:
                parts.append(repr(self.wire.bytes(first, behind)))
        return f"[{', '.join(parts)}]".encode()


def value_name(name: str) -> str:
    """`node:0` and `node:output:0` are the node's first output; a control input `^node` keeps its mark."""
    return name.removesuffix(":0") if name.count(":") == 1 else name
