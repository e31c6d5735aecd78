"""Element types and shapes that are certain, for the operators where rules need them. Unknown is a fine answer.

A dimension that depends on the data of others gets a symbol named after the operation and those dimensions (dims.py).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gitops_model.diff.proof.dims import dims_of, flag, is_size, largest, multiplied, sizes_of, symbol
from gitops_model.diff.proof.dims import place as axis_of
from gitops_model.diff.proof.spatial import conv, global_pool, pool, resize
from gitops_model.diff.proof.table import NONE, Dims, Table, ints_of, items_of

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call

FAR = 2**31 - 1
"""An end of a Slice from here on means "to the end"."""

SAME = frozenset(
    (
        *("Relu", "LeakyRelu", "Sigmoid", "Tanh", "Erf", "Exp", "Log", "Sqrt", "Neg", "Abs", "Reciprocal", "Softplus"),
        *("Elu", "Selu", "Celu", "HardSigmoid", "HardSwish", "Softmax", "LogSoftmax", "Clip", "Floor", "Ceil", "Round"),
        *("Sign", "Sin", "Cos", "Tan", "Not", "Identity", "Mish", "ThresholdedRelu", "Softsign", "Gelu", "Trilu"),
        *("BatchNormalization", "InstanceNormalization", "LayerNormalization", "GroupNormalization", "CumSum"),
        *("LpNormalization", "ScatterElements", "ScatterND", "Dropout", "PRelu"),
    )
)
"""Operators whose result has the type and shape of their first argument."""

KEEP = frozenset(
    (
        *("Squeeze", "Unsqueeze", "Reshape", "Flatten", "GatherElements", "GatherND", "DepthToSpace", "SpaceToDepth"),
        *("Compress", "Upsample", "ReverseSequence", "Einsum", "ConvTranspose", "Gemm", "Mod", "GridSample"),
        *("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "GlobalLpPool"),
    )
)
"""Operators whose result has the type of their first argument, and a shape of its own."""

BROADCAST = frozenset(("Add", "Sub", "Mul", "Div", "Max", "Min", "Mean", "Sum", "And", "Or", "Xor", "Mod"))
VARIADIC = frozenset(("Max", "Min", "Mean", "Sum"))
COMPARE = frozenset(("Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual"))
BROADCASTING = BROADCAST | COMPARE | {"Pow", "Where"}

ELEMENT = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool",
    10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16",
}  # fmt: skip
"""TensorProto.DataType as far as `Cast` is understood."""


def infer(b: "Builder", number: int, call: "Call") -> None:
    """Note what is certain about the result of a call with one output."""
    if call.op in ("If", "LSTM", "GRU", "RNN") and call.domain == "ai.onnx":
        infer_outputs(b, (number,), call)
    elif call.domain == "ai.onnx" and call.args:
        b.table.typed(number, *inferred(b, call))


def inferred(b: "Builder", call: "Call") -> tuple[str, Dims | None]:
    """Type ("" if unknown) and shape of the first result."""
    table, args, op = b.table, call.args, call.op
    dtype, shape = table.dtype[args[0]], table.shape[args[0]]
    if op in TYPES:
        return TYPES[op], SHAPES[op](b, call) if op in SHAPES else None
    if op in SHAPES:
        return dtype, SHAPES[op](b, call)
    if op in SAME:
        return dtype, shape
    if op in BROADCASTING:
        typed = dtype if op == "Pow" else "bool" if op in COMPARE else common(table, args[op == "Where" :])
        old = 0 < call.version < 7 and op not in VARIADIC
        return typed, None if old else broadcast([table.shape[arg] for arg in args])
    if op == "ConstantOfShape":
        value = items_of(call.attrs.get("value"))
        typed = "float32" if value is None else table.dtype[int(value[1])]
        return typed, constant_of_shape(b, call)
    if op == "Cast":
        return ELEMENT.get(call.attrs["to"], ""), shape
    if op in ("DequantizeLinear", "QuantizeLinear"):
        return quantized_type(b, call), shape
    if op in KEEP:
        return dtype, None
    if op == "OneHot":
        return table.dtype[args[-1]], one_hot(b, call)
    return dtype if op == "Range" else "", None


def quantized_type(b: "Builder", call: "Call") -> str:
    """Of a QuantizeLinear its zero point's type, of a DequantizeLinear its scale's."""
    if call.attrs.get("output_dtype"):
        return ""
    if call.op == "DequantizeLinear":
        return b.table.dtype[call.arg(1)]
    return "uint8" if call.arg(2) == NONE else b.table.dtype[call.arg(2)]


def infer_outputs(b: "Builder", outputs: tuple[int, ...], call: "Call") -> None:
    """What is certain about each of several results."""
    table = b.table
    if call.domain != "ai.onnx":
        return
    if call.op == "If":
        branches: list[tuple[Any, ...]] = [
            items_of(call.attrs.get(name)) or () for name in ("then_branch", "else_branch")
        ]
        for index, output in enumerate(outputs):
            ends = [branch[2 + index] for branch in branches if len(branch) > 2 + index]
            if len(ends) == 2:
                one, other = int(ends[0]), int(ends[1])
                dtype = table.dtype[one] if table.dtype[one] == table.dtype[other] else ""
                shape = table.shape[one] if table.shape[one] == table.shape[other] else None
                table.typed(output, dtype, shape)
    elif call.op == "TopK" and call.args:
        shape, k, axis = table.shape[call.args[0]], sizes_of(b, call.arg(1)), call.attrs.get("axis")
        if shape is not None and k is not None and len(k) == 1 and isinstance(axis, int):
            place = axis_of(axis, len(shape))
            shape = (*shape[:place], k[0], *shape[place + 1 :])
        else:
            shape = None
        for output, dtype in zip(outputs, (table.dtype[call.args[0]], "int64"), strict=False):
            table.typed(output, dtype, shape)
    elif call.op in ("LSTM", "GRU", "RNN") and call.args:
        shape, hidden = table.shape[call.args[0]], call.attrs.get("hidden_size")
        known = shape is not None and len(shape) == 3 and isinstance(hidden, int) and not call.attrs.get("layout")
        ways = 2 if call.attrs.get("direction") == b"bidirectional" else 1
        for index, output in enumerate(outputs):
            state: Dims | None = (ways, shape[1], hidden) if known and shape and isinstance(hidden, int) else None
            whole = None if state is None or shape is None else (shape[0], *state) if index == 0 else state
            table.typed(output, table.dtype[call.args[0]], whole)


def common(table: Table, args: tuple[int, ...]) -> str:
    """The type that all arguments share, as the operator demands: one known says it for all."""
    return next((table.dtype[arg] for arg in args if table.dtype[arg]), "")


def broadcast(shapes: list[Dims | None]) -> Dims | None:
    """NumPy's rule. Two symbols that may differ (one of them may be 1) give a symbol of their own."""
    known = [shape for shape in shapes if shape is not None]
    if len(known) < len(shapes):
        return None
    if not known or known.count(known[0]) == len(known):
        return known[0] if known else ()
    rank = max(map(len, known))
    dims: list[int | str] = []
    for column in zip(*((1,) * (rank - len(shape)) + shape for shape in known), strict=True):
        sizes = {*column} - {1}
        fixed = [dim for dim in sizes if isinstance(dim, int)]
        if fixed:
            dims.append(fixed[0])
        elif len(sizes) <= 1:
            dims.append(sizes.pop() if sizes else 1)
        else:
            dims.append(largest({str(dim) for dim in sizes}))
    return tuple(dims)


