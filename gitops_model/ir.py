"""The description of a model that every later stage works on: names, types and locators, never weight bytes.

Leaves are named tuples (cheap to make by the hundred thousand, immutable, comparable); a `Model` is what a reader
returns. Element types carry their NumPy / ml_dtypes names (`float32`, `bfloat16`, `float8_e4m3fn`, `int4`, `string`);
GGUF block types carry their GGML name.
"""

from typing import NamedTuple, TypeAlias

from gitops_model.errors import Problem

Dim: TypeAlias = int | str | None
"""A dimension: fixed, a symbol, or unknown."""


ELEMENT_BITS: dict[str, int] = {
    **dict.fromkeys(("uint1", "int1"), 1),
    **dict.fromkeys(("uint2", "int2"), 2),
    **dict.fromkeys(("uint4", "int4", "float4_e2m1fn"), 4),
    **dict.fromkeys(("float6_e2m3fn", "float6_e3m2fn"), 6),
    **dict.fromkeys(("bool", "uint8", "int8"), 8),
    **dict.fromkeys(("float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz"), 8),
    **dict.fromkeys(("float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"), 8),
    **dict.fromkeys(("uint16", "int16", "float16", "bfloat16"), 16),
    **dict.fromkeys(("uint32", "int32", "float32"), 32),
    **dict.fromkeys(("uint64", "int64", "float64", "complex64"), 64),
    "complex128": 128,
}
"""Bits of one element, by NumPy / ml_dtypes name. `string` has no fixed size; GGML block types are not elements."""


def tensor_bytes(dtype: str, elements: int) -> int:
    """The size of `elements` of a type of `ELEMENT_BITS`: contiguous bits, the last byte padded."""
    return (elements * ELEMENT_BITS[dtype] + 7) // 8


# --- where the bytes of a tensor are -------------------------------------------------------------------------------
class Span(NamedTuple):
    """`length` bytes at `offset` of a file, already the elements in C order, little endian.

    `file` is "" for the model's own file, else a path relative to it (external data, a shard).
    """

    offset: int
    length: int
    file: str = ""


class Inline(NamedTuple):
    """Bytes that the reader made itself (a scalar attribute); small."""

    value: bytes


class Varints(NamedTuple):
    """Packed or repeated protobuf varints; each becomes `width` bytes, little endian, two's complement.

    `tagged`: the pieces are runs of unpacked fields, each varint behind its one-byte tag; a piece then holds whole
    fields and at most 1 MiB.
    """

    pieces: tuple[Span, ...]
    width: int
    tagged: bool = False


class Joined(NamedTuple):
    """Pieces one after another."""

    pieces: "tuple[Locator, ...]"


class Strings(NamedTuple):
    """Protobuf or file strings, each a span of its raw bytes; hashed as u64-LE length + bytes."""

    pieces: tuple[Span, ...]


class Strided(NamedTuple):
    """A view: `strides` and `start` in elements of `itemsize` bytes over `base`."""

    base: "Locator"
    itemsize: int
    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class Swapped(NamedTuple):
    """Big-endian elements of `itemsize` bytes (the component's size for complex numbers)."""

    base: "Locator"
    itemsize: int


class Deflated(NamedTuple):
    """`length` bytes at `offset` of the stream that inflating `packed` (raw deflate) gives; the whole is `total`."""

    packed: Span
    offset: int
    length: int
    total: int


class Repeated(NamedTuple):
    """One element, `times` over (a fill value)."""

    value: bytes
    times: int


class Chunk(NamedTuple):
    """A stored piece of a chunked array: where it begins (elements), its bytes, the filters that were skipped."""

    start: tuple[int, ...]
    packed: Span
    mask: int = 0


class Chunked(NamedTuple):
    """An array of `shape` in pieces of `chunk` elements each; `filters` were applied in this order when writing.

    Filters: `deflate` (zlib), `shuffle` (bytes of an element apart), `fletcher32` (four bytes of checksum behind).
    Places without a chunk hold `fill`.
    """

    shape: tuple[int, ...]
    chunk: tuple[int, ...]
    itemsize: int
    chunks: tuple[Chunk, ...]
    filters: tuple[str, ...]
    fill: bytes


class Sparse(NamedTuple):
    """COO: `indices` are int64, linear (`rank` 1) or one row per element (`rank` = number of dims)."""

    values: "Locator"
    indices: "Locator"
    nnz: int
    rank: int


Locator: TypeAlias = (
    Span | Inline | Varints | Joined | Strings | Strided | Swapped | Deflated | Repeated | Chunked | Sparse
)


