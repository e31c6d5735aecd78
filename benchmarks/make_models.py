"""Models for the benchmarks, written as a stream: making a file of 1 GiB takes a few MiB of memory.

    python benchmarks/make_models.py onnx FOLDER/model.onnx --bytes 1073741824
    python benchmarks/make_models.py onnx-external FOLDER/model.onnx      (and model.onnx.data beside it)
    python benchmarks/make_models.py safetensors FOLDER/model.safetensors
    python benchmarks/make_models.py pt FOLDER/model.pt                   (and gguf FOLDER/model.gguf)
    python benchmarks/make_models.py graph FOLDER/many.onnx --nodes 20000
    python benchmarks/make_models.py trees FOLDER/forest.onnx --nodes 1000000

The same arguments give the same bytes. `--change N` alters one element in each of N tensors, `--rename` the name of the
first node, so that two calls give a pair to diff. Valid for onnx.checker; needs nothing but the standard library.
"""

import argparse
import json
import math
import random
import struct
import zipfile
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

LAYERS = 170
BLOCK = 1 << 20


class Weight(NamedTuple):
    name: str
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        return 4 * math.prod(self.shape)


# --- protobuf -------------------------------------------------------------------------------------------------------
def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def head(field: int, length: int) -> bytes:
    return varint(field << 3 | 2) + varint(length)


def message(field: int, content: bytes | str) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return head(field, len(data)) + data


def node(op: str, inputs: list[str], outputs: list[str], name: str, attributes: bytes = b"") -> bytes:
    words = [*(message(1, word) for word in inputs), *(message(2, word) for word in outputs)]
    return message(1, b"".join(words) + message(3, name) + message(4, op) + attributes)


def integer(name: str, value: int) -> bytes:
    return message(5, message(1, name) + number(3, value) + number(20, 2))


def value_info(field: int, name: str, dims: tuple[int | str, ...]) -> bytes:
    shape = b"".join(message(1, number(1, dim) if isinstance(dim, int) else message(2, dim)) for dim in dims)
    tensor = number(1, 1) + message(2, shape)
    return message(field, message(1, name) + message(2, message(1, tensor)))


def opset(version: int, domain: str = "") -> bytes:
    return message(8, (message(1, domain) if domain else b"") + number(2, version))


