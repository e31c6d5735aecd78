"""Small ONNX models that between them have every field that the reader knows, made with the `onnx` library.

`ZOO` maps a name to a function that gives a ModelProto. External data is written by `external`.
"""

import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import AttributeProto, ModelProto, NodeProto, SparseTensorProto, TensorProto, helper

NUMERIC = [code for code in TensorProto.DataType.values() if code not in (TensorProto.UNDEFINED, TensorProto.STRING)]

FOUR = {TensorProto.UINT4, TensorProto.INT4, TensorProto.FLOAT4E2M1}
TWO = {TensorProto.UINT2, TensorProto.INT2}
SIX = {TensorProto.FLOAT6E2M3, TensorProto.FLOAT6E3M2}
WIDTH = {
    TensorProto.FLOAT: 4,
    TensorProto.UINT16: 2,
    TensorProto.INT16: 2,
    TensorProto.INT32: 4,
    TensorProto.INT64: 8,
    TensorProto.FLOAT16: 2,
    TensorProto.BFLOAT16: 2,
    TensorProto.DOUBLE: 8,
    TensorProto.UINT32: 4,
    TensorProto.UINT64: 8,
    TensorProto.COMPLEX64: 8,
    TensorProto.COMPLEX128: 16,
}
"""Bytes of an element where it is not one or less."""


def bits(code: int) -> int:
    return 4 if code in FOUR else 2 if code in TWO else 6 if code in SIX else 8 * WIDTH.get(code, 1)


