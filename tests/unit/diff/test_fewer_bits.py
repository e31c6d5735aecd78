"""What is called the same model with fewer bits, and what must not hide behind that."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.onnx_text import side, side_of

from gitops_model.diff import diff_models
from gitops_model.diff.result import ModelDiff

RANDOM = np.random.default_rng(0)
CONV = RANDOM.normal(size=(4, 3, 3, 3)).astype(np.float32)


def model(nodes: list[onnx.NodeProto], shape: list[int | str], **constants: "np.ndarray") -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def compared(before: onnx.ModelProto, after: onnx.ModelProto) -> ModelDiff:
    return diff_models(side_of(before), side_of(after))


def patterns(diff: ModelDiff) -> set[str]:
    return {rewrite.pattern for rewrite in diff.graph.rewrites if rewrite.numeric == "lossy"}


def per_channel(scale: np.ndarray, weights: np.ndarray) -> onnx.ModelProto:
    stored = np.clip(np.round(weights / scale.reshape(-1, 1, 1, 1)), -127, 127).astype(np.int8)
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["w"], axis=0),
        helper.make_node("Conv", ["x", "w"], ["y"]),
    ]
    return model(nodes, ["n", 3, 8, 8], q=stored, s=scale, z=np.zeros(4, np.int8))


def test_weights_with_a_scale_per_channel() -> None:
    plain = model([helper.make_node("Conv", ["x", "w"], ["y"])], ["n", 3, 8, 8], w=CONV)
    scale = (np.abs(CONV).max(axis=(1, 2, 3)) / 127).astype(np.float32)
    diff = compared(plain, per_channel(scale, CONV))
    assert patterns(diff) == {"qdq"}
    assert (diff.verdict.bump, diff.verdict.equivalent) == ("patch", False)
    other = compared(plain, per_channel(scale, np.roll(CONV, 1)))
    assert not patterns(other)


def quantised(zero: int, op: str | None) -> onnx.ModelProto:
    """x · w, perhaps an operation, quantised and taken back, and a Tanh."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["t"])]
    nodes += [helper.make_node(op, ["t"], ["u"])] if op else []
    nodes += [
        helper.make_node("QuantizeLinear", ["u" if op else "t", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        helper.make_node("Tanh", ["d"], ["y"]),
    ]
    return model(nodes, ["n", 4], w=WEIGHTS, s=np.float32(0.1), z=np.uint8(zero))


WEIGHTS = RANDOM.normal(size=(4, 4)).astype(np.float32)


def plain(op: str | None) -> onnx.ModelProto:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["t"])]
    nodes += [helper.make_node(op, ["t"], ["u"])] if op else []
    return model([*nodes, helper.make_node("Tanh", ["u" if op else "t"], ["y"])], ["n", 4], w=WEIGHTS)


@pytest.mark.parametrize(
    "before, zero, after, same",
    [
        ("Relu", 0, None, True),  # quantisers leave it out: nothing below zero can be stored
        (None, 0, None, True),  # nothing negative was seen when the quantiser looked
        ("Relu", 0, "Relu", True),
        (None, 7, None, True),
        ("Relu", 7, None, False),  # with this zero point it does something
        ("Sigmoid", 0, None, False),
        ("Relu", 0, "Sigmoid", False),
        (None, 0, "Abs", False),
    ],
)
def test_zero_points_stand_for_a_relu(before: str | None, zero: int, after: str | None, same: bool) -> None:
    diff = compared(plain(before), quantised(zero, after))
    assert not diff.verdict.equivalent
    assert (diff.verdict.bump == "patch" and patterns(diff) == {"qdq"}) == same


