"""Element types and shapes that are certain, for the operators where rules need them. Unknown is a fine answer."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from gitops_model.diff.proof.table import NONE, Shape, Table

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Call

SAME = frozenset(
    (
        *(
            "Relu",
            "LeakyRelu",
            "Sigmoid",
            "Tanh",
            "Erf",
            "Exp",
            "Log",
            "Sqrt",
            "Neg",
            "Abs",
            "Reciprocal",
            "Softplus",
            "Elu",
        ),
        *(
            "Selu",
            "Celu",
            "HardSigmoid",
            "HardSwish",
            "Softmax",
            "LogSoftmax",
            "Clip",
            "Floor",
            "Ceil",
            "Round",
            "Sign",
        ),
        *("Sin", "Cos", "Tan", "Not", "Identity", "Mish", "ThresholdedRelu", "Softsign", "Gelu", "BatchNormalization"),
        *("InstanceNormalization", "LayerNormalization", "GroupNormalization", "LpNormalization", "CumSum", "Trilu"),
    )
)
"""Operators whose result has the type and shape of their first argument."""

BROADCAST = frozenset(
    ("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Mean", "Sum", "And", "Or", "Xor", "Mod", "PRelu")
)
COMPARE = frozenset(("Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual"))
REDUCE = frozenset(
    ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2", "ReduceL1", "ReduceSumSquare")
)

ELEMENT = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool",
    10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16",
}  # fmt: skip
"""TensorProto.DataType as far as `Cast` is understood."""


def infer(table: Table, number: int, call: "Call") -> None:
    """Note what is certain about the result of a call with one output."""
    if call.domain != "ai.onnx":
        return
    args = call.args
    first = args[0] if args else NONE
    dtype, shape = table.dtype[first], table.shape[first]
    op = call.op
    if op in SAME:
        table.typed(number, dtype, shape)
    elif op in BROADCAST or op in COMPARE:
        table.typed(number, "bool" if op in COMPARE else common(table, args), broadcast([table.shape[a] for a in args]))
    elif op == "Where" and len(args) == 3:
        table.typed(number, common(table, args[1:]), broadcast([table.shape[a] for a in args]))
    elif op == "Cast":
        to = call.attrs.get("to")
        table.typed(number, ELEMENT.get(to, "") if isinstance(to, int) else "", shape)
    elif op in REDUCE:
        table.typed(number, dtype, reduced(shape, call))
    elif op in ("Shape", "Size"):
        table.typed(
            number, "int64", None if op == "Shape" and shape is None else (len(shape or ()),) if op == "Shape" else ()
        )
    elif op in SHAPES:
        table.typed(number, dtype, SHAPES[op](table, call))
    elif op in ("ConstantOfShape", "Gather", "Slice", "Pad", "Expand", "Tile", "Squeeze", "Unsqueeze", "Flatten"):
        table.typed(number, "" if op == "ConstantOfShape" else dtype, None)


def common(table: Table, args: tuple[int, ...]) -> str:
    """The type that all arguments share, as the operator demands: one known says it for all."""
    return next((table.dtype[arg] for arg in args if table.dtype[arg]), "")


def broadcast(shapes: list[Shape | None]) -> Shape | None:
    """NumPy's rule; an unknown dimension stays unknown unless the other side fixes it above 1."""
    if any(shape is None for shape in shapes):
        return None
    known = [shape for shape in shapes if shape is not None]
    rank = max((len(shape) for shape in known), default=0)
    dims: list[int | None] = []
    for place in range(rank):
        column = [shape[place - rank + len(shape)] for shape in known if place - rank + len(shape) >= 0]
        fixed = [dim for dim in column if dim is not None and dim != 1]
        dims.append(fixed[0] if fixed else None if None in column else 1)
    return tuple(dims)


def axes_of(call: "Call") -> tuple[int, ...] | None:
    axes = call.attrs.get("axes")
    if isinstance(axes, tuple) and all(isinstance(axis, int) for axis in axes):
        return tuple(axis for axis in axes if isinstance(axis, int))
    return None


def reduced(shape: Shape | None, call: "Call") -> Shape | None:
    axes = axes_of(call)
    if shape is None or axes is None:
        return None
    places = {axis % len(shape) for axis in axes} if shape else set()
    if call.attrs.get("keepdims", 1):
        return tuple(1 if index in places else dim for index, dim in enumerate(shape))
    return tuple(dim for index, dim in enumerate(shape) if index not in places)


def transpose(table: Table, call: "Call") -> Shape | None:
    shape, perm = table.shape[call.args[0]], call.attrs.get("perm")
    if shape is None or not isinstance(perm, tuple) or sorted(perm) != list(range(len(shape))):
        return None
    return tuple(shape[axis] for axis in perm if isinstance(axis, int))


def matmul(table: Table, call: "Call") -> Shape | None:
    a, b = (table.shape[arg] for arg in call.args[:2])
    if a is None or b is None or len(a) < 1 or len(b) < 1:
        return None
    left = a if len(a) > 1 else (1, *a)
    right = b if len(b) > 1 else (*b, 1)
    batch = broadcast([left[:-2], right[:-2]])
    if batch is None:
        return None
    tail = (left[-2:-1] if len(a) > 1 else ()) + (right[-1:] if len(b) > 1 else ())
    return batch + tail


def concat(table: Table, call: "Call") -> Shape | None:
    shapes = [table.shape[arg] for arg in call.args]
    axis = call.attrs.get("axis")
    if not isinstance(axis, int) or any(shape is None or len(shape) != len(shapes[0] or ()) for shape in shapes):
        return None
    known = [shape for shape in shapes if shape is not None]
    if not known or not known[0]:
        return None
    place = axis % len(known[0])
    along = [shape[place] for shape in known]
    total = sum(dim for dim in along if dim is not None) if None not in along else None
    rest = [next((s[i] for s in known if s[i] is not None), None) for i in range(len(known[0]))]
    return tuple(total if index == place else dim for index, dim in enumerate(rest))


def conv(table: Table, call: "Call") -> Shape | None:
    """(N, M, spatial…) where kernel, strides, pads and dilations are explicit."""
    x, w = (table.shape[arg] for arg in call.args[:2])
    if x is None or w is None or len(x) != len(w) or len(x) < 3:
        return None
    rank = len(x) - 2
    strides, pads, dilations = (call.attrs.get(name) for name in ("strides", "pads", "dilations"))
    if call.attrs.get("auto_pad", b"NOTSET") != b"NOTSET":
        return (x[0], w[0], *(None for _ in range(rank)))
    step = strides if isinstance(strides, tuple) else (1,) * rank
    pad = pads if isinstance(pads, tuple) else (0,) * (2 * rank)
    wide = dilations if isinstance(dilations, tuple) else (1,) * rank
    if len(step) != rank or len(pad) != 2 * rank or len(wide) != rank:
        return None
    spatial: list[int | None] = []
    for index in range(rank):
        size, kernel = x[2 + index], w[2 + index]
        numbers = (step[index], pad[index], pad[rank + index], wide[index])
        if size is None or kernel is None or not all(isinstance(n, int) for n in numbers) or numbers[0] == 0:
            spatial.append(None)
            continue
        s, before, after, d = (n for n in numbers if isinstance(n, int))
        spatial.append((size + before + after - d * (kernel - 1) - 1) // s + 1)
    return (x[0], w[0], *spatial)


SHAPES: dict[str, Callable[[Table, "Call"], Shape | None]] = {
    "Transpose": transpose,
    "MatMul": matmul,
    "Concat": concat,
    "Conv": conv,
}
