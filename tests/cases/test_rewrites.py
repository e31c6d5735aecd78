"""Every case of a known rewrite: good ones are proved and named, bad ones are not; ONNX Runtime is the referee."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from onnx import ModelProto
from support import referee
from support.rewrite_cases import Case, update, walk

from gitops_model.diff import diff_models
from gitops_model.diff.result import ModelDiff
from gitops_model.diff.rewrites import LOSSY, numeric

GOOD, BAD = walk("good"), walk("bad")
COARSE = 0.1
"""How far numbers of fewer bits may be off in the small models here."""

Run = tuple[list[Any], list[Any]]


def name(case: Case) -> str:
    return case.name


def named(diff: ModelDiff) -> list[str]:
    return [f"{rewrite.pattern} {rewrite.number} {rewrite.numeric}" for rewrite in diff.graph.rewrites]


@pytest.mark.parametrize("case", GOOD, ids=name)
def test_good_case_is_proved_and_named(case: Case, request: pytest.FixtureRequest) -> None:
    before, after = case.sides()
    lossy = case.pattern in LOSSY
    for one, other in ((before, after), (after, before)):
        diff = diff_models(one, other)
        assert diff.verdict.equivalent == (not lossy)
        assert diff.verdict.bump in ("none", "patch")
        if request.config.getoption("--update-golden"):
            update(case, named(diff))
        else:
            assert named(diff) == case.rewrites
        kinds = {rewrite.pattern: rewrite.numeric for rewrite in diff.graph.rewrites}
        assert kinds[case.pattern] in {
            numeric(case.pattern),
            *(["rounded"] if case.pattern == "constant-folding" else []),
        }


@pytest.mark.parametrize("case", BAD, ids=name)
def test_bad_case_is_not_claimed(case: Case) -> None:
    before, after = case.sides()
    for side in (before, after):
        assert diff_models(side, side).verdict.equivalent, "a model that is not itself shows nothing"
    for one, other in ((before, after), (after, before)):
        diff = diff_models(one, other)
        assert not diff.verdict.equivalent
        assert (case.pattern in {rewrite.pattern for rewrite in diff.graph.rewrites}) == ("named" in case.keys)


# --- the referee ------------------------------------------------------------------------------------------------------
def given(model: ModelProto, case: Case) -> Iterator[dict[str, Any]]:
    """Random inputs of some seeds, and special ones; values that are no numbers where the claim covers them."""
    for seed in range(3 if case.good else 8):
        yield referee.inputs(model, seed, case.sizes)
    if case.pattern in LOSSY:
        return  # a scale is made for a range
    random = referee.inputs(model, 0, case.sizes)
    yield from referee.special(random)
    exact = all(rewrite.endswith(" exact") for rewrite in case.rewrites)
    unreal = referee.unreal(random) if case.good and exact and "reals" not in case.keys else None
    if unreal is not None:
        yield unreal


def runs(case: Case, folder: Path, *, thorough: bool = False) -> Iterator[Run]:
    """Of both models on the same inputs, where both run. onnx's own interpreter where ONNX Runtime runs neither.

    With `thorough` by both: ONNX Runtime computes float16 as float32.
    """
    before, after = case.runnable(folder)
    known = any(referee.run(model, referee.inputs(before, 0, case.sizes)) for model in (before, after))
    for judge in (referee.run, *(() if known and not thorough else (referee.interpreted,))):
        for values in given(before, case):
            one, other = judge(before, values), judge(after, values)
            if case.good:
                assert (one is None) == (other is None), "one of them cannot be run on what the other takes"
            if one is not None and other is not None:
                yield one, other


@pytest.mark.parametrize("case", GOOD, ids=name)
def test_good_case_computes_the_same(case: Case, tmp_path: Path) -> None:
    found = list(runs(case, tmp_path))
    assert len(found) >= 3
    for one, other in found:
        assert referee.same(one, other, COARSE if case.pattern in LOSSY else 1e-3)


@pytest.mark.parametrize("case", [case for case in BAD if "unequal" not in case.keys], ids=name)
def test_bad_case_computes_something_else(case: Case, tmp_path: Path) -> None:
    """Or one of the two cannot be run at all."""
    before, after = case.runnable(tmp_path)
    values = referee.inputs(before, 0, case.sizes)
    refused = [model for model in (before, after) if referee.run(model, values) is None]
    assert len(refused) == 1 or any(
        not referee.same(one, other, 1e-5) for one, other in runs(case, tmp_path, thorough=True)
    )
