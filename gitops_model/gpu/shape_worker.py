"""The helper process that runs ONNX shape inference: a line of JSON and a model on stdin, a line of JSON on stdout.

    python -P shape_worker.py <<< {"inputs": {NAME: [DIM, …]}}\\n MODEL

It is a process of its own because the library is C++ code on a stranger's file: it may take all memory or crash, and
then only this process ends. The answer is `{"graphs": [{NAME: [TYPE, [DIM, …] | null]}, …]}`: a graph per number of
`onnx_values.numbered`, TYPE a number of TensorProto.DataType, DIM a number or null.
"""

import json
import resource
import sys
from typing import Any

MAX_MEMORY = 8 << 30
MAX_SECONDS = 120
KEPT = 1 << 12
"""Elements up to which the numbers of a constant are kept; shapes and axes are small, weights are not."""


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    terms = json.loads(sys.stdin.buffer.readline())
    answer = infer(sys.stdin.buffer.read(), terms["inputs"])
    sys.stdout.write(json.dumps({"graphs": answer}) + "\n")


def infer(data: bytes, inputs: dict[str, list[int | None]]) -> list[dict[str, Any]]:
    import onnx
    from onnx import shape_inference

    model: Any = onnx.ModelProto()
    model.ParseFromString(data)
    graphs = list(_graphs(model.graph))
    for graph in graphs:
        for tensor in graph.initializer:
            _drop_weights(tensor)
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    _drop_weights(attribute.t)
        # A stale shape of the file would stand in the way of the sizes that are planned for.
        del graph.value_info[:]
    for value in model.graph.input:
        for dim, size in zip(value.type.tensor_type.shape.dim, inputs.get(value.name, ()), strict=False):
            if size is not None:
                dim.dim_value = size
    for value in model.graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")
    inferred: Any = shape_inference.infer_shapes(model, strict_mode=False, data_prop=True)
    return [_table(graph) for graph in _graphs(inferred.graph)]


def _graphs(graph: Any) -> list[Any]:
    """Every graph in preorder."""
    found: list[Any] = []
    pending = [graph]
    while pending:
        graph = pending.pop()
        found.append(graph)
        inner: list[Any] = []
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    inner.append(attribute.g)
                inner.extend(attribute.graphs)
        pending.extend(reversed(inner))
    return found


def _drop_weights(tensor: Any) -> None:
    count = 1
    for dim in tensor.dims:
        count *= dim
    if count > KEPT or tensor.data_location:
        for name in ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data"):
            tensor.ClearField(name)
        tensor.ClearField("external_data")
        tensor.ClearField("data_location")


def _table(graph: Any) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for value in (*graph.value_info, *graph.output, *graph.input):
        if value.type.HasField("tensor_type"):
            tensor = value.type.tensor_type
            shape = None
            if tensor.HasField("shape"):
                shape = [dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim]
            table[value.name] = [tensor.elem_type, shape]
    return table


if __name__ == "__main__":
    main()
