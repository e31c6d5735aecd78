"""Pairs of small models to be run, and models that are bad to whoever runs them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from support.onnx_models import FLOAT, INT64, model, value

X, Y = value("x", ["n", 4]), value("y", ["n", 4])


def node(op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs, outputs, **attributes)


def stored(name: str, values: Any, dtype: Any = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, dtype), name)


def constant(name: str, values: Any, dtype: Any = np.float32) -> onnx.NodeProto:
    return node("Constant", [], [name], value=stored("", values, dtype))


WEIGHT = np.linspace(-1, 1, 16).reshape(4, 4)


def dense(weight: Any = WEIGHT, *, identity: bool = False, names: tuple[str, str] = ("x", "y")) -> bytes:
    """relu(x · w), with an Identity behind if wanted."""
    x, y = names
    nodes = [node("MatMul", [x, "w"], ["v"]), node("Relu", ["v"], ["r" if identity else y])]
    nodes += [node("Identity", ["r"], [y])] if identity else []
    return model(nodes, [value(x, ["n", 4])], [value(y, ["n", 4])], (stored("w", weight),))


def embedding(rows: int, *, scale: float = 1.0) -> bytes:
    """A look-up in a table of so many rows."""
    table = stored("table", scale * np.arange(rows * 2).reshape(rows, 2))
    return model(
        [node("Gather", ["table", "ids"], ["y"])], [value("ids", ["n"], INT64)], [value("y", ["n", 2])], (table,)
    )


def simple(*nodes: onnx.NodeProto, weights: tuple[onnx.TensorProto, ...] = (), **more: Any) -> bytes:
    """From x to y."""
    return model(list(nodes), [X], [Y], weights, **more)


# --- models that are bad to whoever runs them ------------------------------------------------------------------------
def endless() -> bytes:
    """A loop of 2^62 rounds."""
    state = value("s", [])
    body = helper.make_graph(
        [node("Identity", ["c"], ["go"]), node("Add", ["s", "one"], ["t"])],
        "body",
        [value("i", [], INT64), value("c", [], TensorProto.BOOL), state],
        [value("go", [], TensorProto.BOOL), value("t", [])],
        [stored("one", 1)],
    )
    nodes = [constant("m", 1 << 62, np.int64), constant("yes", True, np.bool_), constant("zero", 0)]
    return simple(*nodes, node("Loop", ["m", "yes", "zero"], ["l"], body=body), node("Add", ["x", "l"], ["y"]))


def hungry() -> bytes:
    """4 TiB of zeros."""
    nodes = [constant("s", [1 << 40], np.int64), node("ConstantOfShape", ["s"], ["z"])]
    return simple(*nodes, node("ReduceSum", ["z"], ["t"], keepdims=0), node("Add", ["x", "t"], ["y"]))


def custom() -> bytes:
    return simple(node("Evil", ["x"], ["y"], domain="com.example"), opset={"": 17, "com.example": 1})


def mistyped() -> bytes:
    return simple(node("Add", ["x", "w"], ["y"]), weights=(stored("w", [1, 1, 1, 1], np.int64),))


def fixed_reshape() -> bytes:
    """Says that it takes any batch, and takes 40 numbers."""
    return simple(constant("s", [10, 4], np.int64), node("Reshape", ["x", "s"], ["y"]))


def external(location: str, where: str = "initializer") -> bytes:
    """A weight in another file, named by an initializer or by a constant in a branch."""
    weight = onnx.TensorProto(name="w", data_type=FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value=location)
    if where == "initializer":
        return simple(node("Add", ["x", "w"], ["y"]), weights=(weight,))
    branch = [
        helper.make_graph([node("Constant", [], ["w"], value=weight), node("Add", ["x", "w"], [name])], name, [],
                          [value(name, ["n", 4])])
        for name in ("one", "two")
    ]  # fmt: skip
    return simple(constant("c", True, np.bool_), node("If", ["c"], ["y"], then_branch=branch[0], else_branch=branch[1]))


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "endless": (endless, "it did not finish within 8 s"),
    "hungry": (hungry, "Failed to allocate memory"),
    "custom operator": (custom, "com.example:Evil"),
    "mistyped": (mistyped, "Type Error"),
    "missing file": (lambda: external("w.bin"), "the file 'w.bin' that the model needs is not there"),
}
"""Name → the model, and what is said of it."""
