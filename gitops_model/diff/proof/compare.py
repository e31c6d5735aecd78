"""Are two expressions equal? Walked in pairs from the outputs; a constant that only one side stored is computed."""

from collections import Counter
from collections.abc import Generator
from functools import lru_cache
from itertools import permutations
from typing import Any

from gitops_model.diff.proof.evaluate import Evaluator
from gitops_model.diff.proof.lossy import CUT, Lossy
from gitops_model.diff.proof.operations import Unknown
from gitops_model.diff.proof.table import Expression, Table, items_of, onnx_name, version_of
from gitops_model.diff.proof.values import Outcome, close

COMMUTATIVE = frozenset(("prod", "sum", "Max", "Min", "Mean", "And", "Or", "Xor", "Equal"))
"""Of the default domain since opset 7 (before, the second argument was broadcast to the first), and our own."""

RELU = "ai.onnx:Relu:6"

LIMIT_PAIRS = 1_000_000

Args = tuple[int, ...]
Visit = Generator[tuple[int, int], Outcome, Outcome]


class Comparison:
    """Compares expressions of one table; `changed` are the pairs of stored constants that differ."""

    def __init__(self, table: Table, evaluator: Evaluator, *, lossy: bool = False) -> None:
        self.lossy = Lossy(table, evaluator) if lossy else None
        self.table = table
        self.evaluator = evaluator
        self.memo: dict[tuple[int, int], Outcome] = {}
        self.changed: dict[tuple[int, int], None] = {}
        self.folded = self.rounded = 0
        """Constants that were computed here and are equal; those of them that are equal within rounding."""
        self.cuts: dict[int, bool] = {}  # whether a cut is a Relu on the other side

    def outcome(self, a: int, b: int) -> Outcome:
        """The outcome for a pair, without recursion however deep the graphs are."""
        answer = self.known((a, b))
        stack: list[tuple[tuple[int, int], Visit]] = [] if answer is not None else [((a, b), self.visit(a, b))]
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
            answer = self.known(wanted)
            if answer is None:
                stack.append((wanted, self.visit(*wanted)))
        assert answer is not None
        return answer

    def known(self, pair: tuple[int, int]) -> Outcome | None:
        """The outcome for a pair that takes no walk; None for any other."""
        a, b = pair
        if a == b:
            return Outcome.EXACT
        found = self.memo.get(pair)
        if found is None and len(self.memo) > LIMIT_PAIRS:
            return Outcome.DIFFERENT
        if found is None and self.table.constant[a] and self.table.constant[b]:
            found = self.constants(a, b)
            if found is not None:
                self.memo[pair] = found
        return found

    def visit(self, a: int, b: int) -> Visit:
        one, other = self.table.items[a], self.table.items[b]
        if self.lossy is not None and (one.op == CUT) != (other.op == CUT):
            inner = [item.args[0] if item.op in (CUT, RELU) else number for item, number in ((one, a), (other, b))]
            found = yield inner[0], inner[1]
            cut, meant = (a, other.op == RELU) if one.op == CUT else (b, one.op == RELU)
            if found is not Outcome.DIFFERENT and self.cuts.setdefault(cut, meant) != meant:
                return Outcome.DIFFERENT  # it is a Relu here and none there
            return found
        if one.op != other.op or len(one.args) != len(other.args):
            return Outcome.DIFFERENT
        worst = Outcome.EXACT
        if one.attrs != other.attrs:
            worst = yield from self.attributes(one, other)
            if worst is Outcome.DIFFERENT:
                return worst
        direct = worst
        for pair in zip(one.args, other.args, strict=True):
            direct = max(direct, (yield pair))
            if direct is Outcome.DIFFERENT:
                break
        if direct <= Outcome.ROUNDED or not commutes(one.op):
            return direct
        return (yield from self.in_other_order(one.args, other.args, worst, direct))

    def attributes(self, one: Expression, other: Expression) -> Visit:
        """The outcome for attributes that are not the same as they stand."""
        skeleton, inner = parts(one)
        other_skeleton, other_inner = parts(other)
        if skeleton != other_skeleton or len(inner) != len(other_inner):
            return Outcome.DIFFERENT
        worst = Outcome.EXACT
        for (kind, mine), (_, other_one) in zip(inner, other_inner, strict=True):
            found = yield mine, other_one
            if kind == "tensor" and found is not Outcome.EXACT:
                return Outcome.DIFFERENT  # a tensor in an attribute is part of what the operation is
            worst = max(worst, found)
        return worst

    def in_other_order(self, ours: Args, theirs: Args, worst: Outcome, direct: Outcome) -> Visit:
        """The best outcome for arguments whose order does not matter; `direct` as they stand."""
        left, right = without_common(ours, theirs)
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

    def constants(self, a: int, b: int) -> Outcome | None:
        """Two constants: stored ones must be the same bytes; a computed one may be off by rounding.

        None where a value is not known: then they are compared as expressions.
        """
        table = self.table
        if self.lossy is not None:
            return self.lossy.constants(a, b)
        stored = table.items[a].op == table.items[b].op == "const"
        if table.dtype[a] != table.dtype[b]:
            return Outcome.DIFFERENT
        if stored:
            if table.shape[a] != table.shape[b]:
                return Outcome.DIFFERENT
            self.changed[a, b] = None
            return Outcome.WEIGHTS
        if not table.dtype[a]:
            return None
        try:
            outcome = close(self.evaluator.both(a), self.evaluator.both(b), table.dtype[a])
        except Unknown:
            return None
        if outcome <= Outcome.ROUNDED:
            self.folded += 1
            self.rounded += outcome is Outcome.ROUNDED
        return outcome


def parts(item: Expression) -> tuple[tuple[Any, ...], list[tuple[str, int]]]:
    """Attributes without the expressions inside them (bodies of subgraphs, tensors), and those: (kind, expression)."""
    inner: list[tuple[str, int]] = []
    if not any(isinstance(attr, tuple) for attr in item.attrs):
        return item.attrs, inner
    skeleton: list[Any] = []
    for attr in item.attrs:
        pair: tuple[Any, ...] = items_of(attr) or ()
        value = items_of(pair[1]) if len(pair) == 2 else None
        if value is not None:
            if value[:1] == ("graph",):
                skeleton.append((pair[0], "graph", value[1], len(value)))
                inner += [("graph", number) for number in value[2:]]
                continue
            if value[:1] == ("tensor",):
                skeleton.append((pair[0], "tensor"))
                inner.append(("tensor", value[1]))
                continue
        skeleton.append(attr)
    return tuple(skeleton), inner


@lru_cache(4096)
def commutes(op: str) -> bool:
    name = onnx_name(op)
    return name in COMMUTATIVE and not (name in ("And", "Or", "Xor", "Equal") and version_of(op) < 7)


def without_common(left: Args, right: Args) -> tuple[list[int], list[int]]:
    """Both lists without what they share, each as often as both have it."""
    return without(left, Counter(right)), without(right, Counter(left))


def without(items: Args, gone: Counter[int]) -> list[int]:
    kept: list[int] = []
    for item in items:
        if gone[item] > 0:
            gone[item] -= 1
        else:
            kept.append(item)
    return kept
