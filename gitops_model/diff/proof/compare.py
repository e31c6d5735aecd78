"""Are two expressions equal? Walked in pairs from the outputs; a constant that only one side stored is computed."""

from collections.abc import Generator
from enum import IntEnum
from itertools import permutations
from typing import Any

from gitops_model.diff.proof.evaluate import Evaluator, Unknown
from gitops_model.diff.proof.infer import items_of
from gitops_model.diff.proof.table import Expression, Table


class Outcome(IntEnum):
    """How two expressions compare, better ones first; a whole is as good as its worst part."""

    EXACT = 0
    ROUNDED = 1
    """Equal in real arithmetic; constants computed here match within float rounding."""
    WEIGHTS = 2
    """The same operations on the same shapes, but constants changed."""
    DIFFERENT = 3


COMMUTATIVE = frozenset(("prod", "sum", "Max", "Min", "Mean", "And", "Or", "Xor", "Equal"))

ROUNDING = {"float32": 2.0**-23, "float64": 2.0**-52, "float16": 2.0**-10, "bfloat16": 2.0**-7}
"""Machine epsilon of each type."""

ULPS = 16
"""Units in the last place that a folding may lose: a handful of operations of half a unit each, and some room."""

LIMIT_PAIRS = 4_000_000

Visit = Generator[tuple[int, int], Outcome, Outcome]


class Comparison:
    """Compares expressions of one table; `changed` are the pairs of stored constants that differ."""

    def __init__(self, table: Table, evaluator: Evaluator) -> None:
        self.table = table
        self.evaluator = evaluator
        self.memo: dict[tuple[int, int], Outcome] = {}
        self.changed: dict[tuple[int, int], None] = {}
        self.folded = 0

    def outcome(self, a: int, b: int) -> Outcome:
        """The outcome for a pair, without recursion however deep the graphs are."""
        if a == b:
            return Outcome.EXACT
        stack: list[tuple[tuple[int, int], Visit]] = [((a, b), self.visit(a, b))]
        answer: Outcome | None = None
        while stack:
            pair, visit = stack[-1]
            try:
                wanted = next(visit) if answer is None else visit.send(answer)
            except StopIteration as done:
                answer = done.value
                assert answer is not None
                self.memo[pair] = answer
                stack.pop()
                continue
            known = Outcome.EXACT if wanted[0] == wanted[1] else self.memo.get(wanted)
            if known is None and len(self.memo) > LIMIT_PAIRS:
                known = Outcome.DIFFERENT
            answer = known
            if known is None:
                stack.append((wanted, self.visit(*wanted)))
        assert answer is not None
        return answer

    def visit(self, a: int, b: int) -> Visit:
        table = self.table
        if table.constant[a] and table.constant[b]:
            return self.constants(a, b)
        one, other = table.items[a], table.items[b]
        skeleton, inner = parts(one)
        other_skeleton, other_inner = parts(other)
        if one.op != other.op or skeleton != other_skeleton or len(one.args) != len(other.args):
            return Outcome.DIFFERENT
        if len(inner) != len(other_inner):
            return Outcome.DIFFERENT
        worst = Outcome.EXACT
        for pair in zip(inner, other_inner, strict=True):
            worst = max(worst, (yield pair))
        if worst is Outcome.DIFFERENT:
            return worst
        direct = worst
        for pair in zip(one.args, other.args, strict=True):
            direct = max(direct, (yield pair))
            if direct is Outcome.DIFFERENT:
                break
        if direct <= Outcome.ROUNDED or name(one.op) not in COMMUTATIVE:
            return direct
        left, right = without_common(one.args, other.args)
        best = direct
        if 1 < len(left) <= 4:
            for order in permutations(right):
                trial = worst
                for pair in zip(left, order, strict=True):
                    trial = max(trial, (yield pair))
                    if trial >= best:
                        break
                best = min(best, trial)
        elif len(left) == 1:
            best = min(best, max(worst, (yield (left[0], right[0]))))
        return best

    def constants(self, a: int, b: int) -> Outcome:
        """Two constants: stored ones must be the same bytes; a computed one may be off by rounding."""
        table = self.table
        stored = table.items[a].op == table.items[b].op == "const"
        same_type = not (table.dtype[a] and table.dtype[b]) or table.dtype[a] == table.dtype[b]
        if not same_type:
            return Outcome.DIFFERENT
        if stored:
            if table.shape[a] != table.shape[b]:
                return Outcome.DIFFERENT
            self.changed[a, b] = None
            return Outcome.WEIGHTS
        try:
            outcome = close(self.evaluator.value(a), self.evaluator.value(b), table.dtype[a] or table.dtype[b])
        except Unknown:
            return Outcome.DIFFERENT
        if outcome <= Outcome.ROUNDED:
            self.folded += 1
        return outcome


def close(one: Any, other: Any, dtype: str) -> Outcome:
    """Whether two values are equal, or equal within the rounding of their type (each element, or the largest one's)."""
    import numpy as np

    if one.shape != other.shape:
        return Outcome.DIFFERENT
    if np.array_equal(one, other):
        return Outcome.EXACT
    epsilon = ROUNDING.get(dtype)
    if epsilon is None or one.dtype.kind != "f" or other.dtype.kind != "f":
        return Outcome.WEIGHTS
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        return Outcome.WEIGHTS
    size = np.maximum(np.abs(one), np.abs(other))
    bound = ULPS * epsilon * size + epsilon * (size.max() if size.size else 0)
    return Outcome.ROUNDED if bool((np.abs(one - other) <= bound).all()) else Outcome.WEIGHTS


def parts(item: Expression) -> tuple[tuple[Any, ...], list[int]]:
    """Attributes without the expressions inside them (bodies of subgraphs, tensors), and those expressions."""
    inner: list[int] = []
    if not any(isinstance(attr, tuple) for attr in item.attrs):
        return item.attrs, inner
    skeleton: list[Any] = []
    for attr in item.attrs:
        pair: tuple[Any, ...] = items_of(attr) or ()
        value = items_of(pair[1]) if len(pair) == 2 else None
        if value is not None:
            if value[:1] == ("graph",):
                skeleton.append((pair[0], "graph", value[1], len(value)))
                inner += value[2:]
                continue
            if value[:1] == ("tensor",):
                skeleton.append((pair[0], "tensor"))
                inner.append(value[1])
                continue
        skeleton.append(attr)
    return tuple(skeleton), inner


def name(op: str) -> str:
    return op.split(":")[1] if op.count(":") == 2 else op


def without_common(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """Both lists without what they share."""
    rest = list(right)
    kept: list[int] = []
    for item in left:
        if item in rest:
            rest.remove(item)
        else:
            kept.append(item)
    return kept, rest
