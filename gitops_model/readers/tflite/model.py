"""TFLite models: tensors, operators, signature and quantisation, from the FlatBuffer of schema version 3.

Tensors with a buffer are weights, by name (`#index` without one; `subgraph#i/` in front for further subgraphs); the
parameters of quantisation are shown as metadata, one key per tensor.
"""

from collections.abc import Callable
from itertools import pairwise
from math import prod
from typing import TypeAlias

from gitops_model.blob import Blob, Source
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import (
    Attribute,
    Dim,
    Graph,
    Model,
    Node,
    OtherType,
    Span,
    Strings,
    Tensor,
    TensorType,
    Value,
)
from gitops_model.readers.tflite.flatbuffer import Buffer, Table
from gitops_model.readers.tflite.types import (
    CUSTOM,
    OPERATORS,
    SUBGRAPH_FIELDS,
    TENSOR_TYPES,
    TEXT_FIELDS,
    VECTOR_FIELDS,
)

TITLE = "a TFLite model"

MAGIC = b"TFL3"
DOMAIN = "tflite"
LIMIT_DEPTH = 64

Pick: TypeAlias = Callable[[tuple[int, ...]], tuple[int, ...]]


def sniff(head: bytes) -> bool:
    return head[4:8] == MAGIC


def read(blob: Blob, _source: Source) -> Model:
    """Describe a model. Raises BadFile: GM001 cut short, GM002, GM004, GM005."""
    head = blob.head(8)
    if len(head) < 8:
        raise BadFile(blob.truncated(0, 8))
    if not sniff(head):
        raise BadFile(Problem("GM004", "this is no TFLite model", expected="TFL3 at byte 4", found=repr(head[4:8])))
    return Reading(blob).model()


