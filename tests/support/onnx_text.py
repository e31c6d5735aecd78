"""Small ONNX models written in ONNX's own textual syntax, read by our reader and digested."""

import onnx.parser

from gitops_model.blob import Blob, NoSource
from gitops_model.diff.result import Side
from gitops_model.pipeline.load import Opened, describe


def encoded(text: str, *, opset: int = 17, functions: str = "", ir_version: int = 8) -> bytes:
    """A model file; `text` is its graph, as `(float[N] x) => (float[N] y) { y = Relu(x) }`."""
    imports = f'"" : {opset}' + (', "local" : 1' if functions else "")
    return onnx.parser.parse_model(
        f"<ir_version: {ir_version}, opset_import: [{imports}]> main {text} {functions}"
    ).SerializeToString()


def side(text: str, *, opset: int = 17, functions: str = "", ir_version: int = 8) -> Side:
    """The description of such a model, with its digests."""
    content = encoded(text, opset=opset, functions=functions, ir_version=ir_version)
    return describe(Opened(Blob.of_bytes("m.onnx", content), NoSource()))


def side_of(model: onnx.ModelProto) -> Side:
    """The description of a model that is at hand, with its digests."""
    return describe(Opened(Blob.of_bytes("m.onnx", model.SerializeToString()), NoSource()))