def elements(code: int, count: int, seed: int = 0) -> bytes:
    """Random elements as raw_data has them; padding bits are clear, floats are finite, bools are 0 or 1."""
    source = random.Random(f"{code} {count} {seed}")
    if code == TensorProto.BOOL:
        return bytes(source.getrandbits(1) for _ in range(count))
    if code in (TensorProto.FLOAT, TensorProto.COMPLEX64):
        number = count * (2 if code == TensorProto.COMPLEX64 else 1)
        return struct.pack(f"<{number}f", *(source.gauss(0, 1) for _ in range(number)))
    if code in (TensorProto.DOUBLE, TensorProto.COMPLEX128):
        number = count * (2 if code == TensorProto.COMPLEX128 else 1)
        return struct.pack(f"<{number}d", *(source.gauss(0, 1) for _ in range(number)))
    size = count * bits(code)
    return source.getrandbits(size).to_bytes((size + 7) // 8, "little") if size else b""


def raw(code: int, dims: list[int], name: str = "w") -> TensorProto:
    count = int(np.prod(dims))
    return TensorProto(name=name, data_type=code, dims=dims, raw_data=elements(code, count))


def typed(code: int, dims: list[int], name: str = "w") -> TensorProto:
    """The same elements in the field for their type."""
    count = int(np.prod(dims))
    data = elements(code, count)
    tensor = TensorProto(name=name, data_type=code, dims=dims)
    if code in (TensorProto.FLOAT, TensorProto.COMPLEX64):
        tensor.float_data.extend(np.frombuffer(data, "<f4").tolist())
    elif code in (TensorProto.DOUBLE, TensorProto.COMPLEX128):
        tensor.double_data.extend(np.frombuffer(data, "<f8").tolist())
    elif code == TensorProto.INT64:
        tensor.int64_data.extend(np.frombuffer(data, "<i8").tolist())
    elif code in (TensorProto.UINT32, TensorProto.UINT64):
        tensor.uint64_data.extend(np.frombuffer(data, f"<u{WIDTH[code]}").tolist())
    elif code in SIX:
        number = int.from_bytes(data, "little")
        tensor.int32_data.extend(number >> 6 * index & 0x3F for index in range(count))
    elif code in (TensorProto.INT8, TensorProto.INT16, TensorProto.INT32):
        tensor.int32_data.extend(np.frombuffer(data, f"<i{WIDTH.get(code, 1)}").tolist())
    else:
        tensor.int32_data.extend(np.frombuffer(data, f"<u{WIDTH.get(code, 1)}").tolist())
    return tensor


def sparse(name: str, *, linear: bool, code: int = TensorProto.FLOAT) -> SparseTensorProto:
    values = raw(code, [3], name)
    rows = [[0, 1], [1, 2], [3, 0]]
    if linear:
        indices = helper.make_tensor("", TensorProto.INT64, [3], [row * 3 + column for row, column in rows])
    else:
        indices = helper.make_tensor("", TensorProto.INT64, [3, 2], np.array(rows).reshape(-1))
    return SparseTensorProto(values=values, indices=indices, dims=[4, 3])


def model(nodes: list[NodeProto], tensors: list[TensorProto] | None = None, **more: object) -> ModelProto:
    """A model around some nodes and initializers."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        tensors or [],
    )
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=imports, **more)


def attribute(name: str, kind: int, **fields: object) -> AttributeProto:
    return AttributeProto(name=name, type=kind, **fields)  # type: ignore[arg-type]


def node(op_type: str, *attributes: AttributeProto, outputs: tuple[str, ...] = ("y",), name: str = "") -> NodeProto:
    return NodeProto(op_type=op_type, input=["x"], output=outputs, attribute=attributes, name=name)


def branch(name: str, *nodes: NodeProto) -> onnx.GraphProto:
    out = helper.make_tensor_value_info(f"{name}_out", TensorProto.FLOAT, [2])
    return helper.make_graph(list(nodes), name, [], [out], [raw(TensorProto.FLOAT, [2], "w")])


# --- the animals ----------------------------------------------------------------------------------------------------
def dtype_models() -> Iterator[tuple[str, Callable[[], ModelProto]]]:
    for code in NUMERIC:
        word = TensorProto.DataType.Name(code).lower()
        for dims in ([7], [], [2, 3], [0], [2, 0]):
            size = "x".join(map(str, dims)) or "scalar"
            yield f"raw-{word}-{size}", lambda code=code, dims=dims: model([], [raw(code, dims)])
            yield f"typed-{word}-{size}", lambda code=code, dims=dims: model([], [typed(code, dims)])
        yield (
            f"constant-{word}",
            lambda code=code: model(
                [
                    node("Constant", attribute("value", AttributeProto.TENSOR, t=raw(code, [5])), outputs=("a",)),
                    node("Constant", attribute("value", AttributeProto.TENSOR, t=typed(code, [5])), outputs=("b",)),
                ]
            ),
        )


def strings() -> ModelProto:
    words = [b"", b"a", "é".encode(), b"\xff\0", b"x" * 300]
    tensor = TensorProto(name="s", data_type=TensorProto.STRING, dims=[5], string_data=words)
    return model([node("Constant", attribute("value", AttributeProto.TENSOR, t=tensor))], [tensor])


def constants() -> ModelProto:
    """Every way in which a Constant node can hold its value."""
    return model(
        [
            node("Constant", attribute("value_int", AttributeProto.INT, i=-5), outputs=("int",)),
            node("Constant", attribute("value_ints", AttributeProto.INTS, ints=[1, -2, 2**62]), outputs=("ints",)),
            node("Constant", attribute("value_ints", AttributeProto.INTS), outputs=("no ints",)),
            node("Constant", attribute("value_float", AttributeProto.FLOAT, f=-0.0), outputs=("float",)),
            node("Constant", attribute("value_floats", AttributeProto.FLOATS, floats=[0.1, 2]), outputs=("floats",)),
            node("Constant", attribute("value_string", AttributeProto.STRING, s=b"\xff"), outputs=("string",)),
            node("Constant", attribute("value_strings", AttributeProto.STRINGS, strings=[b"a", b""]), outputs=("ss",)),
            node(
                "Constant",
                attribute("sparse_value", AttributeProto.SPARSE_TENSOR, sparse_tensor=sparse("v", linear=True)),
                outputs=("sparse",),
            ),
            node(
                "Constant",
                attribute("value_ints", AttributeProto.INTS, ints=range(-2000, 3000)),
                outputs=("long ints",),
            ),
            node(
                "Constant",
                attribute("value_floats", AttributeProto.FLOATS, floats=range(3000)),
                outputs=("long floats",),
            ),
            node("Constant", attribute("value_string", AttributeProto.STRING, s=b"z" * 70_000), outputs=("long",)),
        ]
    )


def attributes() -> ModelProto:
    """Every kind of attribute, alone and as a list, empty and full."""
    kinds = AttributeProto
    graph = branch("sub", node("Relu", outputs=("sub_out",)))
    tensor = typed(TensorProto.INT32, [3], "t")
    thin = sparse("s", linear=False)
    sequence = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.INT8, ["a", None, 3]))
    return model(
        [
            node(
                "Everything",
                attribute("f", kinds.FLOAT, f=1.5),
                attribute("i", kinds.INT, i=-(2**63)),
                attribute("s", kinds.STRING, s=b"text"),
                attribute("t", kinds.TENSOR, t=tensor),
                attribute("g", kinds.GRAPH, g=graph),
                attribute("sp", kinds.SPARSE_TENSOR, sparse_tensor=thin),
                attribute("tp", kinds.TYPE_PROTO, tp=sequence),
                attribute("floats", kinds.FLOATS, floats=[1, float("nan"), float("-inf"), -0.0]),
                attribute("ints", kinds.INTS, ints=[0, -1, 127, 128, 2**63 - 1]),
                attribute("strings", kinds.STRINGS, strings=[b"", b"\0", b"a"]),
                attribute("tensors", kinds.TENSORS, tensors=[tensor, raw(TensorProto.BOOL, [1])]),
                attribute("graphs", kinds.GRAPHS, graphs=[graph, graph]),
                attribute("sparses", kinds.SPARSE_TENSORS, sparse_tensors=[thin, thin]),
                attribute("types", kinds.TYPE_PROTOS, type_protos=[sequence, sequence]),
                attribute("none", kinds.INTS),
                attribute("zero", kinds.FLOAT),
                name="all",
            ),
            node("Long", attribute("ints", kinds.INTS, ints=[*range(100_000), *range(-50, 0)]), name="long"),
            node("Long", attribute("floats", kinds.FLOATS, floats=[0.5] * 70_000)),
            node("Long", attribute("strings", kinds.STRINGS, strings=[b"LEAF", b"BRANCH"] * 20_000)),
            node("Long", attribute("engine", kinds.STRING, s=bytes(range(256)) * 1024)),
        ]
    )


def nested() -> ModelProto:
    """If in Loop in Scan, unnamed nodes, a Constant and an initializer at every level."""
    inner = branch("inner", node("Constant", attribute("value_int", AttributeProto.INT, i=1), outputs=("c",)))
    choice = node(
        "If",
        attribute("then_branch", AttributeProto.GRAPH, g=inner),
        attribute("else_branch", AttributeProto.GRAPH, g=inner),
        outputs=("out",),
        name="choice",
    )
    loop = node("Loop", attribute("body", AttributeProto.GRAPH, g=branch("body", node("Relu"), choice)))
    scan = node("Scan", attribute("body", AttributeProto.GRAPH, g=branch("scan", loop)), name="s/c.an")
    return model([scan, node("If", attribute("then_branch", AttributeProto.GRAPH, g=inner))])


def deep(levels: int) -> ModelProto:
    """Subgraphs in subgraphs; protobuf itself stops at 33 levels."""
    graph = branch("leaf", node("Relu"))
    for _ in range(levels - 1):
        graph = branch("level", node("If", attribute("then_branch", AttributeProto.GRAPH, g=graph)))
    return model([node("If", attribute("then_branch", AttributeProto.GRAPH, g=graph))])


def functions() -> ModelProto:
    """Model-local functions with bodies, overloads, attributes with and without defaults, references."""
    body = [
        node("Constant", attribute("value_float", AttributeProto.FLOAT, f=0.5), outputs=("c",)),
        NodeProto(
            op_type="Constant",
            output=["r"],
            attribute=[AttributeProto(name="value_int", type=AttributeProto.INT, ref_attr_name="k")],
        ),
        node("If", attribute("then_branch", AttributeProto.GRAPH, g=branch("then", node("Relu")))),
    ]
    found = model([NodeProto(op_type="F", domain="local", input=["x"], output=["y"], overload="two")])
    for overload in ("", "two"):
        function = helper.make_function(
            "local", "F", ["x"], ["y"], body, [helper.make_opsetid("", 21)], attributes=["k"]
        )
        function.overload = overload
        function.attribute_proto.append(attribute("alpha", AttributeProto.FLOAT, f=0.1))
        function.attribute_proto.append(attribute("t", AttributeProto.TENSOR, t=raw(TensorProto.FLOAT, [2])))
        found.functions.append(function)
    return found


def types() -> ModelProto:
    """Every type that an input, an output or a value can have."""
    found = model([])
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, ["N", 3, None, 0])
    unranked = helper.make_tensor_type_proto(TensorProto.BFLOAT16, None)
    thin = helper.make_sparse_tensor_type_proto(TensorProto.DOUBLE, [2, "M"])
    sequence = helper.make_sequence_type_proto(tensor)
    maps = helper.make_map_type_proto(TensorProto.STRING, sequence)
    opaque = onnx.TypeProto()
    opaque.opaque_type.domain = "d"
    opaque.opaque_type.name = "n"
    bare = onnx.TypeProto()
    bare.sequence_type.SetInParent()
    for index, kind in enumerate(
        (tensor, unranked, thin, sequence, maps, helper.make_optional_type_proto(maps), opaque, bare, onnx.TypeProto())
    ):
        found.graph.input.append(onnx.ValueInfoProto(name=f"in{index}", type=kind, doc_string="said"))
        found.graph.output.append(onnx.ValueInfoProto(name=f"out{index}", type=kind))
        found.graph.value_info.append(onnx.ValueInfoProto(name=f"value{index}", type=kind))
    negative = helper.make_tensor_value_info("negative", TensorProto.FLOAT, [1])
    negative.type.tensor_type.shape.dim[0].dim_value = -1
    found.graph.output.append(negative)
    found.graph.output.append(onnx.ValueInfoProto(name="untyped"))
    found.graph.value_info.append(helper.make_tensor_value_info("undefined", TensorProto.UNDEFINED, [1]))
    return found


def around() -> ModelProto:
    """Everything of ModelProto beside the graph, and fields that are read over."""
    found = model(
        [node("Relu", name="n")],
        [raw(TensorProto.FLOAT, [2, 2])],
        producer_name="zoo",
        producer_version="1",
        domain="org.example",
        model_version=7,
        doc_string="A model\nof two lines.",
    )
    for key, value in {"author": "é", "empty": "", "long": "v" * 5000}.items():
        found.metadata_props.add(key=key, value=value)
    found.opset_import.add(domain="", version=9)  # the higher version binds
    found.graph.doc_string = "graph"
    found.graph.metadata_props.add(key="k", value="v")
    found.graph.quantization_annotation.add(tensor_name="w").quant_parameter_tensor_names.add(key="a", value="b")
    found.graph.node[0].metadata_props.add(key="pkg.torch.onnx.stack_trace", value="x" * 3000)
    found.graph.node[0].doc_string = "node"
    found.training_info.add().algorithm.name = "step"
    found.configuration.add(name="two", num_devices=2)
    found.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [2, 2]))
    return found


def sparse_initializers() -> ModelProto:
    found = model([])
    found.graph.sparse_initializer.append(sparse("linear", linear=True))
    found.graph.sparse_initializer.append(sparse("rows", linear=False))
    found.graph.sparse_initializer.append(sparse("half", linear=False, code=TensorProto.FLOAT16))
    empty = SparseTensorProto(values=raw(TensorProto.FLOAT, [0], "nothing"), dims=[2, 2])
    found.graph.sparse_initializer.append(empty)
    return found


def old() -> ModelProto:
    """IR version 1: no opset import, attributes without a type."""
    found = model(
        [
            NodeProto(
                op_type="Conv",
                input=["x", "w"],
                output=["y"],
                attribute=[AttributeProto(name="group", i=2), AttributeProto(name="pads", ints=[1, 2])],
            )
        ],
        [raw(TensorProto.FLOAT, [2])],
    )
    found.ir_version = 1
    del found.opset_import[:]
    return found


def large() -> ModelProto:
    """Messages, texts and tensors that are larger than the windows of the reader."""
    nodes = [node("Relu", name=f"node {index} " + "n" * (index % 700), outputs=(f"v{index}",)) for index in range(3000)]
    data = typed(TensorProto.INT64, [200, 300], "varints")
    return model(
        nodes,
        [raw(TensorProto.FLOAT, [300, 300], "raw"), data, typed(TensorProto.FLOAT16, [70_001], "half")],
        doc_string="d" * 300_000,
    )


ZOO: dict[str, Callable[[], ModelProto]] = {
    "strings": strings,
    "constants": constants,
    "attributes": attributes,
    "nested": nested,
    "functions": functions,
    "types": types,
    "around": around,
    "sparse": sparse_initializers,
    "large": large,
    "30 levels": lambda: deep(30),
    **dict(dtype_models()),
}
"""Name → model. Those of `old` and `external` need a word of their own in the test."""


def external(folder: Path) -> ModelProto:
    """A model of every numeric type whose data lies in two other files, with and without a stated length."""
    tensors: list[TensorProto] = []
    content = b"\0" * 16
    for index, code in enumerate(NUMERIC):
        data = elements(code, 5)
        tensor = TensorProto(name=f"w{index}", data_type=code, dims=[5], data_location=TensorProto.EXTERNAL)
        entries = {"location": "./deep//w.bin", "offset": str(len(content)), "length": str(len(data))}
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=value)
        content += data
        tensors.append(tensor)
    (folder / "deep").mkdir()
    (folder / "deep" / "w.bin").write_bytes(content)
    (folder / "alone.bin").write_bytes(elements(TensorProto.FLOAT, 4))
    alone = TensorProto(name="alone", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    alone.external_data.add(key="location", value="alone.bin")
    constant = attribute("value", AttributeProto.TENSOR, t=alone)
    return model([node("Constant", constant, outputs=("c",))], tensors)
