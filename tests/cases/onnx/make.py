"""Writes the ONNX cases beside this file: `PYTHONPATH=tests python tests/cases/onnx/make.py`.

bad/CODE-why.onnx must give exactly one finding with that code, good/*.onnx none. No serialiser would write most of
them.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from support.wire import fixed32, message, number, tag, varint

HERE = Path(__file__).parent

IR = number(1, 10)
OPSET = message(8, number(2, 21))

FLOAT, UINT8, INT32, INT64, STRING, FLOAT16, UINT4, INT4, UINT2, FLOAT6 = 1, 2, 6, 7, 8, 10, 21, 22, 25, 27
EXTERNAL = number(14, 1)


def model(*graph: bytes) -> bytes:
    return IR + message(7, *graph, message(2, "g")) + OPSET


def tensor(*fields: bytes, name: str | bytes = "w", dtype: int = FLOAT, dims: tuple[int, ...] = (2,)) -> bytes:
    return b"".join((*(number(1, dim) for dim in dims), number(2, dtype), message(8, name), *fields))


def weight(*fields: bytes, **more: object) -> bytes:
    """A model with one initializer."""
    return model(message(5, tensor(*fields, **more)))  # type: ignore[arg-type]


def node(op: str, *fields: bytes, out: str = "y") -> bytes:
    return message(1, message(1, "x"), message(2, out), message(4, op), *fields)


def attribute(name: str, kind: int, *fields: bytes) -> bytes:
    return message(5, message(1, name), *fields, number(20, kind))


def outside(location: str | None, **more: str) -> bytes:
    """A model whose weight lies in another file."""
    entries = more if location is None else {"location": location, **more}
    return weight(*(message(13, message(1, key), message(2, value)) for key, value in entries.items()), EXTERNAL)


def levels(count: int) -> bytes:
    graph = message(2, "leaf")
    for _ in range(count):
        graph = node("If", attribute("then_branch", 5, message(6, graph)))
    return model(graph)


def sequences(count: int) -> bytes:
    """An input whose type is nested `count` deep."""
    kind = message(1, number(1, FLOAT))
    for _ in range(count):
        kind = message(4, message(1, kind))
    return model(message(11, message(1, "x"), message(2, kind)))


def sparse(values: bytes, indices: bytes = b"", dims: tuple[int, ...] = (4,)) -> bytes:
    return model(message(15, values, indices, *(number(3, dim) for dim in dims)))


VALUES = message(1, tensor(message(9, bytes(8))))
EIGHT = message(9, bytes(8))


def bad() -> Iterator[tuple[str, bytes]]:
    # --- too short
    yield "GM001-empty", b""
    yield "GM001-one-byte", b"\x08"
    yield "GM001-only-a-version", IR
    yield "GM001-no-graph", IR + OPSET
    yield "GM001-no-opset", IR + message(7, message(2, "g"))
    yield "GM001-graph-of-2-to-the-62", IR + tag(7, 2) + varint(1 << 62)
    yield "GM001-graph-cut", model(node("Relu"))[:20]
    yield "GM001-varint-cut", IR + OPSET + message(7, message(2, "g")) + b"\x28\x80"
    # --- no such message
    yield "GM002-group", IR + OPSET + message(7, message(2, "g")) + b"\x63\x64"
    yield "GM002-wire-type-7", model(b"\x0f\x00")
    yield "GM002-field-number-0", model(b"\x02\x00")
    yield "GM002-field-number-too-large", model(varint(1 << 35) + b"\x00")
    yield "GM002-varint-of-11-bytes", model(b"\x08" + b"\x80" * 10 + b"\x01")
    yield "GM002-node-longer-than-its-graph", model(tag(1, 2) + varint(500))
    yield "GM002-node-of-2-to-the-62", model(tag(1, 2) + varint(1 << 62) + b"x")
    yield "GM002-tensor-of-2-to-the-62", model(message(5, tag(9, 2) + varint(1 << 62)))
    yield "GM002-varint-leaves-its-message", model(message(1, b"\x18\x80"), message(2, "g"))
    yield "GM002-fixed32-leaves-its-message", model(message(1, message(5, b"\x15\x00\x00")))
    # --- messages that say nonsense
    yield "GM002-dimension-negative", weight(EIGHT, dims=(-1,))
    yield "GM002-dimensions-overflow", weight(EIGHT, dims=(1 << 40, 1 << 40))
    yield "GM002-element-type-99", weight(EIGHT, dtype=99)
    yield "GM002-element-type-undefined", weight(EIGHT, dtype=0)
    yield "GM002-segment", weight(EIGHT, message(3, number(1, 0), number(2, 2)))
    yield "GM002-packed-ends-inside-a-number", weight(message(7, b"\x01\x80"), dtype=INT64)
    yield "GM002-packed-floats-of-7-bytes", weight(message(4, bytes(7)))
    yield "GM002-attribute-type-99", model(node("A", attribute("a", 99)))
    yield "GM002-attribute-without-a-type", model(node("A", message(5, message(1, "a"))))
    yield "GM002-attribute-without-its-tensor", model(node("A", attribute("a", 4)))
    yield "GM002-attribute-without-its-graph", model(node("A", attribute("a", 5, number(3, 1))))
    yield "GM002-attribute-floats-of-7-bytes", model(node("A", attribute("a", 6, message(7, bytes(7)))))
    yield "GM002-name-not-utf8", weight(EIGHT, name=b"\xff\xfe")
    yield (
        "GM002-input-of-element-type-99",
        model(message(11, message(1, "x"), message(2, message(1, number(1, 99))))),
    )
    yield "GM002-sparse-without-values", sparse(b"")
    yield "GM002-sparse-with-values-of-rank-0", sparse(message(1, tensor(message(9, bytes(4)), dims=())))
    yield "GM002-offset-negative", outside("w.bin", offset="-4")
    yield "GM002-offset-no-number", outside("w.bin", offset="1_0")
    yield "GM002-length-too-large", outside("w.bin", length="9" * 30)
    # --- too much
    yield "GM005-65-subgraphs", levels(65)
    yield "GM005-65-types", sequences(65)
    yield "GM005-2000-dimensions", weight(EIGHT, dims=(1,) * 2000)
    # --- names
    yield "GM006-two-initializers", model(message(5, tensor(EIGHT)), message(5, tensor(EIGHT)))
    yield (
        "GM006-initializer-and-constant",
        model(message(5, tensor(EIGHT)), node("Constant", attribute("value_int", 2, number(3, 1)), out="w")),
    )
    # --- data that contradicts itself
    yield "GM007-raw-and-typed", weight(EIGHT, message(4, bytes(8)))
    yield "GM007-empty-raw-and-typed", weight(message(9), message(4, bytes(8)))
    yield "GM007-two-typed-fields", weight(message(4, bytes(8)), message(10, bytes(16)))
    yield "GM007-typed-in-the-wrong-field", weight(message(10, bytes(16)))
    yield "GM007-raw-too-short", weight(message(9, bytes(7)))
    yield "GM007-raw-too-long", weight(message(9, bytes(9)))
    yield "GM007-raw-of-2-to-the-40-claimed", weight(EIGHT, dims=(1 << 20, 1 << 20))
    yield "GM007-no-data", weight()
    yield "GM007-typed-too-few", weight(message(4, bytes(4)))
    yield "GM007-varints-too-few", weight(message(7, b"\x01"), dtype=INT64)
    yield "GM007-varints-too-many", weight(message(7, b"\x01\x01\x01"), dtype=INT64)
    yield "GM007-unpacked-too-few", weight(number(7, 1), dtype=INT64)
    yield "GM007-value-too-large", weight(number(5, 256), number(5, 1), dtype=UINT8)
    yield "GM007-int4-as-one-per-number", weight(message(5, b"\x01\x02\x03"), dtype=INT4, dims=(3,))
    yield "GM007-six-bits-too-few", weight(message(5, b"\x01"), dtype=FLOAT6)
    yield "GM007-strings-raw", weight(EIGHT, dtype=STRING)
    yield "GM007-strings-too-few", weight(message(6, "a"), dtype=STRING)
    yield "GM007-strings-for-numbers", weight(message(6, "a"), message(6, "b"))
    yield "GM007-external-and-raw", weight(EIGHT, message(13, message(1, "location"), message(2, "w")), EXTERNAL)
    yield "GM007-external-length", outside("w.bin", length="9")
    yield "GM007-sparse-without-indices", sparse(VALUES)
    yield (
        "GM007-sparse-with-3-indices-for-2-values",
        sparse(VALUES, message(2, tensor(message(9, bytes(24)), dtype=INT64, dims=(3,)))),
    )
    yield (
        "GM007-sparse-with-indices-of-int32",
        sparse(VALUES, message(2, tensor(EIGHT, dtype=INT32))),
    )
    yield (
        "GM007-sparse-with-more-values-than-elements",
        sparse(VALUES, message(2, tensor(message(9, bytes(16)), dtype=INT64)), dims=(1,)),
    )
    # --- other files
    yield "GM010-not-there", outside("w.bin")
    yield "GM011-raw-int4", weight(message(9, b"\x21\x93"), dtype=INT4, dims=(3,))
    yield "GM011-typed-uint4", weight(message(5, varint(0x21) + varint(0x93)), dtype=UINT4, dims=(3,))
    yield "GM011-unpacked-uint2", weight(number(5, 0x40), dtype=UINT2, dims=(3,))
    yield "GM011-raw-float6", weight(message(9, b"\x00\x10"), dtype=FLOAT6, dims=(2,))
    yield "GM601-absolute", outside("/etc/passwd")
    yield "GM601-up", outside("../w.bin")
    yield "GM601-up-from-within", outside("a/../../w.bin")
    yield "GM601-backslash", outside("..\\w.bin")
    yield "GM601-drive", outside("C:w.bin")
    yield "GM601-nul", outside("w.bin\0.txt")
    yield "GM601-empty", outside("")
    yield "GM601-dot", outside("./")
    yield "GM601-no-location", outside(None, offset="0")


def good() -> Iterator[tuple[str, bytes]]:
    yield "64-subgraphs", levels(64)
    yield "64-types", sequences(64)
    yield "empty-graph", IR + message(7) + OPSET
    yield "graph-in-two-pieces", IR + message(7, node("Relu")) + OPSET + message(7, message(5, tensor(EIGHT)))
    yield (
        "everything-backwards",
        OPSET + message(7, message(2, "g"), message(5, EIGHT, message(8, "w"), number(2, 1)[:2], number(1, 2))) + IR,
    )
    yield "version-stated-twice", number(1, 99) + model(node("Relu")) + IR
    yield (
        "unknown-fields",
        tag(1000, 5) + b"abcd" + model(tag(999, 1) + bytes(8), message(998, "?"), node("Relu")) + number(997, 1),
    )
    yield "graph-as-number-is-unknown", number(7, 1) + model(node("Relu"))
    yield "numbers-with-padding", weight(tag(9, 2) + varint(8, padding=4) + bytes(8))
    yield "nodes-out-of-order", model(node("Relu", out="b"), node("Relu", out="a"))
    yield "zero-elements", weight(dims=(0, 1 << 62, 1 << 62))
    yield "zero-elements-raw", weight(message(9), dims=(0,))
    yield "scalar", weight(message(9, bytes(4)), dims=())
    yield "empty-typed-beside-raw", weight(EIGHT, message(4))
    yield (
        "packed-in-three-pieces",
        weight(*(message(7, varint(value)) for value in (1, 300, -1)), dtype=INT64, dims=(3,)),
    )
    yield "single-and-packed", weight(number(7, 5), message(7, b"\x01\x02"), number(7, -1), dtype=INT64, dims=(4,))
    yield "floats-single-and-packed", weight(fixed32(4, 1.5), message(4, struct.pack("<f", 2)), dims=(2,))
    yield "int8-negative", weight(number(5, -1), number(5, 127), dtype=3)
    yield "float16-as-numbers", weight(message(5, varint(0xFFFF) + varint(0)), dtype=FLOAT16)
    yield "external-entries-without-external", weight(EIGHT, message(13, message(1, "location"), message(2, "../x")))
    yield (
        "one-name-in-two-branches",
        model(
            node(
                "If",
                attribute("then_branch", 5, message(6, message(5, tensor(EIGHT)))),
                attribute("else_branch", 5, message(6, message(5, tensor(EIGHT)))),
            )
        ),
    )
    yield "sparse-without-values-or-indices", sparse(message(1, tensor(dims=(0,))))
    yield "ir-version-1-without-opset", number(1, 1) + message(7, message(2, "g"))


def cases() -> dict[str, bytes]:
    """Path below this folder → content."""
    found = {f"bad/{name}.onnx": content for name, content in bad()}
    return found | {f"good/{name}.onnx": content for name, content in good()}


if __name__ == "__main__":
    for path in HERE.glob("*/*.onnx"):
        path.unlink()
    for name, content in cases().items():
        (HERE / name).write_bytes(content)