def transpose(b: "Builder", call: "Call") -> Dims | None:
    shape, perm = b.table.shape[call.args[0]], ints_of(call.attrs.get("perm"))
    if shape is None or perm is None or sorted(perm) != list(range(len(shape))):
        return None
    return tuple(shape[axis] for axis in perm)


def matmul(b: "Builder", call: "Call") -> Dims | None:
    one, other = (b.table.shape[arg] for arg in call.args[:2])
    if not one or not other:
        return None
    left = one if len(one) > 1 else (1, *one)
    right = other if len(other) > 1 else (*other, 1)
    batch = broadcast([left[:-2], right[:-2]])
    if batch is None:
        return None
    tail = (left[-2:-1] if len(one) > 1 else ()) + (right[-1:] if len(other) > 1 else ())
    return batch + tail


def concat(b: "Builder", call: "Call") -> Dims | None:
    shapes = [b.table.shape[arg] for arg in call.args]
    axis = call.attrs.get("axis")
    known = [shape for shape in shapes if shape]
    if not isinstance(axis, int) or len(known) != len(shapes) or len({len(shape) for shape in known}) != 1:
        return None
    place = axis_of(axis, len(known[0]))
    along = [shape[place] for shape in known]
    fixed = [dim for dim in along if isinstance(dim, int)]
    total = sum(fixed) if len(fixed) == len(along) else symbol("add", *along)
    rest = [next((s[i] for s in known if isinstance(s[i], int)), known[0][i]) for i in range(len(known[0]))]
    return tuple(total if index == place else dim for index, dim in enumerate(rest))


def one_hot(b: "Builder", call: "Call") -> Dims | None:
    shape, depth = b.table.shape[call.args[0]], b.ints(call.args[1])
    if shape is None or depth is None or len(depth) != 1:
        return None
    place = axis_of(call.attrs.get("axis", -1), len(shape) + 1)
    return (*shape[:place], depth[0], *shape[place:])


def gather(b: "Builder", call: "Call") -> Dims | None:
    data, indices = (b.table.shape[arg] for arg in call.args[:2])
    axis = call.attrs.get("axis", 0)
    if not data or indices is None or not isinstance(axis, int):
        return None
    place = axis_of(axis, len(data))
    return (*data[:place], *indices, *data[place + 1 :])


