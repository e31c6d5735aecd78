"""From the numbers of the runs to what is said of an output, and when that contradicts the verdict."""

from typing import Any

import pytest
from onnx import TensorProto, helper
from support.onnx_models import model, read, value, weight

from gitops_model.diff.probe import Probe, ProbedOutput
from gitops_model.diff.probing.tolerance import BRAIN, FLIPPED, FLOAT, HALF, QUANTISED, tolerance
from gitops_model.diff.result import Verdict
from gitops_model.pipeline.probe import contradiction
from gitops_model.pipeline.probe_outputs import judged
from gitops_model.render.diff.probe import headline, outcome, share_text

DRAFT = ProbedOutput(("y", "y"), ("float32[2]", "float32[2]"))
EQUIVALENT = Verdict("graph-only", "patch", equivalent=True)


def row(**changes: Any) -> dict[str, Any]:
    numbers = {"elements": 10, "beyond": 0, "max_abs": 0.0, "max_rel": 0.0, "nan": 0, "infinite": 0, "finite": 10}
    return numbers | {"same_bits": True, "discrete": False} | changes


def test_the_worst_of_all_runs_counts() -> None:
    found = judged(
        DRAFT, [row(max_abs=1e-7, same_bits=False), row(max_abs=0.5, max_rel=0.1, beyond=1, nan=2, rows=4, agreeing=3)]
    )
    assert (found.max_abs, found.max_rel, found.nan, found.argmax) == (0.5, 0.1, 2, 0.75)
    assert (found.agrees, found.same_bits) == (False, False)


def test_rounding_agrees() -> None:
    found = judged(DRAFT, [row(), row(max_abs=1e-7, same_bits=False)])
    assert (found.agrees, found.same_bits, outcome(found)) == (True, False, "agrees")
    assert outcome(judged(DRAFT, [row()])) == "same bits"


def test_a_few_integers_may_flip() -> None:
    assert judged(DRAFT, [row(discrete=True, beyond=int(FLIPPED * 10))]).agrees
    flipped = judged(DRAFT, [row(discrete=True, beyond=int(FLIPPED * 10) + 1)])
    assert flipped.agrees is False
    assert "3 of 10 elements differ" in outcome(flipped)


def test_what_is_random_is_not_blamed_on_the_change() -> None:
    found = judged(DRAFT._replace(varies=(True, True)), [row(beyond=10, max_abs=3.0)])
    assert (found.agrees, found.max_abs) == (None, None)
    assert outcome(found) == "not compared; random: before and after give other values for the same inputs"


def test_nan_throughout_is_no_agreement() -> None:
    assert judged(DRAFT, [row(finite=0)]).agrees is None
    assert judged(DRAFT, [row(finite=0), row()]).agrees
    assert judged(DRAFT, [row(elements=0, finite=0)]).agrees


def test_what_cannot_be_compared_is_said() -> None:
    found = judged(DRAFT, [{"note": "texts and numbers cannot be compared"}])
    assert (found.agrees, found.note) == (None, "texts and numbers cannot be compared")
    assert judged(DRAFT, [{"note": "another shape", "beyond": 3, "elements": 3}]).agrees is False


# --- the verdict against the runs -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "agrees, equivalent, shouts", [(False, True, True), (True, True, False), (None, True, False), (False, False, False)]
)
def test_an_equivalent_change_with_other_outputs_is_an_error(agrees: Any, equivalent: bool, shouts: bool) -> None:
    probe = Probe(runs=6, outputs=(DRAFT._replace(agrees=agrees), DRAFT._replace(agrees=True)))
    found = list(contradiction(EQUIVALENT._replace(equivalent=equivalent), probe))
    assert [problem.code for _, problem in found] == (["GM311"] if shouts else [])


def test_many_outputs_are_not_all_named() -> None:
    outputs = tuple(ProbedOutput((f"o{n}", f"o{n}"), ("", ""), agrees=False) for n in range(9))
    ((side, problem),) = contradiction(EQUIVALENT, Probe(runs=1, outputs=outputs))
    assert side == "after"
    assert "o4 and 4 more" in problem.message
    assert "o5" not in problem.message


@pytest.mark.parametrize(
    "said, whole",
    [((), None), ((True,), True), ((True, False, None), False), ((True, None), None), ((None,), None)],
)
def test_the_whole_is_what_all_outputs_say(said: tuple[bool | None, ...], whole: bool | None) -> None:
    assert Probe(outputs=tuple(DRAFT._replace(agrees=one) for one in said)).agrees is whole


@pytest.mark.parametrize(
    "outputs, words",
    [
        ((DRAFT._replace(agrees=True, same_bits=True),), "outputs are the same, bit for bit"),
        ((DRAFT._replace(agrees=True),), "outputs agree, within 0.1% of their largest"),
        ((DRAFT._replace(agrees=False),), "outputs differ"),
        ((DRAFT._replace(agrees=False), DRAFT._replace(agrees=True)), "1 of 2 outputs differ"),
        ((DRAFT, DRAFT._replace(agrees=True)), "1 of 2 outputs could not be compared, the others agree"),
        ((DRAFT,), "1 of 1 outputs could not be compared"),
    ],
)
def test_the_headline(outputs: tuple[ProbedOutput, ...], words: str) -> None:
    probe = Probe("1.2.3", 1, tolerance=1e-3, outputs=outputs)
    assert headline(probe) == f"{words}: 1 run on the same inputs in ONNX Runtime 1.2.3"
    assert headline(Probe(why="no")) == "not run: no"


@pytest.mark.parametrize("share, text", [(None, None), (1.0, "100%"), (0.99999, "99.9%"), (0.5, "50%"), (0.0, "0%")])
def test_a_share_that_is_not_all_never_reads_as_all(share: float | None, text: str | None) -> None:
    assert share_text(share) == text


# --- tolerance --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "op, dtype, room",
    [
        ("Relu", TensorProto.FLOAT, FLOAT),
        ("Relu", TensorProto.DOUBLE, FLOAT),
        ("Relu", TensorProto.FLOAT16, HALF),
        ("Relu", TensorProto.BFLOAT16, BRAIN),
        ("QuantizeLinear", TensorProto.FLOAT, QUANTISED),
        ("DequantizeLinear", TensorProto.FLOAT, FLOAT),  # stored in fewer bits, and computed with in full
        ("MatMulInteger", TensorProto.FLOAT, QUANTISED),
        ("QLinearConv", TensorProto.FLOAT, QUANTISED),
        ("QuantizeLinear", TensorProto.BFLOAT16, BRAIN),
    ],
)
def test_the_coarsest_arithmetic_of_either_model_decides(op: str, dtype: int, room: float) -> None:
    values = [value("x", ["n"])], [value("y", ["n"])]
    plain = read(model([helper.make_node("Relu", ["x"], ["y"])], *values))
    other = read(model([helper.make_node(op, ["x"], ["y"])], *values, (weight("w", 2, dtype=dtype),)))
    assert tolerance(plain, other) == tolerance(other, plain) == room


@pytest.mark.parametrize(
    "to, room", [(TensorProto.FLOAT16, HALF), (TensorProto.BFLOAT16, BRAIN), (TensorProto.INT64, FLOAT)]
)
def test_a_cast_on_the_way_counts(to: int, room: float) -> None:
    assert tolerance(read(model([helper.make_node("Cast", ["x"], ["y"], to=to)], [value("x", ["n"])], []))) == room
