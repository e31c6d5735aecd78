"""What a re-export does to an ONNX model: other names for everything inside, in another order, and other weights."""

from collections.abc import Iterator
from random import Random

import numpy as np
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, numpy_helper


def graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """The graph and all in it."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                yield from graphs(attribute.g)


def rename(model: ModelProto, seed: int = 0) -> dict[str, str]:
    """Give every value and node but the inputs and outputs another name, shuffle initializers; old name → new name."""
    random = Random(seed)
    kept = {value.name for value in (*model.graph.input, *model.graph.output)} | {""}
    names: dict[str, str] = {}

    def named(name: str) -> str:
        return name if name in kept else names.setdefault(name, f"v{random.getrandbits(60):x}")

    for graph in graphs(model.graph):
        for node in graph.node:
            node.name = f"n{random.getrandbits(60):x}" if node.name else ""
            node.input[:] = map(named, node.input)
            node.output[:] = map(named, node.output)
        inner = () if graph is model.graph else (*graph.input, *graph.output)
        for value in (*graph.initializer, *graph.value_info, *inner):
            value.name = named(value.name)
        initializers = [*graph.initializer]
        random.shuffle(initializers)
        del graph.initializer[:]
        graph.initializer.extend(initializers)
    return names


def retrain(model: ModelProto, least: int = 16) -> int:
    """Change every float32 tensor of at least so many elements; how many these are."""
    source = np.random.default_rng(0)

    def change(tensor: TensorProto) -> bool:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < least:
            return False
        values = numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array((values + source.normal(size=values.shape)).astype("f"), tensor.name))
        return True

    count = 0
    for graph in graphs(model.graph):
        attributes = [attribute for node in graph.node for attribute in node.attribute]
        count += sum(map(change, graph.initializer))
        count += sum(change(attribute.t) for attribute in attributes if attribute.type == AttributeProto.TENSOR)
    return count
