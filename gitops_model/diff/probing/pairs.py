"""Which input (or output) of one model is which of the other: by name, and what is left by place."""

from collections.abc import Sequence
from typing import TypeAlias

from gitops_model.ir import Model, TensorType, Value

Pair: TypeAlias = "tuple[Value | None, Value | None]"
"""Before and after; None where a side has no such value."""


def inputs_of(model: Model) -> tuple[Value, ...]:
    """What a caller must give: an initializer that is listed as an input has its value."""
    stored = model.graph.initializers if model.graph is not None else {}
    return tuple(value for value in model.inputs or () if value.name not in stored)


def paired(before: Sequence[Value], after: Sequence[Value]) -> tuple[Pair, ...]:
    """In the order of `after`, then what is only `before`. Other names pair up where they may be the same value."""
    olds = {value.name: value for value in before}
    news = {value.name for value in after}
    waiting = [value for value in before if value.name not in news]
    found: list[Pair] = []
    for value in after:
        partner = olds.get(value.name)
        if partner is None:
            partner = next((old for old in waiting if may_be_the_same(old, value)), None)
            if partner is not None:
                waiting.remove(partner)
        found.append((partner, value))
    return (*found, *((value, None) for value in waiting))


def may_be_the_same(old: Value, new: Value) -> bool:
    """Whether a value may be another one under a new name: numbers of one kind, of as many dimensions."""
    if not isinstance(old.type, TensorType) or not isinstance(new.type, TensorType):
        return old.type == new.type
    ranks = {len(side.shape) for side in (old.type, new.type) if side.shape is not None}
    return kind_of(old.type.dtype) == kind_of(new.type.dtype) and len(ranks) < 2


def kind_of(dtype: str) -> str:
    """float, integer, complex, or the type itself."""
    for kind in ("float", "complex"):
        if kind in dtype:
            return kind
    return "integer" if dtype.startswith(("int", "uint")) else dtype


PRECISION = ("float64", "float32", "float16", "bfloat16")
"""From the finest to the coarsest."""


def common_type(before: str, after: str) -> str | None:
    """The type in which a value is made that both take, so that both get the same one; None where there is none."""
    if before == after:
        return before
    if before in PRECISION and after in PRECISION:
        return max(before, after, key=PRECISION.index)
    kinds = {kind_of(before): before, kind_of(after): after}
    if "bool" in kinds and kinds.keys() <= {"bool", "integer", "float"}:
        return "bool"
    if kinds.keys() == {"integer", "float"}:
        return kinds["integer"]
    if kinds.keys() == {"integer"}:
        return min(before, after, key=lambda dtype: int(dtype.lstrip("uint") or 0))
    return None
