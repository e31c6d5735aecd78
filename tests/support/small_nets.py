"""Small networks with what models are made of, by name, for tests that rewrite or break them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
from onnx import ModelProto, numpy_helper

EXPORTED = Path(__file__).parents[1] / "data" / "torch_export"


def text(graph: str, opset: int = 17, functions: str = "", **weights: tuple[int, ...]) -> ModelProto:
    """A model in ONNX's textual syntax; `weights` are float32 initializers of these shapes, always the same ones."""
    imports = f'"" : {opset}' + (', "local" : 1' if functions else "")
    model = onnx.parser.parse_model(f"<ir_version: 8, opset_import: [{imports}]> main {graph} {functions}")
    source = np.random.default_rng(len(graph))
    for name, shape in weights.items():
        values = source.normal(size=shape).astype(np.float32)
        model.graph.initializer.append(
            numpy_helper.from_array(np.abs(values) + 0.5 if name[0] == "p" else values, name)
        )
    return model


def conv_bn() -> ModelProto:
    graph = """(float[N,3,8,8] x) => (float[N,5] y) {
        a = Conv <pads = [1, 1, 1, 1]> (x, w)
        b = BatchNormalization (a, pscale, bias, mean, pvar)
        c = Relu (b)  d = GlobalAveragePool (c)  e = Flatten (d)  y = Gemm <transB = 1> (e, w2, b2) }"""
    return text(
        graph, w=(4, 3, 3, 3), pscale=(4,), bias=(4,), mean=(4,), pvar=(4,), w2=(5, 4), b2=(5,)
    )  # fmt: skip


def mlp() -> ModelProto:
    graph = """(float[N,6] x) => (float[N,4] y) {
        a = MatMul (x, w)  b = Add (a, c)  d = LeakyRelu <alpha = 0.2> (b)  i = Identity (d)  j = Dropout (i)
        e = MatMul (j, w2)  f = Add (e, c2)  y = Softmax <axis = -1> (f) }"""
    return text(graph, w=(6, 8), c=(8,), w2=(8, 4), c2=(4,))


def norm() -> ModelProto:
    graph = """(float[B,T,8] x) => (float[B,T,8] y) <int64[1] last = {-1}, float eps = {0.00001}, float two = {2.0},
        float half = {0.5}, float one = {1.0}, float root = {1.4142135}> {
        m = ReduceMean <axes = [-1]> (x)  d = Sub (x, m)  s = Pow (d, two)  v = ReduceMean <axes = [-1]> (s)
        e = Add (v, eps)  r = Sqrt (e)  n = Div (d, r)  g = Mul (n, scale)  h = Add (g, bias)
        k = Div (h, root)  l = Erf (k)  o = Add (l, one)  p = Mul (h, o)  y = Mul (p, half) }"""
    return text(graph, scale=(8,), bias=(8,))


def shapes() -> ModelProto:
    """Reshapes whose sizes are computed from the input's."""
    graph = """(float[B,T,12] x) => (float[B,T,12] y) <int64[1] zero = {0}, int64[1] one = {1}, int64[1] three = {3},
        int64[1] four = {4}, int64[1] twelve = {12}, int64 i = {0}, int64 j = {1}> {
        s = Shape (x)  b = Gather <axis = 0> (s, i)  t = Gather <axis = 0> (s, j)
        b1 = Unsqueeze (b, zero)  t1 = Unsqueeze (t, zero)
        c = Concat <axis = 0> (b1, t1, three, four)  r = Reshape (x, c)  q = Transpose <perm = [0, 2, 1, 3]> (r)
        u = Relu (q)  v = Transpose <perm = [0, 2, 1, 3]> (u)  e = Concat <axis = 0> (b1, t1, twelve)
        z = Reshape (v, e)  k = Cast <to = 1> (z)  y = MatMul (k, w) }"""
    return text(graph, w=(12, 12))


def branches() -> ModelProto:
    graph = """(float[N,4] x, bool flag) => (float[N,4] y) {
        n = Neg (x)
        a = If (flag) <then_branch = t () => (float[N,4] p) { q = MatMul (x, w)  p = Tanh (q) },
                       else_branch = e () => (float[N,4] r) { r = LeakyRelu <alpha = 0.1> (n) }>
        y = Add (a, x) }"""
    return text(graph, w=(4, 4))


def loop() -> ModelProto:
    graph = """(float[4] x) => (float[4] y, float[K,4] scan) <int64 times = {3}, bool go = {1}> {
        y, scan = Loop (times, go, x) <body = b (int64 i, bool c, float[4] s) => (bool c2, float[4] s2, float[4] o) {
            c2 = Identity (c)  t = Mul (s, w)  s2 = Add (t, x)  o = Tanh (s2) }> }"""
    return text(graph, w=(4,))


def pieces() -> ModelProto:
    graph = """(float[N,12] x) => (float[N,4] y) <int64[3] parts = {4, 4, 4}, int64[1] two = {2},
        int64[1] far = {10000}, int64[1] axis = {1}, float low = {-1.0}, float high = {1.0}> {
        a, b, c = Split <axis = 1> (x, parts)  d = Sigmoid (a)  e = Tanh (b)  f = Mul (d, e)  g = Clip (c, low, high)
        h = Add (f, g)  l = Slice (h, two, far, axis)  m = Concat <axis = 1> (l, l)  y = Max (m, h) }"""
    return text(graph)


def functions() -> ModelProto:
    body = """<domain: "local", opset_import: ["" : 17]> leaky <alpha> (a, k) => (d)
        { s = Mul (a, k)  d = LeakyRelu <alpha: float = @alpha> (s) }"""
    graph = """(float[N,4] x) => (float[N,4] y)
        { a = local.leaky <alpha = 0.3> (x, w)  y = local.leaky <alpha = 0.1> (a, w) }"""
    return text(graph, functions=body, w=(4,))


NETS: dict[str, Callable[[], ModelProto]] = {
    function.__name__: function for function in (conv_bn, mlp, norm, shapes, branches, loop, pieces, functions)
}


def exported() -> dict[str, Callable[[], ModelProto]]:
    """What torch's exporters wrote (tests/oracles/torch_export.py)."""
    return {path.stem: lambda path=path: onnx.load(path) for path in sorted(EXPORTED.glob("*.onnx"))}
