"""What the `onnx` library says of a model, in the words of our description: the oracle of the ONNX reader.

Written from design and onnx.proto alone; it shares no line with the reader.
"""

import math
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, NodeProto, SparseTensorProto, TensorProto, TypeProto, numpy_helper

from gitops_model.blob import Blob, NoSource, Source
from gitops_model.ir import Attribute, Graph, Model, Node, OtherType, Sparse, Tensor, TensorType, Value
from gitops_model.readers.bytes import TensorBytes

NAMES = {
    TensorProto.FLOAT: "float32",
    TensorProto.DOUBLE: "float64",
    TensorProto.FLOAT16: "float16",
    TensorProto.BFLOAT16: "bfloat16",
    TensorProto.STRING: "string",
    TensorProto.BOOL: "bool",
    TensorProto.FLOAT8E4M3FN: "float8_e4m3fn",
    TensorProto.FLOAT8E4M3FNUZ: "float8_e4m3fnuz",
    TensorProto.FLOAT8E5M2: "float8_e5m2",
    TensorProto.FLOAT8E5M2FNUZ: "float8_e5m2fnuz",
    TensorProto.FLOAT8E8M0: "float8_e8m0fnu",
    TensorProto.FLOAT4E2M1: "float4_e2m1fn",
    TensorProto.FLOAT6E2M3: "float6_e2m3fn",
    TensorProto.FLOAT6E3M2: "float6_e3m2fn",
}


def dtype_name(code: int) -> str:
    if code == 0:
        return "undefined"
    return NAMES.get(code) or TensorProto.DataType.Name(code).lower()


def bits_of(code: int) -> int:
    name = dtype_name(code)
    if name.startswith("float6_"):
        return 6
    if name in ("uint4", "int4", "float4_e2m1fn"):
        return 4
    return 2 if name in ("uint2", "int2") else 0


