"""Changes of meaning, small ones: to one model of a pair (`one_sided`), or to what both stand on (`both_sided`).

What is still called equivalent afterwards must compute the same. Most mutants are invalid or differ; some are equal.
"""

import random
from collections.abc import Callable

import numpy as np
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, numpy_helper

from support.breaking import graphs, insert, operation, swap, wire

OPSETS = (7, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 22, 23, 24)
DTYPES = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.INT32, TensorProto.INT64)
STRINGS = {
    "auto_pad": ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"),
    "mode": ("constant", "reflect", "edge", "nearest", "linear", "cubic", "bilinear"),
    "coordinate_transformation_mode": ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"),
    "nearest_mode": ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"),
    "reduction": ("none", "add", "mul", "max", "min"),
    "approximate": ("none", "tanh"),
    "direction": ("forward", "reverse", "bidirectional"),
    "activation": ("Relu", "Tanh", "Sigmoid"),
}
EXTRA: dict[str, tuple[tuple[str, int | float | str], ...]] = {
    **dict.fromkeys(("Softmax", "LogSoftmax", "Hardmax"), (("axis", 0), ("axis", 1), ("axis", -1))),
    **dict.fromkeys(("MaxPool", "AveragePool", "LpPool"), (("ceil_mode", 1), ("count_include_pad", 1))),
    **dict.fromkeys(("ReduceMean", "ReduceSum", "ReduceMax"), (("keepdims", 0), ("noop_with_empty_axes", 1))),
    **dict.fromkeys(("ArgMax", "ArgMin"), (("keepdims", 0), ("select_last_index", 1), ("axis", 1))),
    "TopK": (("largest", 0), ("sorted", 0), ("axis", 0)),
    "CumSum": (("exclusive", 1), ("reverse", 1)),
    "Gemm": (("transA", 1), ("transB", 1), ("alpha", 0.5), ("beta", 2.0)),
    "LayerNormalization": (("axis", 1), ("epsilon", 0.25), ("stash_type", 10)),
    "RMSNormalization": (("axis", 1), ("epsilon", 0.25)),
    "BatchNormalization": (("epsilon", 0.25), ("training_mode", 1), ("momentum", 0.5)),
    "Gelu": (("approximate", "tanh"),),
    "LeakyRelu": (("alpha", 0.25),),
    "HardSigmoid": (("alpha", 0.25), ("beta", 0.25)),
    "Reshape": (("allowzero", 1),),
    "Attention": (("is_causal", 1), ("softcap", 0.5), ("scale", 0.3), ("unidirectional", 1)),
    "MultiHeadAttention": (("scale", 0.3), ("unidirectional", 1)),
    "Cast": (("saturate", 0), ("to", 6), ("to", 11), ("to", 9)),
    "Transpose": (),
    "Shape": (("start", 1), ("end", 1), ("end", -1), ("start", -1)),
    "Concat": (("axis", 0), ("axis", -1)),
    "Gather": (("axis", 0), ("axis", 1), ("axis", -1)),
    "Split": (("axis", 0), ("axis", -1)),
    "Flatten": (("axis", 0), ("axis", 2), ("axis", -1)),
    "Conv": (
        ("group", 2),
        ("strides", 2),
        ("auto_pad", "SAME_UPPER"),
        ("auto_pad", "SAME_LOWER"),
        ("auto_pad", "VALID"),
    ),
    "Swish": (("alpha", 0.5),),
    "QuickGelu": (("alpha", 1.0),),
    "FusedMatMul": (("transA", 1), ("transB", 1), ("transBatchA", 1), ("alpha", 2.0)),
    "Mod": (("fmod", 1),),
    "Dropout": (("seed", 1),),
    "LSTM": (("layout", 1), ("input_forget", 1), ("clip", 0.1), ("direction", "reverse")),
    "GRU": (("linear_before_reset", 1), ("direction", "reverse")),
}
"""Attributes that may be set on an operator."""


def copied(model: ModelProto) -> ModelProto:
    made = ModelProto()
    made.CopyFrom(model)
    return made


def one_sided(model: ModelProto, chance: random.Random) -> ModelProto:
    """A copy with one or two changes."""
    made = copied(model)
    for _ in range(chance.choice((1, 1, 1, 2))):
        change = chance.choice(CHANGES)
        bodies = [list(graph.node) for graph in graphs(made)] + [list(function.node) for function in made.functions]
        bodies = [body for body in bodies if body]
        if bodies:
            change(made, chance.choice(bodies), chance)
    return made


