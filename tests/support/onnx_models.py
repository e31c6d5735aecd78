"""Small ONNX models for tests, written with the `onnx` package and read with our reader."""

from typing import Any

import onnx
from onnx import TensorProto, helper

from gitops_model.blob import Blob, NoSource
from gitops_model.ir import Model
from gitops_model.readers import read_model

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def value(name: str, shape: list[Any] | None, dtype: int = FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, dtype, shape)


def weight(name: str, *dims: int, dtype: int = FLOAT) -> onnx.TensorProto:
    count = 1
    for dim in dims:
        count *= dim
    return helper.make_tensor(name, dtype, dims, [0] * count)


def model(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    weights: tuple[onnx.TensorProto, ...] = (),
    *,
    opset: dict[str, int] | None = None,
    functions: tuple[onnx.FunctionProto, ...] = (),
    ir_version: int = 10,
) -> bytes:
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializer=weights)
    imports = [helper.make_opsetid(domain, version) for domain, version in (opset or {"": 17}).items()]
    return helper.make_model(
        graph, opset_imports=imports, functions=list(functions), ir_version=ir_version
    ).SerializeToString()


def read(data: bytes) -> Model:
    return read_model(Blob.of_bytes("model.onnx", data), NoSource())
