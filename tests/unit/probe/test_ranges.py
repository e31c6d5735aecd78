"""Which integers an input may take, read from the graph."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from support.onnx_models import BOOL, FLOAT, INT64, model, read, value, weight

from gitops_model.diff.probing.ranges import Uses, choices, uses
from gitops_model.ir import Model, Span, Tensor

NUMBERS: dict[str, tuple[int, ...]] = {"depth": (12,), "sixteen": (16000,), "pad": (1,), "many": tuple(range(20))}


def taken(nodes: list[onnx.NodeProto], weights: tuple[onnx.TensorProto, ...] = (), **more: Any) -> Uses:
    functions = more.pop("functions", ())
    opset = {"": 17} | {function.domain: 1 for function in functions} | more.pop("opset", {})
    described = read(model(nodes, [value("ids", ["n"], INT64)], [value("y", None)], weights, opset=opset,
                           functions=functions))  # fmt: skip
    return of(described)


def of(described: Model) -> Uses:
    def numbers(tensor: Tensor) -> tuple[int, ...]:
        return NUMBERS.get(tensor.name, ())

    return uses(described, ["ids"], numbers)["ids"]


def node(op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs, outputs, **attributes)


TABLE = (weight("table", 100, 8),)
LOOK_UP = node("Gather", ["table", "ids"], ["y"])


# --- nothing is known -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "nodes",
    [
        [node("Add", ["ids", "ids"], ["more"]), node("Gather", ["table", "more"], ["y"])],
        [LOOK_UP, node("Mul", ["ids", "ids"], ["z"])],
        [node("Reshape", ["table", "ids"], ["y"])],
        [node("TopK", ["table", "ids"], ["y", "i"])],
        [node("Range", ["ids", "ids", "ids"], ["y"])],
        [node("Gather", ["x", "ids"], ["y"])],
        [node("Strange", ["ids"], ["y"], domain="com.example")],
    ],
)
def test_what_is_computed_with_may_be_anything(nodes: list[onnx.NodeProto]) -> None:
    assert not taken(nodes, TABLE, opset={"com.example": 1}).known


# --- tables -----------------------------------------------------------------------------------------------------------
def test_the_rows_of_a_table() -> None:
    assert taken([LOOK_UP], TABLE) == Uses(known=True, below=100)


def test_the_least_of_several_tables() -> None:
    second = node("Gather", ["small", "ids"], ["z"])
    assert taken([LOOK_UP, second], (*TABLE, weight("small", 7, 8))).below == 7


@pytest.mark.parametrize("axis, rows", [(0, 100), (1, 8), (-1, 8), (-2, 100)])
def test_the_axis_decides(axis: int, rows: int) -> None:
    assert taken([node("Gather", ["table", "ids"], ["y"], axis=axis)], TABLE).below == rows


@pytest.mark.parametrize("axis", [2, -3])
def test_an_axis_that_is_not_there(axis: int) -> None:
    assert not taken([node("Gather", ["table", "ids"], ["y"], axis=axis)], TABLE).known


@pytest.mark.parametrize(
    "move",
    [
        node("Cast", ["ids"], ["moved"], to=onnx.TensorProto.INT32),
        node("Unsqueeze", ["ids", "axes"], ["moved"]),
        node("Identity", ["ids"], ["moved"]),
        node("Concat", ["other", "ids"], ["moved"], axis=0),
        node("Where", ["mask", "other", "ids"], ["moved"]),
    ],
    ids=lambda node: node.op_type,
)
def test_what_only_moves_is_followed(move: onnx.NodeProto) -> None:
    assert taken([move, node("Gather", ["table", "moved"], ["y"])], TABLE).below == 100


@pytest.mark.parametrize("op", ["Identity", "Cast", "DequantizeLinear"])
def test_a_table_behind_a_conversion(op: str) -> None:
    attributes = {"to": FLOAT} if op == "Cast" else {}
    nodes = [node(op, ["table"], ["t"], **attributes), node("Gather", ["t", "ids"], ["y"])]
    assert taken(nodes, TABLE).below == 100


def test_a_table_in_a_constant() -> None:
    constant = node("Constant", [], ["t"], value=numpy_helper.from_array(np.zeros((9, 2), np.float32)))
    assert taken([constant, node("Gather", ["t", "ids"], ["y"])]).below == 9


def test_a_table_of_onnxruntime() -> None:
    words = (weight("words", 30, 4), weight("places", 9, 4), weight("kinds", 2, 4))
    embed = node("EmbedLayerNormalization", ["ids", "", "words", "places", "kinds"], ["y"], domain="com.microsoft")
    assert taken([embed], words, opset={"com.microsoft": 1}).below == 30
    segments = node("EmbedLayerNormalization", ["x", "ids", "words", "places", "kinds"], ["y"], domain="com.microsoft")
    assert taken([segments], words, opset={"com.microsoft": 1}).below == 2


def test_a_depth() -> None:
    depth = onnx.TensorProto(name="depth", data_type=INT64, dims=[], int64_data=[12])
    assert taken([node("OneHot", ["ids", "depth", "values"], ["y"])], (depth,)).below == 12


# --- comparisons ------------------------------------------------------------------------------------------------------
def test_what_it_is_compared_with() -> None:
    stored = onnx.TensorProto(name="sixteen", data_type=INT64, dims=[], int64_data=[16000])
    assert taken([node("Equal", ["ids", "sixteen"], ["y"])], (stored,)).compared == (16000,)
    constant = node("Constant", [], ["c"], value_int=8000)
    assert taken([constant, node("Less", ["c", "ids"], ["y"])]).compared == (8000,)


def test_a_mask_is_harmless() -> None:
    nodes = [
        node("Cast", ["ids"], ["f"], to=FLOAT),
        node("Mul", ["f", "f"], ["y"]),
        node("Cast", ["ids"], ["b"], to=BOOL),
    ]
    assert taken(nodes) == Uses()


# --- subgraphs and functions ------------------------------------------------------------------------------------------
def test_a_subgraph_that_takes_it_from_outside() -> None:
    then = helper.make_graph([node("Gather", ["table", "ids"], ["t"])], "then", [], [value("t", None)])
    other = helper.make_graph(
        [node("Gather", ["inner", "ids"], ["e"])], "else", [], [value("e", None)], [weight("inner", 5, 8)]
    )
    assert taken([node("If", ["c"], ["y"], then_branch=then, else_branch=other)], TABLE).below == 5


def test_a_function_is_looked_into() -> None:
    opsets = [helper.make_opsetid("", 17)]
    look = helper.make_function("local", "look", ["i"], ["o"], [
        node("Constant", [], ["t"], value=numpy_helper.from_array(np.zeros((6, 2), np.float32))),
        node("Gather", ["t", "i"], ["o"]),
    ], opsets)  # fmt: skip
    assert taken([node("look", ["ids"], ["y"], domain="local")], functions=(look,)).below == 6
    through = helper.make_function("local", "look", ["i"], ["o"], [node("Identity", ["i"], ["o"])], opsets)
    assert not taken([node("look", ["ids"], ["y"], domain="local")], functions=(through,)).known


def test_a_long_chain_ends() -> None:
    chain = [node("Identity", ["ids" if step == 0 else f"v{step}"], [f"v{step + 1}"]) for step in range(30_000)]
    assert not taken(chain).known


# --- both models ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "before, after, chosen",
    [
        (Uses(below=100), Uses(below=90), (90, ())),
        (Uses(below=100), Uses(), (100, ())),
        (Uses(below=100), None, (100, ())),
        (Uses(below=100), Uses(known=False), (None, (0, 1))),
        (Uses(known=False, compared=(7,)), Uses(), (None, (0, 1))),
        (Uses(), Uses(), (None, (0, 1))),
        (Uses(compared=(16000,)), Uses(compared=(8000, 1)), (None, (0, 1, 8000, 16000))),
        (Uses(compared=tuple(range(50))), None, (None, (0, 1, 2, 3, 4, 5))),
    ],
)
def test_what_both_take(before: Uses | None, after: Uses | None, chosen: tuple[int | None, tuple[int, ...]]) -> None:
    assert choices(before, after) == choices(after, before) == chosen


def test_no_graph_no_uses() -> None:
    assert uses(Model("safetensors", (Tensor("w", "int64", (), Span(0, 8), 8),)), ["ids"], lambda _: ()) == {}
