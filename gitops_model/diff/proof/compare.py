"""Are two expressions equal? Walked in pairs from the outputs; a constant that only one side stored is computed."""

from collections.abc import Generator
from itertools import permutations
from typing import Any

from gitops_model.diff.proof.evaluate import Evaluator
from gitops_model.diff.proof.lossy import Lossy
from gitops_model.diff.proof.operations import Unknown
from gitops_model.diff.proof.table import Expression, Table, items_of, onnx_name, version_of
from gitops_model.diff.proof.values import Outcome, close

COMMUTATIVE = frozenset(("prod", "sum", "Max", "Min", "Mean", "And", "Or", "Xor", "Equal"))
"""Of the default domain since opset 7 (before, the second argument was broadcast to the first), and our own."""

CUT, RELU = "cut", "ai.onnx:Relu:6"
"""Numbers that a quantiser cut off at zero (rewrites/qdq.py): a Relu on the other side, or nothing."""

LIMIT_PAIRS = 1_000_000

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
            known = self.constants(a, b)
            if known is not None:
                return known
        one, other = table.items[a], table.items[b]
        if self.lossy is not None and (one.op == CUT) != (other.op == CUT):
            inner = [item.args[0] if item.op in (CUT, RELU) else number for item, number in ((one, a), (other, b))]
            found = yield inner[0], inner[1]
            cut, meant = (a, other.op == RELU) if one.op == CUT else (b, one.op == RELU)
            if found is not Outcome.DIFFERENT and self.cuts.setdefault(cut, meant) != meant:
                return Outcome.DIFFERENT  # it is a Relu here and none there
            return found
        skeleton, inner = parts(one)
        other_skeleton, other_inner = parts(other)
        if one.op != other.op or skeleton != other_skeleton or len(one.args) != len(other.args):
            return Outcome.DIFFERENT
        if len(inner) != len(other_inner):
            return Outcome.DIFFERENT
        worst = Outcome.EXACT
        for (kind, mine), (_, other_one) in zip(inner, other_inner, strict=True):
            found = yield mine, other_one
            if kind == "tensor" and found is not Outcome.EXACT:
                return Outcome.DIFFERENT  # a tensor in an attribute is part of what the operation is
            worst = max(worst, found)
        if worst is Outcome.DIFFERENT:
            return worst
        return (yield from self.arguments(one, other, worst))

    def arguments(self, one: Expression, other: Expression, worst: Outcome) -> Visit:
        """The best outcome for the arguments: as they stand, or in another order where that does not matter."""
        direct = worst
        for pair in zip(one.args, other.args, strict=True):
            direct = max(direct, (yield pair))
            if direct is Outcome.DIFFERENT:
                break
        if direct <= Outcome.ROUNDED or not commutes(one.op):
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


def commutes(op: str) -> bool:
    name = onnx_name(op)
    return name in COMMUTATIVE and not (name in ("And", "Or", "Xor", "Equal") and version_of(op) < 7)


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