# --- tensors and types ---------------------------------------------------------------------------------------------
class Tensor(NamedTuple):
    """A named weight. `nbytes` is the size of its canonical bytes (design of digests: docs/format.md).

    `group` is "" for what the model computes with and "optimizer" for training state.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: Locator
    nbytes: int
    group: str = ""


class TensorType(NamedTuple):
    """A tensor as an input or output; `shape` None is an unknown rank."""

    dtype: str
    shape: tuple[Dim, ...] | None


class OtherType(NamedTuple):
    """A type that is not a dense tensor, in canonical text: `sequence(tensor(float32,[?]))`, `sparse_tensor(…)`."""

    text: str


class Value(NamedTuple):
    """A named input, output or intermediate; `type` None where the file does not say."""

    name: str
    type: TensorType | OtherType | None


# --- graphs --------------------------------------------------------------------------------------------------------
Single: TypeAlias = "int | float | bytes | Tensor | Graph | OtherType"
Several: TypeAlias = "tuple[int, ...] | tuple[float, ...] | tuple[bytes, ...] | tuple[Tensor, ...] | tuple[Graph, ...]"
AttributeValue: TypeAlias = "Single | Several | tuple[OtherType, ...]"


class Attribute(NamedTuple):
    """`kind` is the lower-case ONNX name: int float string tensor graph sparse_tensor type_proto, their plurals, ref.

    A `ref` (inside a function body) names an attribute of the caller in `value`, as bytes.

    What is too long to hold (a tree ensemble has lists of millions, a compiled engine is one string) is a nameless
    `Tensor` that says where the elements are: `ints` as int64 and `floats` as float32 with one dimension, `string` as a
    string without dimensions. Nothing but the length decides: more than 1024 numbers, more than 64 KiB.
    """

    name: str
    kind: str
    value: AttributeValue


class Node(NamedTuple):
    """One operation. An empty input or output name is an omitted optional one. Domain "" is never used: `ai.onnx`."""

    op_type: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    overload: str = ""


class Graph(NamedTuple):
    """A (sub)graph. `initializers` maps the local name to the tensor, whose own name is qualified."""

    name: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    initializers: dict[str, Tensor]
    values: tuple[Value, ...] = ()


class Function(NamedTuple):
    """A model-local function; `attributes` are names, with their defaults where they have one in `defaults`."""

    domain: str
    name: str
    overload: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: tuple[str, ...]
    defaults: tuple[Attribute, ...]
    nodes: tuple[Node, ...]
    opset: dict[str, int]


class Model:
    """What a reader returns.

    `inputs`/`outputs` are None for a format without a signature. `opset` maps domain to version (`ai.onnx` is the
    default domain). `properties` are facts of the format itself (ir_version, producer, alignment), `metadata` the
    file's free key-value pairs. `deps` are the other files the description needs, relative to the file. `problems`
    are troubles that did not stop the reading (duplicate names, a set padding bit). `header` are the bytes that stand
    for a model without tensors (weights digest of the header).

    Written out, and no dataclass: `dataclasses` brings `inspect` and `ast`, a third of a hook's start.
    """

    __slots__ = (
        "deps",
        "format",
        "functions",
        "graph",
        "header",
        "inputs",
        "metadata",
        "opset",
        "outputs",
        "problems",
        "properties",
        "tensors",
    )

    def __init__(
        self,
        format: str,  # noqa: A002 - the word for it
        tensors: tuple[Tensor, ...],
        *,
        inputs: tuple[Value, ...] | None = None,
        outputs: tuple[Value, ...] | None = None,
        graph: Graph | None = None,
        functions: tuple[Function, ...] = (),
        opset: dict[str, int] | None = None,
        properties: dict[str, str | int] | None = None,
        metadata: dict[str, str] | None = None,
        deps: tuple[str, ...] = (),
        problems: tuple[Problem, ...] = (),
        header: Span | None = None,
    ) -> None:
        self.format = format
        self.tensors = tensors
        self.inputs = inputs
        self.outputs = outputs
        self.graph = graph
        self.functions = functions
        self.opset: dict[str, int] = {} if opset is None else opset
        self.properties: dict[str, str | int] = {} if properties is None else properties
        self.metadata: dict[str, str] = {} if metadata is None else metadata
        self.deps = deps
        self.problems = problems
        self.header = header

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment] # a description is mutable

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in sorted(self.__slots__))
        return f"Model({fields})"
