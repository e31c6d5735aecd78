"""Recomputes weights digests with the formats' own libraries: `python recompute_weights.py FILE…`, or paths on stdin.

Written from docs/format.md alone and sharing no line with gitops-model, which it does not import. It needs `onnx`,
`safetensors`, `numpy` and `blake3`. One line per file: the digest, a space, the path.
"""

import math
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import safetensors
from blake3 import blake3
from onnx import numpy_helper

SAFETENSORS = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32",
    "U64": "uint64", "I64": "int64", "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64",
    "C64": "complex64", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz", "F4": "float4_e2m1fn",
    "F6_E2M3": "float6_e2m3fn", "F6_E3M2": "float6_e3m2fn",
}  # fmt: skip
ONNX = {
    "FLOAT": "float32", "DOUBLE": "float64", "FLOAT8E4M3FN": "float8_e4m3fn", "FLOAT8E4M3FNUZ": "float8_e4m3fnuz",
    "FLOAT8E5M2": "float8_e5m2", "FLOAT8E5M2FNUZ": "float8_e5m2fnuz", "FLOAT8E8M0": "float8_e8m0fnu",
    "FLOAT4E2M1": "float4_e2m1fn", "FLOAT6E2M3": "float6_e2m3fn", "FLOAT6E3M2": "float6_e3m2fn",
}  # fmt: skip
BITS = {"int2": 2, "uint2": 2, "int4": 4, "uint4": 4, "float4_e2m1fn": 4, "float6_e2m3fn": 6, "float6_e3m2fn": 6}

Row = tuple[bytes, bytes]
"""Name and digest."""


def hashed(recipe: str, dtype: str, shape: list[int], *content: bytes) -> bytes:
    hasher = blake3()
    hasher.update(b"\0".join((b"gitops-model/" + recipe.encode() + b"/1", dtype.encode())))
    hasher.update(b"\0" + ",".join(str(dim) for dim in shape).encode() + b"\0")
    for part in content:
        hasher.update(part)
    return hasher.digest()


def total(rows: list[Row]) -> str:
    hasher = blake3(b"gitops-model/weights/1\0")
    for name, digest in sorted(rows):
        hasher.update(struct.pack("<I", len(name)))
        hasher.update(name)
        hasher.update(digest)
    return "gm1-weights:" + hasher.hexdigest()


# --- safetensors ----------------------------------------------------------------------------------------------------
def from_safetensors(path: Path) -> Iterator[Row]:
    for name, tensor in safetensors.deserialize(path.read_bytes()):
        digest = hashed("tensor", SAFETENSORS[tensor["dtype"]], tensor["shape"], bytes(tensor["data"]))
        yield name.encode(), digest


# --- ONNX -----------------------------------------------------------------------------------------------------------
def dtype_of(code: int) -> str:
    name = onnx.TensorProto.DataType.Name(code)
    return ONNX.get(name, name.lower())


def elements(tensor: onnx.TensorProto) -> bytes:
    dtype = dtype_of(tensor.data_type)
    if dtype == "string":
        return b"".join(struct.pack("<Q", len(text)) + text for text in tensor.string_data)
    array = numpy_helper.to_array(tensor)
    if dtype not in BITS:
        return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    width = BITS[dtype]
    codes = np.frombuffer(array.tobytes(), np.uint8)
    bits = (codes[:, None] >> np.arange(width, dtype=np.uint8)) & 1
    return np.packbits(bits.ravel(), bitorder="little").tobytes()


def dense(name: str, tensor: onnx.TensorProto) -> Row:
    return name.encode(), hashed("tensor", dtype_of(tensor.data_type), list(tensor.dims), elements(tensor))


def sparse(name: str, tensor: onnx.SparseTensorProto) -> Row:
    listed = numpy_helper.to_array(tensor.indices) if tensor.HasField("indices") else np.zeros(0)
    index = listed.astype(np.int64)
    if index.ndim > 1:
        places = [math.prod(tensor.dims[axis + 1 :]) for axis in range(len(tensor.dims))]
        index = index @ np.array(places, np.int64)
    order = np.argsort(index, kind="stable")
    values = numpy_helper.to_array(tensor.values)[order]
    dtype = dtype_of(tensor.values.data_type)
    return name.encode(), hashed(
        "sparse", dtype, list(tensor.dims), index[order].astype("<i8").tobytes(), values.tobytes()
    )


def constant(name: str, attribute: onnx.AttributeProto) -> Row | None:
    key = name.encode()
    if attribute.ref_attr_name:
        return None
    match attribute.name:
        case "value":
            return dense(name, attribute.t)
        case "sparse_value":
            return sparse(name, attribute.sparse_tensor)
        case "value_int":
            return key, hashed("tensor", "int64", [], struct.pack("<q", attribute.i))
        case "value_float":
            return key, hashed("tensor", "float32", [], struct.pack("<f", attribute.f))
        case "value_string":
            return key, hashed("tensor", "string", [], struct.pack("<Q", len(attribute.s)), attribute.s)
        case "value_ints":
            return key, hashed("tensor", "int64", [len(attribute.ints)], np.array(attribute.ints, "<i8").tobytes())
        case "value_floats":
            return key, hashed(
                "tensor", "float32", [len(attribute.floats)], np.array(attribute.floats, "<f4").tobytes()
            )
        case "value_strings":
            texts = [struct.pack("<Q", len(text)) + text for text in attribute.strings]
            return key, hashed("tensor", "string", [len(texts)], *texts)
    return None


def in_nodes(nodes: "list[onnx.NodeProto]", prefix: str) -> Iterator[Row]:
    for position, node in enumerate(nodes):
        place = prefix + (node.name or f"{node.op_type}#{position}")
        for attribute in node.attribute:
            if node.op_type == "Constant" and node.domain in ("", "ai.onnx"):
                row = constant(prefix + node.output[0], attribute)
                if row is not None:
                    yield row
            if attribute.HasField("g"):
                yield from in_graph(attribute.g, f"{place}.{attribute.name}/")
            for number, graph in enumerate(attribute.graphs):
                yield from in_graph(graph, f"{place}.{attribute.name}[{number}]/")


def in_graph(graph: onnx.GraphProto, prefix: str) -> Iterator[Row]:
    for tensor in graph.initializer:
        yield dense(prefix + tensor.name, tensor)
    for item in graph.sparse_initializer:
        yield sparse(prefix + item.values.name, item)
    yield from in_nodes(list(graph.node), prefix)


def from_onnx(path: Path) -> Iterator[Row]:
    model = onnx.load(str(path))
    yield from in_graph(model.graph, "")
    for function in model.functions:
        prefix = f"{function.domain or 'ai.onnx'}:{function.name}:{function.overload}/"
        yield from in_nodes(list(function.node), prefix)


def weights(path: Path) -> str:
    return total(list(from_safetensors(path) if path.suffix == ".safetensors" else from_onnx(path)))


if __name__ == "__main__":
    for argument in sys.argv[1:] or sys.stdin.read().splitlines():
        sys.stdout.write(f"{weights(Path(argument))} {argument}\n")