def both_sided(before: ModelProto, after: ModelProto, chance: random.Random) -> tuple[ModelProto, ModelProto]:
    """Copies with the same change of types, shapes or opset."""
    one, other = copied(before), copied(after)
    kind = chance.choice(("dtype", "shape", "shape", "opset", "constant"))
    seed = chance.random()
    for model in (one, other):
        same = random.Random(f"{kind} {seed}")
        if kind == "dtype":
            retype(model, same)
        elif kind == "opset":
            model.opset_import[0].version = same.choice(OPSETS)
        elif kind == "constant":
            shared_constant(model, same)
        else:
            reshape_inputs(model, same)
    return one, other


# --- changes of one model -----------------------------------------------------------------------------------------
Change = Callable[[ModelProto, list[NodeProto], random.Random], None]


def attribute(_: ModelProto, nodes: list[NodeProto], chance: random.Random) -> None:
    found = [item for node in nodes for item in node.attribute if node.op_type != "Constant"]
    if not found:
        return
    item = chance.choice(found)
    if item.type == AttributeProto.INT:
        item.i = chance.choice((item.i + 1, item.i - 1, -item.i, 0, 1, -1))
    elif item.type == AttributeProto.FLOAT:
        item.f = chance.choice((item.f * 1.5, item.f * 1.001, 0.0, 1.0, -item.f))
    elif item.type == AttributeProto.INTS and item.ints:
        place, other = chance.randrange(len(item.ints)), chance.randrange(len(item.ints))
        if chance.random() < 0.5:
            item.ints[place] += chance.choice((1, -1))
        else:
            item.ints[place], item.ints[other] = item.ints[other], item.ints[place]
    elif item.type == AttributeProto.STRING:
        item.s = chance.choice(STRINGS.get(item.name, ("none",))).encode()


def extra(_: ModelProto, nodes: list[NodeProto], chance: random.Random) -> None:
    """Set an attribute that the node may not have had."""
    found = [(node, item) for node in nodes for item in EXTRA.get(node.op_type, ())]
    if not found:
        return
    node, (name, value) = chance.choice(found)
    kept = [item for item in node.attribute if item.name != name]
    del node.attribute[:]
    node.attribute.extend(kept)
    item = node.attribute.add(name=name)
    if isinstance(value, str):
        item.type, item.s = AttributeProto.STRING, value.encode()
    elif isinstance(value, float):
        item.type, item.f = AttributeProto.FLOAT, value
    elif name == "strides":
        item.type, item.ints[:] = AttributeProto.INTS, [value]
    else:
        item.type, item.i = AttributeProto.INT, value


def drop_attribute(_: ModelProto, nodes: list[NodeProto], chance: random.Random) -> None:
    found = [node for node in nodes if node.attribute and node.op_type not in ("Constant", "If", "Loop")]
    if found:
        node = chance.choice(found)
        del node.attribute[chance.randrange(len(node.attribute))]


def drop_input(_: ModelProto, nodes: list[NodeProto], chance: random.Random) -> None:
    found = [node for node in nodes if len(node.input) > 1]
    if found:
        node = chance.choice(found)
        if chance.random() < 0.5:
            del node.input[-1]
        else:
            node.input[chance.randrange(1, len(node.input))] = ""


def skip_node(_: ModelProto, nodes: list[NodeProto], chance: random.Random) -> None:
    """The node's first input goes on in the place of its first output."""
    node = chance.choice(nodes)
    if node.input and node.input[0]:
        for later in nodes:
            later.input[:] = [node.input[0] if name == node.output[0] else name for name in later.input]


def tensors(model: ModelProto) -> list[TensorProto]:
    found = [item for graph in graphs(model) for item in graph.initializer]
    bodies = [graph.node for graph in graphs(model)] + [function.node for function in model.functions]
    return found + [item.t for body in bodies for node in body for item in node.attribute if item.HasField("t")]