class Reading:
    """The state of reading one model."""

    def __init__(self, blob: Blob) -> None:
        self.blob = blob
        self.root = Buffer(blob).root()
        self.problems: list[Problem] = []
        self.metadata: dict[str, str] = {}
        self.buffers = [self.buffer(table) for table in self.root.tables(4)]
        self.codes = [self.code(table) for table in self.root.tables(1)]
        self.subgraphs = self.root.tables(2)
        self.names: list[list[str]] = []
        self.weights: list[dict[str, Tensor]] = []
        self.types: list[list[TensorType | OtherType]] = []
        for index, subgraph in enumerate(self.subgraphs):
            self.describe(index, subgraph)

    def model(self) -> Model:
        if not self.subgraphs:
            raise BadFile(Problem("GM002", "the model has no subgraph"))
        graph = self.graph(0, ())
        properties: dict[str, str | int] = {"version": self.root.number(0, "I"), "description": self.root.text(3)}
        for entry in self.root.tables(6):
            name, number = entry.text(0), entry.number(1, "I")
            if number >= len(self.buffers):
                raise BadFile(Problem("GM002", f"metadata {name!r} lies in buffer {number}, which is not there"))
            span = self.buffers[number]
            self.metadata[name] = f"{span.length if span else 0} bytes"
        self.signatures()
        tensors = tuple(tensor for weights in self.weights for tensor in weights.values())
        return Model(
            "tflite",
            tensors,
            inputs=graph.inputs,
            outputs=graph.outputs,
            graph=graph,
            properties=properties,
            metadata=self.metadata,
            problems=tuple(self.problems),
        )

    # --- tables -----------------------------------------------------------------------------------------------------
    def buffer(self, table: Table) -> Span | None:
        """Where a buffer's bytes are: in the FlatBuffer, or behind it (models of more than 2 GB)."""
        far, size = table.number(1, "Q"), table.number(2, "Q")
        if far > 1:
            if far + size > self.blob.size:
                raise BadFile(self.blob.truncated(far, size))
            return Span(far, size)
        offset, count = table.vector(0, 1)
        return Span(offset, count) if count else None

    def code(self, table: Table) -> str:
        number = max(table.number(0, "b"), table.number(3, "i"))
        if number == CUSTOM:
            return f"CUSTOM.{table.text(1)}"
        return OPERATORS[number] if 0 <= number < len(OPERATORS) else f"BUILTIN_{number}"

    def describe(self, index: int, subgraph: Table) -> None:
        """Tensors of one subgraph: local names, types, and the weights among them."""
        prefix = f"subgraph#{index}/" if index else ""
        names: list[str] = []
        types: list[TensorType | OtherType] = []
        weights: dict[str, Tensor] = {}
        for number, table in enumerate(subgraph.tables(0)):
            name = table.text(3) or f"#{number}"
            if name in weights:
                self.problems.append(Problem("GM006", f"two tensors are named {prefix + name!r}"))
                name = f"{name}#{number}"
            names.append(name)
            kind = table.number(1, "b")
            if kind not in TENSOR_TYPES:
                raise BadFile(Problem("GM009", f"tensor {name!r} has type {kind}, which is not known here"))
            dtype, bits = TENSOR_TYPES[kind]
            shape = table.numbers(0, "i")
            types.append(value_type(dtype, table.numbers(7, "i") or shape))
            self.quantisation(prefix + name, table)
            buffer = table.number(2, "I")
            if buffer >= len(self.buffers):
                raise BadFile(Problem("GM002", f"tensor {name!r} lies in buffer {buffer}, which is not there"))
            span = self.buffers[buffer]
            if span is not None and buffer:
                sparse = table.table(6) is not None
                weights[name] = self.weight(prefix + name, dtype, bits, shape, span, sparse=sparse)
        self.names.append(names)
        self.types.append(types)
        self.weights.append(weights)

    def weight(self, name: str, dtype: str, bits: int, shape: tuple[int, ...], span: Span, *, sparse: bool) -> Tensor:
        if any(dim < 0 for dim in shape):
            raise BadFile(Problem("GM002", f"tensor {name!r} has the negative shape {list(shape)}"))
        if dtype == "string":
            pieces = self.strings(name, span)
            return Tensor(name, dtype, shape, pieces, sum(8 + piece.length for piece in pieces.pieces))
        if not bits:
            raise BadFile(Problem("GM002", f"tensor {name!r} of type {dtype} has values"))
        nbytes = (prod(shape) * bits + 7) // 8
        if nbytes != span.length and not sparse:
            message = f"tensor {name!r} of shape {list(shape)} and type {dtype} has {span.length} bytes, not {nbytes}"
            raise BadFile(Problem("GM007", message))
        if sparse:  # the stored elements, as they are: their places are part of the structure, not of the weights
            shape = (span.length * 8 // bits,)
        return Tensor(name, dtype, shape, span, span.length)

    def strings(self, name: str, span: Span) -> Strings:
        """int32 count, count + 1 offsets, then the bytes (tensorflow/lite/string_util.h)."""
        damaged = BadFile(Problem("GM007", f"the texts of tensor {name!r} contradict themselves"))
        if span.length < 4:
            raise damaged
        count = int.from_bytes(self.blob.read(span.offset, 4), "little", signed=True)
        if count < 0 or 4 * (count + 2) > span.length:
            raise damaged
        raw = self.blob.read(span.offset + 4, 4 * (count + 1))
        ends = [int.from_bytes(raw[i : i + 4], "little") for i in range(0, len(raw), 4)]
        if any(a > b for a, b in pairwise(ends)) or ends[-1] > span.length:
            raise damaged
        return Strings(tuple(Span(span.offset + begin, end - begin) for begin, end in pairwise(ends)))

    def quantisation(self, name: str, tensor: Table) -> None:
        """The scales and zero points of a quantised tensor, shown as one metadata value."""
        table = tensor.table(4)
        if table is None:
            return
        scales, points = table.numbers(2, "f"), table.numbers(3, "q")
        if not scales:
            return
        if len(scales) == 1:
            text = f"scale {scales[0]!r} zero_point {points[0] if points else 0}"
        else:
            from blake3 import blake3

            dimension = table.number(6, "i")
            digest = blake3(repr((scales, points)).encode()).hexdigest(16)
            text = f"{len(scales)} scales along dimension {dimension}, blake3:{digest}"
        self.metadata[f"quantization/{name}"] = text

    def signatures(self) -> None:
        """Signature keys with the names that callers use, as metadata."""
        for signature in self.root.tables(7):
            names = [[entry.text(0) for entry in signature.tables(field)] for field in (0, 1)]
            key = signature.text(2)
            self.metadata[f"signature/{key}"] = f"{', '.join(names[0])} -> {', '.join(names[1])}"

    # --- graphs -----------------------------------------------------------------------------------------------------
    def graph(self, index: int, path: tuple[int, ...]) -> Graph:
        if index in path or len(path) > LIMIT_DEPTH:
            raise BadFile(Problem("GM005", f"subgraph {index} contains itself, or is nested too deeply"))
        subgraph, names = self.subgraphs[index], self.names[index]
        values = [Value(name, kind) for name, kind in zip(names, self.types[index], strict=True)]

        def pick(numbers: tuple[int, ...]) -> tuple[int, ...]:
            if any(not -1 <= number < len(names) for number in numbers):
                raise BadFile(Problem("GM002", f"subgraph {index} names a tensor that is not there"))
            return numbers

        nodes = tuple(self.node(table, names, pick, (*path, index)) for table in subgraph.tables(3))
        weights = self.weights[index]
        return Graph(
            subgraph.text(4),
            tuple(values[number] for number in pick(subgraph.numbers(1, "i")) if number >= 0),
            tuple(values[number] for number in pick(subgraph.numbers(2, "i")) if number >= 0),
            nodes,
            weights,
            tuple(value for value in values if value.name not in weights),
        )

    def node(self, table: Table, names: list[str], pick: Pick, path: tuple[int, ...]) -> Node:
        code = table.number(0, "I")
        if code >= len(self.codes):
            raise BadFile(Problem("GM002", f"an operator has code {code}, which is not there"))
        inputs, outputs = pick(table.numbers(1, "i")), pick(table.numbers(2, "i"))
        return Node(
            self.codes[code],
            DOMAIN,
            "",
            tuple(names[number] if number >= 0 else "" for number in inputs),
            tuple(names[number] if number >= 0 else "" for number in outputs),
            tuple(self.attributes(table, path)),
        )

    def attributes(self, table: Table, path: tuple[int, ...]) -> list[Attribute]:
        found: list[Attribute] = []
        kind, options = table.number(3, "B"), table.table(4)
        if options is not None:
            subgraphs, vectors = SUBGRAPH_FIELDS.get(kind, ()), VECTOR_FIELDS.get(kind, ())
            texts = TEXT_FIELDS.get(kind, ())
            special = tuple(field for field, _ in (*subgraphs, *vectors)) + texts
            raw = options.raw(skip=special)
            if raw:
                found.append(Attribute("options", "string", raw))
            for field, code in vectors:
                text = repr(options.numbers(field, code))
                found.append(Attribute(f"options.{field}", "string", text.encode()))
            found += [Attribute(f"options.{field}", "string", options.text(field).encode()) for field in texts]
            for field, name in subgraphs:
                number = options.number(field, "i")
                if not 0 <= number < len(self.subgraphs):
                    raise BadFile(Problem("GM002", f"an operator runs subgraph {number}, which is not there"))
                found.append(Attribute(name, "graph", self.graph(number, path)))
        second = table.table(12)
        if second is not None:
            found.append(Attribute("options2", "string", b"%d %s" % (table.number(11, "B"), second.raw())))
        offset, count = table.vector(5, 1)
        if count:
            found.append(Attribute("custom_options", "string", self.blob.read(offset, min(count, 1 << 20))))
        return found


def value_type(dtype: str, shape: tuple[int, ...]) -> TensorType | OtherType:
    if dtype in ("resource", "variant"):
        return OtherType(dtype)
    dims: tuple[Dim, ...] = tuple(dim if dim >= 0 else None for dim in shape)
    return TensorType(dtype, dims)
