"""Initial states and biases of zero

`LSTM`, `GRU` and `RNN` start from zero, and add nothing, where they are given no initial state and no bias: constants
of zeros in their place say the same.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.lossy import CUT
from gitops_model.diff.proof.operations import Unknown
from gitops_model.diff.proof.table import NONE, items_of, onnx_name

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "recurrent-defaults"
NUMERIC = "exact"

BIAS, STATES = 3, (5, 6)
"""Places of the bias and of the initial states."""


GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def zeros(b: "Builder", call: "Call", place: int) -> bool:
    """Whether the argument at a place is a constant of zeros, of the shape that it must have."""
    number, x, hidden = call.arg(place), b.table.shape[call.arg(0)], call.attrs.get("hidden_size")
    if number == NONE or b.evaluator is None or call.attrs.get("layout"):
        return False
    if x is None or len(x) != 3 or not isinstance(hidden, int):
        return False
    ways = 2 if call.attrs.get("direction") == b"bidirectional" else 1
    bias = (ways, 2 * GATES[call.op] * hidden)
    if b.table.shape[number] != (bias if place == BIAS else (ways, x[1], hidden)):
        return False
    try:
        return zeros_of_any_size(b, number) or not b.evaluator.value(number).any()
    except Unknown:
        return False


MOST = 64
"""Expressions that an initial state may be put together from."""
MOVED = ("part", "reshape", "unsqueeze", "Transpose", "Concat", CUT)


def zeros_of_any_size(b: "Builder", number: int) -> bool:
    """A ConstantOfShape or Expand of zero, or parts of one: states are made so where the batch has any size."""
    waiting = [number]
    for _ in range(MOST):
        if not waiting:
            return True
        number = waiting.pop()
        item, name = b.table.items[number], onnx_name(b.table.items[number].op)
        if name in MOVED:
            waiting += item.args
        elif name == "Expand":
            waiting.append(item.args[0])
        elif name == "ConstantOfShape":
            value = items_of(dict(item.attrs).get("value"))
            if value is not None and (value[0] != "tensor" or b.scalar(int(value[1])) != 0.0):
                return False
        elif not b.table.constant[number] or b.scalar(number) != 0.0:
            return False
    return False


def recurrent(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    args = tuple(
        NONE if index in (BIAS, *STATES) and zeros(b, call, index) else arg for index, arg in enumerate(call.args)
    )
    if args == call.args:
        return None
    made = b.emit(call._replace(args=args))
    b.note(PATTERN)
    return made


RULES: "Rules" = {("ai.onnx", op): (recurrent,) for op in ("LSTM", "GRU", "RNN")}