# --- content --------------------------------------------------------------------------------------------------------
def block(seed: int = 0) -> bytes:
    """1 MiB of plausible float32 weights."""
    source = random.Random(seed)
    return array("f", (source.gauss(0, 0.05) for _ in range(BLOCK // 4))).tobytes()


def content(weight: Weight, index: int, pattern: bytes, changed: int) -> Iterator[bytes]:
    """The bytes of weight number `index`; no two weights are equal."""
    first = struct.pack("<ff", index, 0.5 if index < changed else 0.0)[: weight.nbytes]
    yield first
    left = weight.nbytes - len(first)
    turn = index * 4096 % BLOCK
    while left > 0:
        part = pattern[turn : turn + left]
        yield part
        left -= len(part)
        turn = 0


def layers(size: int) -> tuple[int, list[Weight]]:
    """A width, and the weights of a stack of dense layers of together about `size` bytes."""
    width = max(1, math.isqrt(size // (4 * LAYERS)))
    weights: list[Weight] = []
    for index in range(LAYERS):
        weights += [
            Weight(f"layers.{index}.weight", (width, width)),
            Weight(f"layers.{index}.bias", (width,)),
        ]
    return width, weights


def dense_nodes(*, renamed: bool) -> bytes:
    parts: list[bytes] = []
    value = "x"
    for index in range(LAYERS):
        name = f"layers.{index}"
        out = "y" if index == LAYERS - 1 else f"{name}.relu"
        first = "renamed" if renamed and not index else f"{name}/MatMul"
        parts += [
            node("MatMul", [value, f"{name}.weight"], [f"{name}.matmul"], first),
            node("Add", [f"{name}.matmul", f"{name}.bias"], [f"{name}.add"], f"{name}/Add"),
            node("Relu", [f"{name}.add"], [out], f"{name}/Relu"),
        ]
        value = out
    return b"".join(parts)


# --- files ----------------------------------------------------------------------------------------------------------
def write_onnx(out: BinaryIO, args: argparse.Namespace, data: BinaryIO | None = None, location: str = "") -> None:
    """A dense stack, its weights inside the file or in `data`."""
    width, weights = layers(args.bytes)
    pattern = block()
    before = dense_nodes(renamed=args.rename) + message(2, "dense")
    after = value_info(11, "x", ("batch", width)) + value_info(12, "y", ("batch", width))
    heads: list[bytes] = []
    offset = 0
    for weight in weights:
        header = b"".join(number(1, dim) for dim in weight.shape) + number(2, 1) + message(8, weight.name)
        if data is None:
            header += head(9, weight.nbytes)
            heads.append(head(5, len(header) + weight.nbytes) + header)
        else:
            entries = {"location": location, "offset": str(offset), "length": str(weight.nbytes)}
            header += b"".join(message(13, message(1, key) + message(2, value)) for key, value in entries.items())
            heads.append(message(5, header + number(14, 1)))
            offset += weight.nbytes
    inside = 0 if data else sum(weight.nbytes for weight in weights)
    length = len(before) + sum(map(len, heads)) + inside + len(after)
    out.write(number(1, 8) + message(2, "make_models") + head(7, length) + before)
    for index, (weight, header) in enumerate(zip(weights, heads, strict=True)):
        out.write(header)
        for part in content(weight, index, pattern, args.change):
            (data or out).write(part)
    out.write(after + opset(17))


def write_external(out: BinaryIO, args: argparse.Namespace) -> None:
    beside = Path(f"{args.out}.data")
    with beside.open("wb") as data:
        write_onnx(out, args, data, beside.name)


def write_safetensors(out: BinaryIO, args: argparse.Namespace) -> None:
    _, weights = layers(args.bytes)
    pattern = block()
    header: dict[str, object] = {}
    offset = 0
    for weight in weights:
        end = offset + weight.nbytes
        header[weight.name] = {"dtype": "F32", "shape": weight.shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    out.write(struct.pack("<Q", len(text)) + text)
    for index, weight in enumerate(weights):
        out.writelines(content(weight, index, pattern, args.change))


def write_torch(out: BinaryIO, args: argparse.Namespace) -> None:
    """What `torch.save` of a state dict writes: data.pkl (protocol 2) and one stored entry per tensor."""
    _, weights = layers(args.bytes)
    pattern = block()
    items: list[bytes] = []

    def text(value: str) -> bytes:
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    def sizes(*values: int) -> bytes:
        return b"(" + b"".join(b"J" + struct.pack("<i", value) for value in values) + b"t"

    for index, weight in enumerate(weights):
        count = math.prod(weight.shape)
        steps = [math.prod(weight.shape[axis + 1 :]) for axis in range(len(weight.shape))]
        kind = b"ctorch\nFloatStorage\n" + text(str(index)) + text("cpu") + b"J" + struct.pack("<i", count)
        storage = b"(" + text("storage") + kind + b"tQ"
        view = b"K\0" + sizes(*weight.shape) + sizes(*steps) + b"\x89ccollections\nOrderedDict\n)R"
        items.append(text(weight.name) + b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + view + b"tR")
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("model/data.pkl"), b"\x80\x02}(" + b"".join(items) + b"u.")
        archive.writestr(zipfile.ZipInfo("model/version"), "3\n")
        for index, weight in enumerate(weights):
            with archive.open(zipfile.ZipInfo(f"model/data/{index}"), "w", force_zip64=True) as entry:
                for part in content(weight, index, pattern, args.change):
                    entry.write(part)


def write_gguf(out: BinaryIO, args: argparse.Namespace) -> None:
    """Version 3, one metadata key, float32 tensors aligned to 32 bytes."""
    _, weights = layers(args.bytes)
    pattern = block()

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    header = b"GGUF" + struct.pack("<IQQ", 3, len(weights), 1)
    header += text("general.architecture") + struct.pack("<I", 8) + text("dense")
    offset = 0
    for weight in weights:
        dims = struct.pack(f"<I{len(weight.shape)}Q", len(weight.shape), *reversed(weight.shape))
        header += text(weight.name) + dims + struct.pack("<IQ", 0, offset)
        offset += (weight.nbytes + 31) // 32 * 32
    out.write(header + bytes(-len(header) % 32))
    for index, weight in enumerate(weights):
        out.writelines(content(weight, index, pattern, args.change))
        out.write(bytes(-weight.nbytes % 32))


def write_graph(out: BinaryIO, args: argparse.Namespace) -> None:
    """Many small nodes: half of them take a small initializer, a third has attributes."""
    parts: list[bytes] = []
    value = "x"
    count = args.nodes
    for index in range(count):
        result = "y" if index == count - 1 else f"/block.{index // 8}/value_{index}"
        name = "renamed" if args.rename and not index else f"/block.{index // 8}/node_{index}"
        if index % 2:
            parts.append(node("Add", [value, f"bias_{index}"], [result], name))
        elif index % 3:
            parts.append(node("Relu", [value], [result], name))
        else:
            parts.append(node("Softmax", [value], [result], name, integer("axis", 1)))
        value = result
    for index in range(1, count, 2):
        bias = struct.pack("<ff", index, 0.5 if index < 2 * args.change else 0.0) + bytes(24)
        parts.append(message(5, number(1, 8) + number(2, 1) + message(8, f"bias_{index}") + message(9, bias)))
    graph = b"".join(parts) + message(2, "many") + value_info(11, "x", (1, 8)) + value_info(12, "y", (1, 8))
    out.write(number(1, 8) + message(2, "make_models") + message(7, graph) + opset(17))


def write_trees(out: BinaryIO, args: argparse.Namespace) -> None:
    """One TreeEnsembleRegressor: its weights are attributes, lists of one number per tree node."""
    count = max(3, args.nodes | 1)
    inner = count // 2
    ids = range(count)
    children = [(2 * i + 1, 2 * i + 2) if i < inner else (0, 0) for i in ids]
    leaves = range(inner, count)
    lists: dict[str, bytes] = {
        "nodes_treeids": number(8, 0) * count,
        "nodes_nodeids": b"".join(number(8, i) for i in ids),
        "nodes_featureids": b"".join(number(8, i % 64) for i in ids),
        "nodes_truenodeids": b"".join(number(8, yes) for yes, _ in children),
        "nodes_falsenodeids": b"".join(number(8, no) for _, no in children),
        "nodes_values": b"".join(b"\x3d" + struct.pack("<f", i / count) for i in ids),
        "nodes_modes": b"".join(message(9, "BRANCH_LEQ" if i < inner else "LEAF") for i in ids),
        "target_ids": number(8, 0) * len(leaves),
        "target_nodeids": b"".join(number(8, i) for i in leaves),
        "target_treeids": number(8, 0) * len(leaves),
        "target_weights": b"".join(b"\x3d" + struct.pack("<f", i * 0.5) for i in leaves),
    }
    kinds = {"nodes_values": 6, "target_weights": 6, "nodes_modes": 8}
    attributes = integer("n_targets", 1) + b"".join(
        message(5, message(1, name) + data + number(20, kinds.get(name, 7))) for name, data in lists.items()
    )
    domain = message(7, "ai.onnx.ml")
    trees = node("TreeEnsembleRegressor", ["x"], ["y"], "trees", attributes + domain)
    graph = trees + message(2, "forest") + value_info(11, "x", ("N", 64)) + value_info(12, "y", ("N", 1))
    out.write(number(1, 8) + message(7, graph) + opset(17) + opset(3, "ai.onnx.ml"))


KINDS = {
    "onnx": write_onnx,
    "onnx-external": write_external,
    "safetensors": write_safetensors,
    "pt": write_torch,
    "gguf": write_gguf,
    "graph": write_graph,
    "trees": write_trees,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a model for the benchmarks.")
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("out", type=Path)
    parser.add_argument("--bytes", type=int, default=1 << 30, help="size of all weights together")
    parser.add_argument("--nodes", type=int, default=20_000, help="nodes of `graph` or `trees`")
    parser.add_argument("--change", type=int, default=0, help="alter one element of the first N tensors")
    parser.add_argument("--rename", action="store_true", help="rename the first node")
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.open("wb") as out:
        KINDS[args.kind](out, args)


if __name__ == "__main__":
    main()
