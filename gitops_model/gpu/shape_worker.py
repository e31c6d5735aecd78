"""The helper process that runs ONNX shape inference: a line of JSON and a model on stdin, a line of JSON on stdout.

    python -P shape_worker.py <<< {"inputs": {NAME: [DIM, …]}}\\n MODEL

It is a process of its own because the library is C++ code on a stranger's file: it may take all memory or crash, and
then only this process ends. The answer is `{"graphs": [{NAME: [TYPE, [DIM, …] | null]}, …], "schemas": [ROW, …]}`: a
graph per number of `onnx_values.numbered`, TYPE a number of TensorProto.DataType, DIM a number or null, and a row of
`schema_row` for every operator and opset of the model, so that the parent need not load the library.
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
    import onnx

    model: Any = onnx.ModelProto()
    model.ParseFromString(sys.stdin.buffer.read())
    answer = {"schemas": schemas(model), "graphs": infer(model, terms["inputs"])}
    sys.stdout.write(json.dumps(answer) + "\n")


def infer(model: Any, inputs: dict[str, list[int | None]]) -> list[dict[str, Any]]:
    from onnx import shape_inference

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


# --- schemas -------------------------------------------------------------------------------------------------------
def schemas(model: Any) -> list[list[Any]]:
    """A row for every operator that the model names, in the opset that binds it."""
    wanted: dict[tuple[str, str, int], None] = {}
    nodes = [(node, model.opset_import) for graph in _graphs(model.graph) for node in graph.node]
    nodes += [
        (node, function.opset_import or model.opset_import) for function in model.functions for node in function.node
    ]
    for node, imports in nodes:
        domain = node.domain or "ai.onnx"
        versions = [item.version for item in imports if (item.domain or "ai.onnx") == domain]
        if versions:
            wanted[domain, node.op_type, max(versions)] = None
    rows = [(key, schema_row(*key)) for key in wanted]
    return [[*key, *row] for key, row in rows if row is not None]


def schema_row(domain: str, op_type: str, opset: int) -> list[Any] | None:
    """[since, type parameters of the inputs, of the outputs, is the last one variadic (two), all names]."""
    from onnx import defs

    try:
        schema: Any = defs.get_schema(op_type, opset, "" if domain == "ai.onnx" else domain)
    except (defs.SchemaError, TypeError):
        return None
    variadic = defs.OpSchema.FormalParameterOption.Variadic
    inputs, outputs = list(schema.inputs), list(schema.outputs)
    return [
        int(schema.since_version),
        [str(formal.type_str) for formal in inputs],
        [str(formal.type_str) for formal in outputs],
        bool(inputs) and inputs[-1].option == variadic,
        bool(outputs) and outputs[-1].option == variadic,
        [str(constraint.type_param_str) for constraint in schema.type_constraints],
    ]


if __name__ == "__main__":
    main()
