"""How far apart two outputs may lie and still be called the same but for rounding.

The room is relative to the largest magnitude of the output: where large terms cancel, a small element is off by the
rounding of the large ones, and an element's own size says nothing about it.
"""

from gitops_model.diff.graph import nodes
from gitops_model.ir import Model

FLOAT, HALF, QUANTISED, BRAIN = 1e-3, 2e-2, 5e-2, 1e-1
"""Of float32 and float64; of float16; where a graph quantises; of bfloat16."""
SMALLEST = 1e-6
"""A difference that is always one of rounding: what is left where numbers of the size of the inputs cancel."""
FLIPPED = 0.25
"""The share of integers, booleans or texts that may differ although nothing but rounding does: an index flips where two
values are nearly the same. (Integers of 8 bits may always differ by one: a step of quantisation.)"""

_CAST: dict[object, str] = {10: "float16", 16: "bfloat16"}
"""Numbers of onnx.TensorProto.DataType."""


def tolerance(*models: Model) -> float:
    """The room that the coarsest arithmetic of the models needs."""
    rooms = {FLOAT}
    for model in models:
        types = {tensor.dtype for tensor in model.tensors}
        for node in nodes(model):
            if "Quantize" in node.op_type or "Integer" in node.op_type or node.op_type.startswith("QLinear"):
                rooms.add(QUANTISED)
            if node.op_type == "Cast":
                types |= {_CAST.get(attribute.value, "") for attribute in node.attributes if attribute.name == "to"}
        rooms |= {room for dtype, room in (("float16", HALF), ("bfloat16", BRAIN)) if dtype in types}
    return max(rooms)
