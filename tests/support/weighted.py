"""ONNX models whose weights are told in a word: a graph in ONNX's textual syntax, and arrays by name."""

import numpy as np
import onnx.parser
from numpy.typing import NDArray
from onnx import numpy_helper

from gitops_model.diff.match import matching_of
from gitops_model.diff.result import Side, WeightsDiff
from gitops_model.diff.weights import diff
from support.onnx_text import side_of

Array = NDArray[np.generic]


def random(*shape: int, seed: int = 0) -> Array:
    """Normal float32 numbers, other ones for each shape and seed."""
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(np.float32)


def model(graph: str, weights: dict[str, Array], functions: str = "") -> onnx.ModelProto:
    """`graph` as `(float[N,4] x) => (float[N,4] y) { y = MatMul (x, w) }`; the weights become its initializers."""
    imports = '"" : 17' + (', "local" : 1' if functions else "")
    found = onnx.parser.parse_model(f"<ir_version: 8, opset_import: [{imports}]> main {graph} {functions}")
    found.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in weights.items())
    return found


def side(graph: str, weights: dict[str, Array], functions: str = "") -> Side:
    return side_of(model(graph, weights, functions))


def compared(before: Side, after: Side) -> WeightsDiff:
    """The tensors alone, with the places in both graphs."""
    return diff(before, after, lambda: matching_of(before, after))


def fates(found: WeightsDiff) -> dict[str, list[str]]:
    """Fate → the tensors as `name` or `before > after`, sorted; fates that no tensor has are left out."""
    sides = {
        fate: sorted(f"{c.old_name} > {c.name}" if c.old_name is not None else c.name for c in getattr(found, fate))
        for fate in ("changed", "added", "removed", "renamed")
    }
    return {fate: names for fate, names in sides.items() if names}
