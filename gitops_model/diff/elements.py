"""Tensors as numbers, block by block: what the bytes of each element type mean.

float8 layouts: ml_dtypes and the OCP 8-bit floating point specification; sub-byte integers are packed with the first
element in the lowest bits, as everywhere in this package.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import ELEMENT_BITS, Locator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gitops_model.readers.bytes import TensorBytes

    Array = NDArray[Any]

PLAIN = {
    "bool": "u1", "int8": "i1", "uint8": "u1", "int16": "<i2", "uint16": "<u2", "int32": "<i4", "uint32": "<u4",
    "int64": "<i8", "uint64": "<u8", "float16": "<f2", "float32": "<f4", "float64": "<f8",
}  # fmt: skip
"""Types that NumPy knows itself."""

FLOAT8 = {
    "float8_e4m3fn": (4, 3, 7, "fn"), "float8_e5m2": (5, 2, 15, "ieee"), "float8_e4m3": (4, 3, 7, "ieee"),
    "float8_e4m3fnuz": (4, 3, 8, "fnuz"), "float8_e5m2fnuz": (5, 2, 16, "fnuz"),
    "float8_e4m3b11fnuz": (4, 3, 11, "fnuz"), "float8_e3m4": (3, 4, 3, "ieee"),
}  # fmt: skip
"""Bits of exponent and mantissa, bias, and which codes are special: as IEEE, only NaN (fn), or -0 alone (fnuz)."""

EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
"""Machine epsilon of the types that weights are trained in."""

BLOCK = 1 << 18
"""Elements of a block: 2 MiB as float64."""

CHUNK = 1 << 20


def is_numeric(dtype: str) -> bool:
    return dtype in PLAIN or dtype in FLOAT8 or dtype in {"bfloat16", "int4", "uint4"}


def is_float(dtype: str) -> bool:
    return dtype.startswith(("float", "bfloat"))


def blocks(data: "TensorBytes", locator: Locator, dtype: str, elements: int, block: int) -> "Iterator[Array]":
    """The first `elements` elements as stored, in arrays of `block` (the last one shorter): unsigned integers.

    Sub-byte types need an even `block`. Raises BadFile where the bytes cannot be had or are too few.
    """
    import numpy as np

    bits = ELEMENT_BITS[dtype]
    waiting = bytearray()
    chunks = data.chunks(locator, CHUNK)
    left = elements
    while left:
        count = min(block, left)
        size = (count * bits + 7) // 8
        while len(waiting) < size:
            chunk = next(chunks, None)
            if chunk is None:
                raise BadFile(Problem("GM002", "a tensor has fewer bytes than its shape needs"))
            waiting += chunk
        raw = bytes(memoryview(waiting)[:size])
        del waiting[:size]
        if bits == 4:
            pairs = np.frombuffer(raw, np.uint8)
            yield np.stack((pairs & 15, pairs >> 4), axis=1).reshape(-1)[:count]
        else:
            yield np.frombuffer(raw, f"<u{bits // 8}")
        left -= count


def numbers(stored: "Array", dtype: str) -> "Array":
    """Stored bits as float64 (integers beyond 2^53 are rounded)."""
    import numpy as np

    if dtype == "bfloat16":
        return (stored.astype(np.uint32) << np.uint32(16)).view(np.float32).astype(np.float64)
    if dtype in FLOAT8:
        return np.asarray(float8(dtype))[stored]
    if dtype == "int4":
        return ((stored.astype(np.int8) ^ 8) - 8).astype(np.float64)
    if dtype == "uint4":
        return stored.astype(np.float64)
    with np.errstate(invalid="ignore"):  # a signalling NaN
        return stored.view(PLAIN[dtype]).astype(np.float64)


def rounded(values: "Array", dtype: str) -> "Array | None":
    """float64 values rounded to the nearest of `dtype` (ties to even), as float64 again; None where we know no way."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        if dtype == "bfloat16":
            bits = values.astype(np.float32).view(np.uint32).astype(np.uint64)
            up = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
            return np.where(np.isnan(values), np.nan, up.astype(np.uint32).view(np.float32).astype(np.float64))
        if dtype in {"float16", "float32", "float64"}:
            return values.astype(PLAIN[dtype]).astype(np.float64)
    return None


@cache
def float8(dtype: str) -> tuple[float, ...]:
    """The value of each of the 256 codes."""
    exponent_bits, mantissa_bits, bias, special = FLOAT8[dtype]
    top = (1 << exponent_bits) - 1
    found: list[float] = []
    for code in range(256):
        sign = -1.0 if code & 128 else 1.0
        exponent, mantissa = (code & 127) >> mantissa_bits, code & ((1 << mantissa_bits) - 1)
        if (special == "fnuz" and code == 128) or (special == "fn" and code & 127 == 127):
            value = float("nan")
        elif special == "ieee" and exponent == top:
            value = float("nan") if mantissa else sign * float("inf")
        elif exponent:
            value = sign * (1 + mantissa / (1 << mantissa_bits)) * 2.0 ** (exponent - bias)
        else:
            value = sign * mantissa / (1 << mantissa_bits) * 2.0 ** (1 - bias)
        found.append(value)
    return tuple(found)
