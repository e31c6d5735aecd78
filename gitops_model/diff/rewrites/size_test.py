"""Sizes compared with a negative number

Exporters write `expand(-1, …)` as a Where over "is this size -1?". What is made of sizes alone is never negative, so
that the answer is no, whatever the input.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.table import NONE, onnx_name

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "size-test"
NUMERIC = "exact"

KEEPS = frozenset(("Concat", "Gather", "Slice", "Unsqueeze", "Squeeze", "reshape", "unsqueeze", "Cast", "part"))
"""Operations that only move or pick the numbers of their arguments."""
FIRST = frozenset(("Gather", "Slice", "Unsqueeze", "Squeeze", "Cast"))
"""Those whose other arguments say which."""
WIDEST = 2**31
"""A larger number becomes a negative one where it is cast to int32."""
MOST = 256
"""Expressions that are looked at."""


def never_negative(b: "Builder", x: int) -> bool:
    """Whether an integer tensor is made of sizes and constants that are not negative."""
    waiting, seen = [x], {NONE}
    while waiting:
        number = waiting.pop()
        if number in seen:
            continue
        seen.add(number)
        item, name = b.table.items[number], onnx_name(b.table.items[number].op)
        if len(seen) > MOST or b.table.dtype[number] not in ("int64", "int32"):
            return False
        if name in ("Shape", "Size"):
            continue
        if b.table.constant[number]:
            values = b.ints(number)
            if values is None or not all(0 <= value < WIDEST for value in values):
                return False
        elif name in KEEPS:
            waiting += item.args[:1] if name in FIRST else item.args
        else:
            return False
    return True


def equal(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    one, other = call.arg(0), call.arg(1)
    if b.table.constant[one]:
        one, other = other, one
    values, shape = b.ints(other), b.table.static(one)
    if not values or max(values) >= 0 or shape is None or b.table.constant[one] or len(values) > shape[-1:][0]:
        return None
    wide = b.table.static(other)
    if wide is None or wide not in ((), (1,), shape) or not never_negative(b, one):
        return None
    count = 1
    for dim in shape:
        count *= dim
    if count > MOST:
        return None
    made = b.value("bool", shape, bytes(count))
    b.note(PATTERN)
    return (made,)


RULES: "Rules" = {("ai.onnx", "Equal"): (equal,)}
