"""Pairs of small graphs in ONNX's textual syntax, and the beginnings that several of them share."""

from typing import NamedTuple


class Pair(NamedTuple):
    """Two graphs, and the opsets under which they stand."""

    before: str
    after: str
    opset: int = 17
    newer: int = 0


def nodes(head: str, one: str, other: str, opset: int = 17, newer: int = 0) -> Pair:
    """Two graphs with the same inputs, outputs and constants."""
    return Pair(f"{head} {{ {one} }}", f"{head} {{ {other} }}", opset, newer)


FLOATS = "(float[N] x, float[N] z) => (float[K] y)"
LIST = "(float[N] x) => (int64[K] y)"
IMAGE = "(float[1,2,6,6] x) => (float[a,b,c,d] y)"
ANY = "(float[N,3] x) => (float[] y)"
RANK = 't = Einsum <equation = "ij->ij"> (x)'
"""Of a rank that is not looked for."""
PAIR = "(float[N,3] x) => (float[a,b] y)"
SCALES = "<float[4] two = {1.0,1.0,2.0,2.0}, float[0] none = {}, int64[4] size = {1,2,12,12}>"
NUMBERS = {"last": -1, "zero": 0, "one": 1, "two": 2, "three": 3, "five": 5, "six": 6, "end": 2**63 - 1}
EMPTY = f"<{', '.join(f'int64[1] {name} = {{{value}}}' for name, value in NUMBERS.items())}>"
DECONV = (
    "(float[1,2,3,3] x) => (float[a,b,c,d] y) <float[2,2,2,2] w = {1,2,3,4,5,6,7,8,8,7,6,5,4,3,2,1}, float[2] v = {1,2}"
)
WIDE = "float[2,2,2,2] w2 = {2,4,6,8,10,12,14,16,16,14,12,10,8,6,4,2}, float[2] v2 = {2,4}, float t = {2}"
TESTED = (
    "(float[N,M] x) => (bool[k] y)"
    " <int64[1] minus = {-1}, int64[1] three = {3}, bool[2] no = {0,0}, int64[1] far = {4294967295}"
)
STATE = (
    "(float[3,N,2] x) => (float[a,b,c,d] y)"
    " <float[1,8,2] w = {1,2,3,4,5,6,7,8,8,7,6,5,4,3,2,1}, float[1,8,2] r = {1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1}"
)
BATCH = (
    "i = Constant <value = int64[1] {1}> ()  h = Constant <value = int64[1] {2}> ()"
    "  s = Shape(x)  n = Gather(s, i)  d = Concat <axis = 0> (i, n, h)"
)
CONVS = (
    "(float[1,1,4] x, float[1,1,3] z) => (float[a,b,c] y)"
    " <float[1,1,2] w = {1,2}, float[1,1,2] w2 = {2,4}, float t = {2}, float[3] many = {2,2,3}, float inf = {inf}>"
)
