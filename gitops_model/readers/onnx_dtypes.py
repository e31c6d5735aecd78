"""TensorProto.DataType: names as NumPy and ml_dtypes have them, widths, and which field holds typed data.

Source: onnx.proto of onnx 1.23 (IR version 14).
"""

from typing import NamedTuple

from gitops_model.readers.protobuf import malformed


class Dtype(NamedTuple):
    """`bits` of one element as stored raw; `field` of TensorProto that holds typed data of this type."""

    name: str
    bits: int
    field: str


FLOAT_DATA, INT32_DATA, STRING_DATA, INT64_DATA, DOUBLE_DATA, UINT64_DATA = (
    "float_data",
    "int32_data",
    "string_data",
    "int64_data",
    "double_data",
    "uint64_data",
)

DTYPES: dict[int, Dtype] = {
    1: Dtype("float32", 32, FLOAT_DATA),
    2: Dtype("uint8", 8, INT32_DATA),
    3: Dtype("int8", 8, INT32_DATA),
    4: Dtype("uint16", 16, INT32_DATA),
    5: Dtype("int16", 16, INT32_DATA),
    6: Dtype("int32", 32, INT32_DATA),
    7: Dtype("int64", 64, INT64_DATA),
    8: Dtype("string", 0, STRING_DATA),
    9: Dtype("bool", 8, INT32_DATA),
    10: Dtype("float16", 16, INT32_DATA),
    11: Dtype("float64", 64, DOUBLE_DATA),
    12: Dtype("uint32", 32, UINT64_DATA),
    13: Dtype("uint64", 64, UINT64_DATA),
    14: Dtype("complex64", 64, FLOAT_DATA),
    15: Dtype("complex128", 128, DOUBLE_DATA),
    16: Dtype("bfloat16", 16, INT32_DATA),
    17: Dtype("float8_e4m3fn", 8, INT32_DATA),
    18: Dtype("float8_e4m3fnuz", 8, INT32_DATA),
    19: Dtype("float8_e5m2", 8, INT32_DATA),
    20: Dtype("float8_e5m2fnuz", 8, INT32_DATA),
    21: Dtype("uint4", 4, INT32_DATA),
    22: Dtype("int4", 4, INT32_DATA),
    23: Dtype("float4_e2m1fn", 4, INT32_DATA),
    24: Dtype("float8_e8m0fnu", 8, INT32_DATA),
    25: Dtype("uint2", 2, INT32_DATA),
    26: Dtype("int2", 2, INT32_DATA),
    27: Dtype("float6_e2m3fn", 6, INT32_DATA),
    28: Dtype("float6_e3m2fn", 6, INT32_DATA),
}


def dtype_of(code: int, where: int) -> str:
    """The name of an element type in a TypeProto; 0 is `undefined`, which exporters write for values they skipped."""
    if code == 0:
        return "undefined"
    found = DTYPES.get(code)
    if found is None:
        raise malformed("type", where, f"element type {code}")
    return found.name