def changed_value(value: np.ndarray, chance: random.Random) -> np.ndarray:
    value = value.copy()
    flat = value.reshape(-1)
    if not value.size or value.dtype.kind not in "fiub":
        return value
    place, other = chance.randrange(value.size), chance.randrange(value.size)
    if chance.random() < 0.3:
        flat[place], flat[other] = flat[other], flat[place]
    elif value.dtype.kind == "f":
        old = flat[place]
        flat[place] = chance.choice((old * np.float32(1.001), old * np.float32(1.00001), 0.0, -0.0, 1.0, -old, 1e-20))
    elif value.dtype.kind == "b":
        flat[place] = not flat[place]
    elif value.dtype.kind == "i":
        flat[place] += chance.choice((1, -1, 2))
    else:
        flat[place] ^= 1
    return value


def constant(model: ModelProto, _: list[NodeProto], chance: random.Random) -> None:
    found = [item for item in tensors(model) if item.data_location != TensorProto.EXTERNAL]
    if found:
        tensor = chance.choice(found)
        if tensor.data_type == TensorProto.STRING:
            return
        with np.errstate(all="ignore"):
            value = changed_value(numpy_helper.to_array(tensor), chance)
        tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value), tensor.name))


def constant_shape(model: ModelProto, _: list[NodeProto], chance: random.Random) -> None:
    """The same numbers with other axes: another way to broadcast."""
    found = [item for item in tensors(model) if item.data_location != TensorProto.EXTERNAL and len(item.dims) <= 4]
    if not found:
        return
    tensor = chance.choice(found)
    dims = list(tensor.dims)
    place = chance.randrange(len(dims) + 1)
    choice = chance.random()
    if choice < 0.4:
        dims.insert(place, 1)
    elif choice < 0.7 and 1 in dims:
        dims.remove(1)
    else:
        chance.shuffle(dims)
    tensor.dims[:] = dims


def opset(model: ModelProto, _: list[NodeProto], chance: random.Random) -> None:
    model.opset_import[0].version = chance.choice(OPSETS)


def duplicate_use(model: ModelProto, nodes: list[NodeProto], chance: random.Random) -> None:
    """Something in between goes into the output as well."""
    del nodes
    graph: GraphProto = model.graph
    inner = [name for node in graph.node for name in node.output if name]
    outputs = {value.name for value in graph.output}
    last = [node for node in graph.node if node.output and node.output[0] in outputs]
    if not last or len(inner) < 2:
        return
    node = chance.choice(last)
    final = node.output[0]
    node.output[0] = "before_the_end"
    other = chance.choice([name for name in inner if name not in outputs] or ["before_the_end"])
    graph.node.add(op_type=chance.choice(("Add", "Mul", "Sub")), input=["before_the_end", other], output=[final])


CHANGES: tuple[Change, ...] = (
    *(attribute, attribute, extra, extra, drop_attribute, drop_input, skip_node, constant, constant, constant_shape),
    *(opset, duplicate_use, wire, swap, operation, insert),
)


# --- changes of both ----------------------------------------------------------------------------------------------
def retype(model: ModelProto, chance: random.Random) -> None:
    """Every float input, output and constant as another type."""
    target = chance.choice(DTYPES)
    for value in (*model.graph.input, *model.graph.output):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = target
    from onnx.helper import tensor_dtype_to_np_dtype

    for tensor in tensors(model):
        if tensor.data_type == TensorProto.FLOAT and tensor.data_location != TensorProto.EXTERNAL:
            with np.errstate(all="ignore"):
                value = numpy_helper.to_array(tensor).astype(tensor_dtype_to_np_dtype(target))
            tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))


def reshape_inputs(model: ModelProto, chance: random.Random) -> None:
    """Another dimension or rank of one input; the outputs say nothing of their shapes."""
    inputs: list[ValueInfoProto] = list(model.graph.input)
    value = inputs[chance.randrange(len(inputs))]
    shape = value.type.tensor_type.shape
    dims = list(shape.dim)
    choice = chance.random()
    if choice < 0.6 and dims:
        dim = dims[chance.randrange(len(dims))]
        size = chance.choice((1, 2, 3, 4, "M", "N"))
        if isinstance(size, int):
            dim.dim_value = size
        else:
            dim.dim_param = size
    elif choice < 0.8:
        made = shape.dim.add()
        made.dim_value = chance.choice((1, 2, 4))
    elif dims:
        del shape.dim[chance.choice((0, len(dims) - 1))]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")


def shared_constant(model: ModelProto, chance: random.Random) -> None:
    """One constant that both may have, by its content."""
    constant(model, [], chance)