def slices(b: "Builder", call: "Call") -> Dims | None:
    shape = b.table.shape[call.args[0]]
    if shape is None or call.version < 10:
        return None
    numbers = [b.ints(arg) if arg != NONE else None for arg in (*call.args[1:], NONE, NONE)[:4]]
    starts, ends, axes, steps = numbers
    axes = axes if axes is not None else tuple(range(len(starts or ends or ())))
    if call.arg(3) != NONE and b.ints(call.arg(3)) is None:
        return None
    dims = list(shape)
    for index, axis in enumerate(axes):
        if not -len(shape) <= axis < len(shape):
            return None
        place, size = axis_of(axis, len(shape)), shape[axis]
        start = starts[index] if starts else None
        end = ends[index] if ends else None
        step = steps[index] if steps else 1 if call.arg(4) == NONE else None
        agreed = step and end is not None and (step > 0 or end < FAR)  # backwards to the far end is one or nothing
        if isinstance(size, int) and start is not None and end is not None and step and agreed:
            dims[place] = len(range(size)[start:end:step])
        elif start == 0 and end is not None and end >= 1 << 31 and step == 1:
            dims[place] = size
        else:
            dims[place] = symbol(
                "slice",
                size,
                *(arg if part is None else part for arg, part in zip(call.args[1:], numbers, strict=False)),
                index,
            )
    return tuple(dims)


def pad(b: "Builder", call: "Call") -> Dims | None:
    shape = b.table.shape[call.args[0]]
    if shape is None:
        return None
    found = dims_of(b, call.arg(1)) if call.version >= 11 else ints_of(call.attrs.get("pads"))
    if call.arg(3) != NONE or found is None or len(found) != 2 * len(shape):
        return tuple(symbol("pad", dim, call.arg(1), index) for index, dim in enumerate(shape))
    made: list[int | str] = []
    for index, dim in enumerate(shape):
        around = (found[index], found[len(shape) + index])
        if around == (0, 0):
            made.append(dim)
        elif isinstance(dim, int) and isinstance(around[0], int) and isinstance(around[1], int):
            made.append(dim + around[0] + around[1])
        elif is_size(around[0]) and is_size(around[1]):
            made.append(symbol("add", *sorted(map(str, (dim, *around)))))
        else:
            made.append(symbol("pad", dim, *around))
    return tuple(made)


def expand(b: "Builder", call: "Call") -> Dims | None:
    wanted = sizes_of(b, call.arg(1))
    return None if wanted is None else broadcast([b.table.shape[call.args[0]], wanted])


def constant_of_shape(b: "Builder", call: "Call") -> Dims | None:
    return sizes_of(b, call.args[0])


def tile(b: "Builder", call: "Call") -> Dims | None:
    shape, repeats = b.table.shape[call.args[0]], sizes_of(b, call.arg(1))
    if shape is None or repeats is None or len(shape) != len(repeats):
        return None
    return tuple(multiplied(dim, times) for dim, times in zip(shape, repeats, strict=True))


def of_shape(b: "Builder", call: "Call") -> Dims | None:
    """A list, also where its length, the rank, is not known."""
    shape = b.table.shape[call.args[0]]
    if shape is not None:
        return (len(shape[call.attrs.get("start", 0) : call.attrs.get("end")]),)
    return (symbol("rank", call.args[0], call.attrs.get("start", 0), call.attrs.get("end")),)


def of_first(b: "Builder", call: "Call") -> Dims | None:
    return b.table.shape[call.args[0]]


def arg_max(b: "Builder", call: "Call") -> Dims | None:
    shape, axis = b.table.shape[call.args[0]], call.attrs["axis"]
    if not shape:
        return None
    axis = range(len(shape))[int(axis)]
    return (*shape[:axis], *((1,) if flag(call.attrs["keepdims"]) else ()), *shape[axis + 1 :])


def scalar(_b: "Builder", _call: "Call") -> Dims | None:
    return ()


TYPES = {
    "Shape": "int64",
    "Size": "int64",
    "ArgMax": "int64",
    "ArgMin": "int64",
    "NonZero": "int64",
    "IsNaN": "bool",
    "IsInf": "bool",
}
"""Operators whose result has a type of its own."""

SHAPES: dict[str, Callable[["Builder", "Call"], Dims | None]] = {
    "Transpose": transpose,
    "MatMul": matmul,
    "Concat": concat,
    "Conv": conv,
    "MaxPool": pool,
    "AveragePool": pool,
    "GlobalAveragePool": global_pool,
    "GlobalMaxPool": global_pool,
    "Gather": gather,
    "Slice": slices,
    "Pad": pad,
    "Expand": expand,
    "Tile": tile,
    "Resize": resize,
    "Shape": of_shape,
    "Size": scalar,
    "IsNaN": of_first,
    "ArgMax": arg_max,
    "ArgMin": arg_max,
    "IsInf": of_first,
}
