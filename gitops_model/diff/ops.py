"""What ONNX's own operators are, from ops.json (made by tests/support/op_table.py from the onnx package's schemas)."""

import json
import os
from functools import cache
from typing import NamedTuple

Default = str | int | float | list[int] | list[float] | list[str]


class Meaning(NamedTuple):
    """`version` is the first version of the operator that means the same; `defaults` its attributes' defaults.

    `attributes` are all that it may have, `inputs` the most that it may take (None: any number).
    """

    version: int
    defaults: dict[str, Default]
    attributes: frozenset[str] = frozenset()
    inputs: int | None = None


@cache
def _table() -> dict[str, list[tuple[int, int, dict[str, Default], list[str], int | None]]]:
    # Not importlib.resources: it costs a record of a small model a tenth of its time.
    with open(os.path.join(os.path.dirname(__file__), "ops.json"), encoding="utf-8") as stream:
        return json.load(stream)


@cache
def meaning(op_type: str, opset: int) -> Meaning | None:
    """Of an operator of the default domain under an opset import; None for one that is not known."""
    found = None
    for since, version, defaults, attributes, inputs in _table().get(op_type, ()):
        if since <= opset:
            found = Meaning(version, defaults, frozenset(attributes), inputs)
    return found


def same_meaning(op_type: str, opset: int, other: int) -> bool:
    """Whether an operator means the same under both. The format demands it of functions with an opset of their own."""
    if opset == other:
        return True
    one, two = meaning(op_type, opset), meaning(op_type, other)
    return one is not None and two is not None and one.version == two.version


@cache
def newest() -> int:
    """The newest opset whose operators the table knows."""
    return max(since for rows in _table().values() for since, *_ in rows)


DRAWING = ("random", "bernoulli", "multinomial", "sampl", "dropout")


@cache
def is_random(domain: str, op_type: str) -> bool:
    """Whether an operator may draw random numbers: two of these are never one value. ONNX's Dropout is judged apart."""
    if op_type == "Dropout" and domain == "ai.onnx":
        return False
    name = op_type.lower()
    return any(word in name for word in DRAWING) and name not in ("upsample", "gridsample")
