"""Graphs that are small and could take for ever: what is counted here are steps, not seconds."""

from collections import Counter
from types import SimpleNamespace

import pytest
from support.onnx_text import side

from gitops_model.diff import diff_models
from gitops_model.diff.proof import dims, table
from gitops_model.diff.proof.compare import without_common

DOUBLED = 40


@pytest.mark.parametrize("line", ["s{1} = Add(s{0}, s{0})", "s{1} = Concat <axis = 0> (s{0}, s{0})"])
def test_sizes_that_double(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """Every path to the unknown size at the bottom, of which there are 2^40, asks the same few operations."""
    asked: Counter[int] = Counter()
    evaluated = dims.evaluated

    def counted(b: SimpleNamespace, number: int, depth: int) -> table.Dims | None:
        asked[number] += 1
        assert asked.total() < 100 * DOUBLED
        return evaluated(b, number, depth)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(dims, "evaluated", counted)
    lines = "  ".join(line.format(index, index + 1) for index in range(DOUBLED))
    text = f"(float[N,8] x, int64[K] s0) => (float[A,B] y) {{ {lines}  r = Reshape(x, s{DOUBLED})  y = Tanh(r) }}"
    assert not diff_models(side(text), side(text.replace("Tanh", "Relu"))).verdict.equivalent
    assert asked


class Alike(int):
    """A number that counts how often it is compared."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        Alike.compared += 1
        return int(self) == other

    __hash__ = int.__hash__


def test_many_arguments_in_any_order() -> None:
    count = 2_000
    left, right = (tuple(Alike(index + first) for index in range(count)) for first in (0, count // 2))
    Alike.compared = 0
    assert without_common(left, right) == (list(range(count // 2)), list(range(count, count + count // 2)))
    assert Alike.compared < 10 * count
    assert without_common((1, 1, 2), (3, 1)) == ([1, 2], [3])


def test_dimensions_that_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Gather at a table of places adds a dimension, and a chain of them would hold the square of its length."""
    tables: list[table.Table] = []
    make = table.Table.__init__

    def noted(self: table.Table) -> None:
        make(self)
        tables.append(self)

    monkeypatch.setattr(table.Table, "__init__", noted)
    lines = "  ".join(f"t{index + 1} = Gather(t{index}, p)" for index in range(300))
    text = f"(float[1,8] t0) => (float[A,B] y) <int64[1,2] p = {{0, 0}}> {{ {lines}  y = Tanh(t300) }}"
    assert not diff_models(side(text), side(text.replace("Tanh", "Relu"))).verdict.equivalent
    assert tables
    assert max(len(shape or ()) for shape in tables[0].shape) == table.MOST_DIMS
