"""The ONNX reader against small models built by hand."""

import onnx
from onnx import TensorProto, helper

from gitops_model.blob import Blob, NoSource
from gitops_model.ir import Inline, Span, TensorType, Value, Varints
from gitops_model.readers.onnx import read, sniff


def model_bytes() -> bytes:
    weight = helper.make_tensor("w", TensorProto.FLOAT, [2, 2], b"\0" * 16, raw=True)
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [0, 300])
    graph = helper.make_graph(
        [
            helper.make_node("Constant", [], ["c"], value_int=7),
            helper.make_node("MatMul", ["x", "w"], ["y"], name="mm"),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [weight, axes],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


def test_describes_a_small_model():
    data = model_bytes()
    model = read(Blob.of_bytes("m.onnx", data), NoSource())
    assert model.opset == {"ai.onnx": 17}
    assert model.inputs == (Value("x", TensorType("float32", ("N", 2))),)
    assert model.outputs == (Value("y", TensorType("float32", None)),)
    assert [(t.name, t.dtype, t.shape, t.nbytes) for t in model.tensors] == [
        ("c", "int64", (), 8),
        ("w", "float32", (2, 2), 16),
        ("axes", "int64", (2,), 16),
    ]
    constant, weight, axes = (tensor.data for tensor in model.tensors)
    assert constant == Inline((7).to_bytes(8, "little"))
    assert isinstance(weight, Span)
    assert data[weight.offset : weight.offset + weight.length] == b"\0" * 16
    assert isinstance(axes, Varints)
    assert axes.width == 8
    assert model.graph is not None
    assert [node.op_type for node in model.graph.nodes] == ["Constant", "MatMul"]
    assert model.properties["ir_version"] == onnx.IR_VERSION or model.properties["ir_version"] > 0


def test_sniffs_itself():
    assert sniff(model_bytes()[:4096])
