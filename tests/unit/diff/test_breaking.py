"""Random changes of small networks: what is still called equivalent must compute the same (ONNX Runtime is referee)."""

import random
from collections.abc import Callable

import pytest
from onnx import ModelProto
from support import breaking, referee, small_nets
from support.onnx_text import side_of

from gitops_model.diff import diff_models
from gitops_model.errors import BadFile

NETS = {**small_nets.NETS, **small_nets.exported()}
CHANGES = 16


@pytest.mark.parametrize("make", NETS.values(), ids=NETS.keys())
def test_runs(make: Callable[[], ModelProto]) -> None:
    """A referee that refuses the network would find nothing wrong with anything."""
    model = make()
    assert referee.run(model, referee.inputs(model, 0)) is not None
    assert diff_models(side_of(model), side_of(model)).verdict.equivalent


@pytest.mark.parametrize("name", NETS.keys())
def test_nothing_different_is_called_equivalent(name: str) -> None:
    model = NETS[name]()
    before = side_of(model)
    judged = 0
    for seed in range(CHANGES):
        chance = random.Random(f"{name} {seed}")
        changed = breaking.broken(model, chance)
        try:
            after = side_of(changed)
        except BadFile:
            continue
        judged += 1
        if diff_models(before, after).verdict.equivalent:
            assert referee.agree(model, changed) is not False, f"seed {seed}"
    assert judged > CHANGES // 2