# --- tensors --------------------------------------------------------------------------------------------------------
def canonical(tensor: TensorProto, folder: str = "") -> bytes:
    """The elements in C order, little endian; sub-byte elements LSB first; strings with their lengths."""
    if tensor.data_type == TensorProto.STRING:
        return b"".join(struct.pack("<Q", len(text)) + text for text in tensor.string_data)
    bits = bits_of(tensor.data_type)
    array = numpy_helper.to_array(tensor, folder)
    if not bits:
        return array.astype(array.dtype.newbyteorder("<")).tobytes()
    number = 0
    for index, code in enumerate(array.reshape(-1).view(np.uint8).tolist()):
        number |= (code & (1 << bits) - 1) << index * bits
    return number.to_bytes((array.size * bits + 7) // 8, "little")


def sparse(tensor: SparseTensorProto) -> tuple[bytes, bytes]:
    """Linear indices as int64, and the values."""
    indices = numpy_helper.to_array(tensor.indices) if tensor.HasField("indices") else np.zeros(0, np.int64)
    if indices.ndim == 2:
        strides = [math.prod(tensor.dims[axis + 1 :]) for axis in range(len(tensor.dims))]
        indices = (indices * np.array(strides, np.int64)).sum(axis=1)
    return indices.astype("<i8").tobytes(), canonical(tensor.values)


def held(tensor: Tensor, data: TensorBytes) -> bytes | tuple[bytes, bytes]:
    """The bytes behind a locator of ours, in the same form."""
    if isinstance(tensor.data, Sparse):
        raw = joined(data, tensor.data.indices)
        if tensor.data.rank > 1:
            rows = np.frombuffer(raw, "<i8").reshape(-1, tensor.data.rank)
            raw = np.ravel_multi_index(tuple(rows.T), tensor.shape).astype("<i8").tobytes()
        return raw, joined(data, tensor.data.values)
    return joined(data, tensor.data)


def joined(data: TensorBytes, locator: object) -> bytes:
    return b"".join(bytes(chunk) for chunk in data.chunks(locator))  # type: ignore[arg-type]


CONSTANTS = {"value_int", "value_float", "value_string", "value_ints", "value_floats", "value_strings"}


def constant(attribute: AttributeProto, folder: str) -> tuple[str, tuple[int, ...], object]:
    """Type, shape and bytes of what a Constant node holds."""
    value = onnx.helper.get_attribute_value(attribute)
    if attribute.name == "value":
        return dtype_name(value.data_type), tuple(value.dims), canonical(value, folder)
    if attribute.name == "sparse_value":
        return dtype_name(value.values.data_type), tuple(value.dims), sparse(value)
    many = attribute.name.endswith("s")
    shape = (len(value),) if many else ()
    values = list(value) if many else [value]
    if "int" in attribute.name:
        return "int64", shape, np.array(values, "<i8").tobytes()
    if "float" in attribute.name:
        return "float32", shape, np.array(values, "<f4").tobytes()
    return "string", shape, b"".join(struct.pack("<Q", len(text)) + text for text in values)


Named = tuple[str, str, tuple[int, ...], object]


def weights(model: onnx.ModelProto, folder: str = "") -> Iterator[Named]:
    """Name, type, shape and bytes of every weight, wherever it sits."""
    yield from in_graph(model.graph, "", folder)
    for function in model.functions:
        prefix = f"{function.domain or 'ai.onnx'}:{function.name}:{function.overload}/"
        for index, node in enumerate(function.node):
            yield from in_node(node, index, prefix, folder)


def in_graph(graph: GraphProto, prefix: str, folder: str) -> Iterator[Named]:
    for tensor in graph.initializer:
        yield prefix + tensor.name, dtype_name(tensor.data_type), tuple(tensor.dims), canonical(tensor, folder)
    for item in graph.sparse_initializer:
        yield prefix + item.values.name, dtype_name(item.values.data_type), tuple(item.dims), sparse(item)
    for index, node in enumerate(graph.node):
        yield from in_node(node, index, prefix, folder)


def in_node(node: NodeProto, index: int, prefix: str, folder: str) -> Iterator[Named]:
    label = node.name or f"{node.op_type}#{index}"
    for attribute in node.attribute:
        scope = f"{prefix}{label}.{attribute.name}"
        is_constant = node.op_type == "Constant" and node.domain in ("", "ai.onnx")
        if is_constant and not attribute.ref_attr_name and attribute.name in CONSTANTS | {"value", "sparse_value"}:
            yield prefix + node.output[0], *constant(attribute, folder)
        if attribute.type == AttributeProto.GRAPH:
            yield from in_graph(attribute.g, scope + "/", folder)
        for place, graph in enumerate(attribute.graphs):
            yield from in_graph(graph, f"{scope}[{place}]/", folder)


# --- everything else ------------------------------------------------------------------------------------------------
def dims(shape: onnx.TensorShapeProto) -> tuple[int | str | None, ...]:
    out: list[int | str | None] = []
    for dim in shape.dim:
        case = dim.WhichOneof("value")
        if case == "dim_value":
            out.append(dim.dim_value if dim.dim_value >= 0 else None)
        else:
            out.append(dim.dim_param or None)
    return tuple(out)


def type_of(proto: TypeProto) -> TensorType | OtherType | None:
    case = proto.WhichOneof("value")
    if case is None:
        return None
    if case == "tensor_type":
        tensor = proto.tensor_type
        return TensorType(dtype_name(tensor.elem_type), dims(tensor.shape) if tensor.HasField("shape") else None)
    return OtherType(text_of(proto))


def text_of(proto: TypeProto) -> str:
    case = proto.WhichOneof("value")
    if case is None:
        return "?"
    inner = getattr(proto, case)
    if case in ("tensor_type", "sparse_tensor_type"):
        word = case.removesuffix("_type")
        shape = ""
        if inner.HasField("shape"):
            shape = ",[" + ",".join("?" if dim is None else str(dim) for dim in dims(inner.shape)) + "]"
        return f"{word}({dtype_name(inner.elem_type)}{shape})"
    if case == "map_type":
        return f"map({dtype_name(inner.key_type)},{text_of(inner.value_type)})"
    if case == "opaque_type":
        return f"opaque({inner.domain},{inner.name})"
    return f"{case.removesuffix('_type')}({text_of(inner.elem_type)})"


def value_of(proto: onnx.ValueInfoProto) -> Value:
    return Value(proto.name, type_of(proto.type))


class Comparison:
    """Walks a description and a ModelProto side by side, and fails at the first difference."""

    def __init__(self, model: Model, proto: onnx.ModelProto, data: TensorBytes, folder: str = "") -> None:
        self.model = model
        self.proto = proto
        self.data = data
        self.folder = folder

    def run(self) -> None:
        model, proto = self.model, self.proto
        found = [(t.name, t.dtype, t.shape, held(t, self.data)) for t in model.tensors]
        wanted = list(weights(proto, self.folder))
        assert sorted(found, key=repr) == sorted(wanted, key=repr)
        for tensor in model.tensors:
            assert tensor.nbytes == len(b"".join(parts(held(tensor, self.data)))), tensor.name
        assert model.graph is not None
        self.graph(model.graph, proto.graph)
        constants = {t.name for t in proto.graph.initializer} | {t.values.name for t in proto.graph.sparse_initializer}
        assert model.inputs == tuple(value_of(v) for v in proto.graph.input if v.name not in constants)
        assert model.outputs == model.graph.outputs
        assert model.opset == opset(proto.opset_import)
        assert model.metadata == {entry.key: entry.value for entry in proto.metadata_props}
        for key in ("ir_version", "producer_name", "producer_version", "domain", "model_version", "doc_string"):
            assert model.properties.get(key, type(getattr(proto, key))()) == getattr(proto, key), key
        assert len(model.functions) == len(proto.functions)
        for ours, theirs in zip(model.functions, proto.functions, strict=True):
            assert (ours.domain, ours.name, ours.overload) == (theirs.domain or "ai.onnx", theirs.name, theirs.overload)
            assert (ours.inputs, ours.outputs) == (tuple(theirs.input), tuple(theirs.output))
            assert ours.attributes == tuple(theirs.attribute)
            assert ours.opset == opset(theirs.opset_import)
            self.attributes(ours.defaults, theirs.attribute_proto)
            self.nodes(ours.nodes, theirs.node)

    def graph(self, ours: Graph, theirs: GraphProto) -> None:
        assert ours.name == theirs.name
        assert ours.inputs == tuple(map(value_of, theirs.input))
        assert ours.outputs == tuple(map(value_of, theirs.output))
        assert ours.values == tuple(map(value_of, theirs.value_info))
        names = [t.name for t in theirs.initializer] + [t.values.name for t in theirs.sparse_initializer]
        assert set(ours.initializers) == set(names)
        self.nodes(ours.nodes, theirs.node)

    def nodes(self, ours: tuple[Node, ...], theirs: object) -> None:
        listed: list[NodeProto] = list(theirs)  # type: ignore[call-overload]
        assert len(ours) == len(listed)
        for node, proto in zip(ours, listed, strict=True):
            assert (node.op_type, node.domain, node.name) == (proto.op_type, proto.domain or "ai.onnx", proto.name)
            assert (node.inputs, node.outputs) == (tuple(proto.input), tuple(proto.output))
            assert node.overload == proto.overload
            self.attributes(node.attributes, proto.attribute)

    def attributes(self, ours: tuple[Attribute, ...], theirs: object) -> None:
        listed: list[AttributeProto] = list(theirs)  # type: ignore[call-overload]
        assert [attribute.name for attribute in ours] == [proto.name for proto in listed]
        for attribute, proto in zip(ours, listed, strict=True):
            self.attribute(attribute, proto)

    def attribute(self, ours: Attribute, proto: AttributeProto) -> None:
        if proto.ref_attr_name:
            assert ours == (proto.name, "ref", proto.ref_attr_name.encode())
            return
        assert ours.kind == AttributeProto.AttributeType.Name(proto.type).lower()
        value = onnx.helper.get_attribute_value(proto)
        kind = ours.kind
        if kind.startswith(("tensor", "sparse_tensor", "graph", "type_proto")):
            mine = ours.value if kind.endswith("s") else (ours.value,)
            theirs = value if kind.endswith("s") else [value]
            for one, other in zip(mine, theirs, strict=True):  # type: ignore[arg-type]
                self.placed(one, other)
        elif isinstance(ours.value, Tensor):
            self.located(ours.value, kind, value)
        elif kind == "floats":
            assert np.array(ours.value, "<f4").tobytes() == np.array(list(value), "<f4").tobytes()
        elif kind == "float":
            assert struct.pack("<f", ours.value) == struct.pack("<f", value)
        else:
            assert ours.value == (tuple(value) if kind.endswith("s") else value)

    def placed(self, ours: object, proto: object) -> None:
        if isinstance(proto, GraphProto):
            assert isinstance(ours, Graph)
            self.graph(ours, proto)
        elif isinstance(proto, TypeProto):
            assert ours == OtherType(text_of(proto))
        elif isinstance(proto, TensorProto):
            assert isinstance(ours, Tensor)
            assert (ours.dtype, ours.shape) == (dtype_name(proto.data_type), tuple(proto.dims))
            assert held(ours, self.data) == canonical(proto, self.folder)
        else:
            assert isinstance(proto, SparseTensorProto)
            assert isinstance(ours, Tensor)
            assert held(ours, self.data) == sparse(proto)

    def located(self, ours: Tensor, kind: str, value: object) -> None:
        """A list or string that was too long to be held."""
        if kind == "string":
            assert isinstance(value, bytes)
            assert held(ours, self.data) == struct.pack("<Q", len(value)) + value
            return
        numbers = np.array(list(value), "<i8" if kind == "ints" else "<f4")  # type: ignore[call-overload]
        assert (ours.dtype, ours.shape) == (numbers.dtype.name, numbers.shape)
        assert held(ours, self.data) == numbers.tobytes()


def parts(data: bytes | tuple[bytes, bytes]) -> tuple[bytes, ...]:
    return data if isinstance(data, tuple) else (data,)


def opset(imports: object) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in imports:  # type: ignore[attr-defined]
        domain = item.domain or "ai.onnx"
        found[domain] = max(item.version, found.get(domain, item.version))
    return found


def check_file(path: Path, source: Source | None = None) -> Model:
    """Our description of a file against the library's."""
    from gitops_model.readers.onnx.model import read

    proto = onnx.load(str(path), load_external_data=False)
    with Blob.of_file(path) as blob, TensorBytes(blob, source or NoSource()) as data:
        model = read(blob, source or NoSource())
        Comparison(model, proto, data, str(path.parent)).run()
    return model


def check_bytes(content: bytes) -> Model:
    """The same for a model in memory, as protobuf itself parses it."""
    from gitops_model.readers.onnx.model import read

    proto = onnx.ModelProto.FromString(content)
    blob = Blob.of_bytes("model.onnx", content)
    model = read(blob, NoSource())
    with TensorBytes(blob, NoSource()) as data:
        Comparison(model, proto, data).run()
    return model
