"""Random changes of a model: an attribute, a wire, an operation, a constant. Most break it; some change nothing."""

import random
from collections.abc import Iterator

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, numpy_helper

OPERATIONS = (
    ("Add", "Sub", "Mul", "Div", "Max", "Min", "Pow"),
    ("Relu", "Tanh", "Sigmoid", "Neg", "Abs", "Identity", "Erf", "Sqrt", "Exp", "Softplus", "HardSigmoid"),
    ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"),
    ("GlobalAveragePool", "GlobalMaxPool"),
    ("Softmax", "LogSoftmax", "Hardmax"),
)


def graphs(model: ModelProto) -> Iterator[GraphProto]:
    stack = [model.graph]
    while stack:
        graph = stack.pop()
        yield graph
        stack += [attribute.g for node in graph.node for attribute in node.attribute if attribute.HasField("g")]


def broken(model: ModelProto, chance: random.Random) -> ModelProto:
    """A copy with one random change."""
    made = ModelProto()
    made.CopyFrom(model)
    bodies = [list(graph.node) for graph in graphs(made)] + [list(function.node) for function in made.functions]
    nodes = [node for body in bodies for node in body]
    change = chance.choice((attribute, wire, wire, operation, constant, swap, insert))
    if change is constant or change is insert:
        change(made, nodes, chance)
    elif change is wire:
        body = chance.choice([body for body in bodies if body])
        wire(made, body, chance)
    else:
        change(made, nodes, chance)
    return made


def attribute(_: ModelProto, nodes: list[NodeProto], chance: random.Random) -> None:
    found = [item for node in nodes for item in node.attribute if node.op_type != "Constant"]
    if not found:
        return
    item = chance.choice(found)
    if item.type == AttributeProto.INT:
        item.i = chance.choice((item.i + 1, item.i - 1, 0, 1, -1))
    elif item.type == AttributeProto.FLOAT:
        item.f = chance.choice((item.f * 1.5, 0.0, 1.0, -item.f))
    elif item.type == AttributeProto.INTS and item.ints:
        place = chance.randrange(len(item.ints))
        if chance.random() < 0.5:
            item.ints[place] += chance.choice((1, -1))
        else:
            other = chance.randrange(len(item.ints))
            item.ints[place], item.ints[other] = item.ints[other], item.ints[place]
    elif item.type == AttributeProto.STRING:
        item.s = chance.choice((b"SAME_UPPER", b"SAME_LOWER", b"VALID", b"reverse", b"forward", b"tanh", b"none"))


def wire(_: ModelProto, body: list[NodeProto], chance: random.Random) -> None:
    place = chance.randrange(len(body))
    node = body[place]
    known = [name for earlier in body[:place] for name in (*earlier.output, *earlier.input) if name]
    if node.input and known:
        node.input[chance.randrange(len(node.input))] = chance.choice(known)


def swap(_: ModelProto, nodes: list[NodeProto], chance: random.Random) -> None:
    several = [node for node in nodes if len(node.input) > 1]
    if several:
        node = chance.choice(several)
        one, other = chance.sample(range(len(node.input)), 2)
        node.input[one], node.input[other] = node.input[other], node.input[one]


def operation(_: ModelProto, nodes: list[NodeProto], chance: random.Random) -> None:
    found = [(node, row) for node in nodes for row in OPERATIONS if node.op_type in row]
    if found:
        node, row = chance.choice(found)
        node.op_type = chance.choice(row)


def constant(model: ModelProto, nodes: list[NodeProto], chance: random.Random) -> None:
    tensors = [item for graph in graphs(model) for item in graph.initializer]
    tensors += [item.t for node in nodes for item in node.attribute if item.HasField("t")]
    if not tensors:
        return
    tensor = chance.choice(tensors)
    value = numpy_helper.to_array(tensor).copy()
    if not value.size or value.dtype.kind not in "fiub":
        return
    place = chance.randrange(value.size)
    flat = value.reshape(-1)
    if value.dtype.kind == "f":
        flat[place] = chance.choice((flat[place] * 1.01, 0.0, 1.0, -flat[place]))
    elif value.dtype.kind == "b":
        flat[place] = not flat[place]
    else:
        flat[place] += chance.choice((1, -1)) if flat[place] or value.dtype.kind == "i" else 1
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value), tensor.name))


def insert(model: ModelProto, _: list[NodeProto], chance: random.Random) -> None:
    nodes = model.graph.node
    place = chance.randrange(len(nodes))
    node = nodes[place]
    names = [index for index, name in enumerate(node.input) if name]
    if not names:
        return
    slot = chance.choice(names)
    made = onnx.helper.make_node(
        chance.choice(("Identity", "Relu", "Neg", "Abs", "Softsign")), [node.input[slot]], ["inserted"]
    )
    node.input[slot] = "inserted"
    nodes.insert(place, made)