def test_a_constant_that_is_quantised_stands_for_itself() -> None:
    before = model([helper.make_node("Mul", ["x", "c"], ["y"])], ["n", 4], c=np.float32(0.5))
    nodes = [
        helper.make_node("QuantizeLinear", ["c", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        helper.make_node("Mul", ["x", "d"], ["y"]),
    ]
    after = model(nodes, ["n", 4], c=np.float32(0.5), s=np.float32(0.01), z=np.uint8(0))
    assert patterns(compared(before, after)) == {"qdq"}


def lstm(direction: int, w: np.ndarray, r: np.ndarray) -> onnx.ModelProto:
    node = helper.make_node("LSTM", ["x", "w", "r"], ["y"], hidden_size=4)
    return model([node], [5, 1, 3], w=w[:direction], r=r[:direction])


def test_an_lstm_on_integers() -> None:
    w, r = (RANDOM.normal(size=(1, 16, width)).astype(np.float32) for width in (3, 4))
    constants: dict[str, np.ndarray] = {"none": np.zeros(0, np.float32)}
    for name, value in (("w", w), ("r", r)):
        scale = np.float32(np.abs(value).max() / 127)
        constants[name] = np.round(value / scale).astype(np.int8).transpose(0, 2, 1)
        constants[f"{name}s"], constants[f"{name}z"] = scale.reshape(1), np.zeros(1, np.int8)
    given = ["x", "w", "r", "", "", "", "", "", "ws", "wz", "rs", "rz"]
    node = helper.make_node("DynamicQuantizeLSTM", given, ["y"], domain="com.microsoft", hidden_size=4)
    diff = compared(lstm(1, w, r), model([node], [5, 1, 3], **constants))
    assert patterns(diff) == {"dynamic-quantization"}
    assert not diff.verdict.equivalent
    assert not patterns(compared(lstm(1, -w, r), model([node], [5, 1, 3], **constants)))


@pytest.mark.parametrize("stated, equal", [("float[n,4]", True), ("float[m,k]", True), ("float[n]", False)])
def test_what_a_file_states_of_an_output_changes_no_output(stated: str, equal: bool) -> None:
    before = side("(float[n,4] x) => (float[a,b] y) { y = Relu(x) }")
    after = side(f"(float[n,4] x) => ({stated} y) {{ t = Identity(x)  y = Relu(t) }}")
    assert diff_models(before, after).verdict.equivalent == equal


def test_a_narrower_output_is_still_a_minor_change() -> None:
    before = side("(float[n,4] x) => (float[a,b] y) { y = Relu(x) }")
    after = side("(float[n,4] x) => (float[n,4] y) { t = Identity(x)  y = Relu(t) }")
    assert diff_models(before, after).verdict.bump == "minor"


def written(text: str, opset: int = 21) -> "onnx.ModelProto":
    imports = f'"" : {opset}, "com.microsoft" : 1'
    return onnx.parser.parse_model(f"<ir_version: 10, opset_import: [{imports}]> main {text}")


FLOATS = "(float[N,2] x) => (float[N,2] y)"
GRIDS = (
    "float s = {0.1}, float s2 = {0.2}, uint8 z = {0}, uint8 z7 = {7}, int8 i = {0},"
    " uint8[2,2] w8 = {1,2,3,4}, float ws = {0.5}"
)
TAKEN = "y = Exp(d)"
ADDED = "q = com.microsoft.QLinearAdd(a, s, {0}, a, s, {0}, s2{1})  d = DequantizeLinear(q, s2, {2})"


@pytest.mark.parametrize(
    "before, after, same",
    [
        ("d = Identity(x)", "q = QuantizeLinear(x, s, i)  d = DequantizeLinear(q, s, i)", True),
        ("d = Identity(x)", "q = QuantizeLinear(x, s)  d = DequantizeLinear(q, s, z)", True),
        ("d = Identity(x)", "q = QuantizeLinear(x, s, i)  d = DequantizeLinear(q, s2, i)", False),
        ("d = Identity(x)", "q = QuantizeLinear(x, s, z)  d = DequantizeLinear(q, s, z7)", False),
        ("d = Transpose(x)", "q = QuantizeLinear(x, s, i)  t = Transpose(q)  d = DequantizeLinear(t, s2, i)", False),
        ("d = Relu(x)", "q = QuantizeLinear(x, s)  d = DequantizeLinear(q, s)", True),
        ("d = Relu(x)", "q = QuantizeLinear <output_dtype = 3> (x, s)  d = DequantizeLinear(q, s)", False),
        ("d = Relu(x)", "q = QuantizeLinear <output_dtype = 4> (x, s)  d = DequantizeLinear(q, s)", False),
        ("d = Add(x, x)", f"a = QuantizeLinear(x, s, i)  {ADDED.format('i', ', i', 'i')}", True),
        ("t = Add(x, x)  d = Relu(t)", f"a = QuantizeLinear(x, s, i)  {ADDED.format('i', '', 'i')}", False),
        ("d = Add(x, x)", f"a = QuantizeLinear(x, s2, i)  {ADDED.format('i', ', i', 'i')}", False),
        ("t = Add(x, x)  d = Relu(t)", f"a = QuantizeLinear(x, s, z7)  {ADDED.format('z7', ', z', 'z')}", True),
    ],
)
def test_integers_are_taken_back_as_they_were_stored(before: str, after: str, same: bool) -> None:
    texts = (f"{FLOATS} {{ {before}  {TAKEN} }}", f"{FLOATS} <{GRIDS}> {{ {after}  {TAKEN} }}")
    diff = compared(*map(written, texts))
    assert not diff.verdict.equivalent
    assert (diff.verdict.bump == "patch" and bool(patterns(diff))) == same


@pytest.mark.parametrize("relu", [False, True])
def test_a_product_that_gives_floats_cuts_nothing_off(relu: bool) -> None:
    weights = "float[2,2] w = {0.5,1.0,1.5,2.0}"
    cut = "d = Relu(t)" if relu else "d = Identity(t)"
    before = f"{FLOATS} <{weights}> {{ t = Gemm(x, w)  {cut}  {TAKEN} }}"
    after = "a = QuantizeLinear(x, s, z7)  d = com.microsoft.QGemm(a, s, z7, w8, ws, z)"
    diff = compared(written(before), written(f"{FLOATS} <{GRIDS}> {{ {after}  {TAKEN} }}"))
    assert bool(patterns(diff)) == (not relu)


def test_each_channel_has_a_step_of_its_own() -> None:
    """What is little beside the largest of all is much beside the largest of its channel."""
    uneven = CONV * np.array([1, 1, 1, 0.001], np.float32).reshape(-1, 1, 1, 1)
    scale = (np.abs(uneven).max(axis=(1, 2, 3)) / 127).astype(np.float32)
    before = model([helper.make_node("Conv", ["x", "w"], ["y"])], ["n", 3, 8, 8], w=uneven)
    assert patterns(compared(before, per_channel(scale, uneven))) == {"qdq"}
    uneven[3] *= -1
    assert not patterns(compared(before, per_channel(scale, uneven)))


@pytest.mark.parametrize("first, second, same", [("r", "r", True), ("x", "x", True), ("x", "r", False)])
def test_what_is_cut_off_is_a_relu_everywhere_or_nowhere(first: str, second: str, same: bool) -> None:
    before = f"{FLOATS} {{ r = Relu(x)  a = Exp({first})  b = Tanh({second})  y = Add(a, b) }}"
    taken = "q = QuantizeLinear(x, s)  d = DequantizeLinear(q, s)"
    after = f"{FLOATS} <{GRIDS}> {{ {taken}  a = Exp(d)  b = Tanh(d)  y = Add(a, b) }}"
    assert bool(patterns(compared(written(before), written(after)))) == same
