"""Small changes of meaning to the cases of known rewrites: what is still called equivalent must compute the same.

Attributes, constants, their shapes, wires, operators and opsets of one side change, or types, shapes and opsets of
both. ONNX Runtime is the referee, and onnx's own interpreter where that refuses.
"""

import os
import random
from collections.abc import Iterator

import pytest
from support import mutants
from support.judge import Judge
from support.rewrite_cases import Case, side_of, walk

from gitops_model.diff import diff_models
from gitops_model.diff.rewrites import REWRITES
from gitops_model.errors import BadFile

FUZZ = os.environ.get("GITOPS_MODEL_PROFILE") == "fuzz"
MUTANTS = 200 if FUZZ else 6
FIRST = random.SystemRandom().randrange(1 << 30) if FUZZ else 0
CASES = [case for case in walk() if case.pattern in REWRITES and not case.files()]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge() as made:
        yield made


def mutant(case: Case, seed: int) -> tuple[mutants.ModelProto, mutants.ModelProto]:
    before, after = case.protos()
    chance = random.Random(f"{case.name} {seed}")
    if seed % 4 == 0:
        return mutants.both_sided(before, after, chance)
    if seed % 4 == 1:
        return mutants.one_sided(before, chance), after
    return before, mutants.one_sided(after, chance)


@pytest.mark.parametrize("pattern", sorted({case.pattern for case in CASES}))
def test_what_is_called_equivalent_computes_the_same(pattern: str, judge: Judge) -> None:
    judged = agreed = 0
    for case in (case for case in CASES if case.pattern == pattern):
        for seed in range(FIRST, FIRST + MUTANTS):
            try:
                before, after = mutant(case, seed)
                sides = side_of(before, {}), side_of(after, {})
            except (BadFile, ValueError, OverflowError, TypeError):
                continue  # the change cannot be written down, or is no model
            judged += 1
            if diff_models(*sides, measure=False).verdict.equivalent:
                same = judge.agree(before, after)
                assert same is not False, f"{case.name}, seed {seed}"
                agreed += same is True
    assert judged >= MUTANTS
    assert agreed, "nothing that is claimed was put to the test"
