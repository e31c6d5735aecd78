"""TensorProto.DataType: names as NumPy and ml_dtypes have them, widths, and which field holds typed data.

Source: onnx.proto of onnx 1.23 (IR version 14).
"""

from typing import NamedTuple

from gitops_model.ir import ELEMENT_BITS
from gitops_model.readers.protobuf import malformed


class Dtype(NamedTuple):
    """`bits` of one element (0: a string has none); `field` of TensorProto that holds typed data of this type."""

    name: str
    bits: int
    field: str


def _row(name: str, field: str) -> Dtype:
    return Dtype(name, ELEMENT_BITS.get(name, 0), field)


FLOAT_DATA, INT32_DATA, STRING_DATA, INT64_DATA, DOUBLE_DATA, UINT64_DATA = (
    "float_data",
    "int32_data",
    "string_data",
    "int64_data",
    "double_data",
    "uint64_data",
)

DTYPES: dict[int, Dtype] = {
    1: _row("float32", FLOAT_DATA),
    2: _row("uint8", INT32_DATA),
    3: _row("int8", INT32_DATA),
    4: _row("uint16", INT32_DATA),
    5: _row("int16", INT32_DATA),
    6: _row("int32", INT32_DATA),
    7: _row("int64", INT64_DATA),
    8: _row("string", STRING_DATA),
    9: _row("bool", INT32_DATA),
    10: _row("float16", INT32_DATA),
    11: _row("float64", DOUBLE_DATA),
    12: _row("uint32", UINT64_DATA),
    13: _row("uint64", UINT64_DATA),
    14: _row("complex64", FLOAT_DATA),
    15: _row("complex128", DOUBLE_DATA),
    16: _row("bfloat16", INT32_DATA),
    17: _row("float8_e4m3fn", INT32_DATA),
    18: _row("float8_e4m3fnuz", INT32_DATA),
    19: _row("float8_e5m2", INT32_DATA),
    20: _row("float8_e5m2fnuz", INT32_DATA),
    21: _row("uint4", INT32_DATA),
    22: _row("int4", INT32_DATA),
    23: _row("float4_e2m1fn", INT32_DATA),
    24: _row("float8_e8m0fnu", INT32_DATA),
    25: _row("uint2", INT32_DATA),
    26: _row("int2", INT32_DATA),
    27: _row("float6_e2m3fn", INT32_DATA),
    28: _row("float6_e3m2fn", INT32_DATA),
}


def dtype_of(code: int, where: int) -> str:
    """The name of an element type in a TypeProto; 0 is `undefined`, which exporters write for values they skipped."""
    if code == 0:
        return "undefined"
    found = DTYPES.get(code)
    if found is None:
        raise malformed("type", where, f"element type {code}")
    return found.name
