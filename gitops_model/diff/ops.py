"""What ONNX's own operators are, from ops.json (made by tests/support/op_table.py from the onnx package's schemas)."""

import json
from functools import cache
from importlib.resources import files
from typing import NamedTuple

Default = str | int | float | list[int] | list[float] | list[str]


class Meaning(NamedTuple):
    """`version` is the first version of the operator that means the same; `defaults` its attributes' defaults."""

    version: int
    defaults: dict[str, Default]


@cache
def _table() -> dict[str, list[tuple[int, int, dict[str, Default]]]]:
    return json.loads(files("gitops_model.diff").joinpath("ops.json").read_text(encoding="utf-8"))


@cache
def meaning(op_type: str, opset: int) -> Meaning | None:
    """Of an operator of the default domain under an opset import; None for one that is not known."""
    found = None
    for since, version, defaults in _table().get(op_type, ()):
        if since <= opset:
            found = Meaning(version, defaults)
    return found


COMMUTATIVE = frozenset(
    ("Add", "Mul", "Max", "Min", "Sum", "Mean", "And", "Or", "Xor", "Equal", "BitwiseAnd", "BitwiseOr", "BitwiseXor")
)

RANDOM = frozenset(
    ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli")
)
"""Two of these are never the same value, so a graph with one is proved nothing about."""
