"""What optimisers and converters write. ONNX Runtime judges all: what is proved and what must not be."""

import onnx
import pytest
from support import referee
from support.graph_pairs import Pair
from support.onnx_text import encoded, side
from support.proved_pairs import PROVED
from support.unproved_pairs import UNPROVED

from gitops_model.diff import diff_models

UNJUDGED = {"outputs: another rank"}
"""ONNX Runtime warns of it, and computes."""


def verdicts(pair: Pair) -> tuple[bool, bool | None]:
    """(what is claimed, what ONNX Runtime says)."""
    newer = pair.newer or pair.opset
    claimed = diff_models(side(pair.before, opset=pair.opset), side(pair.after, opset=newer)).verdict.equivalent
    models = [
        onnx.load_from_string(encoded(text, opset=opset))
        for text, opset in ((pair.before, pair.opset), (pair.after, newer))
    ]
    return claimed, referee.agree(*models)


@pytest.mark.parametrize("pair", PROVED.values(), ids=PROVED.keys())
def test_proved(pair: Pair) -> None:
    assert verdicts(pair) == (True, True)


@pytest.mark.parametrize("name", UNPROVED)
def test_unproved(name: str) -> None:
    claimed, agree = verdicts(UNPROVED[name])
    assert not claimed
    assert agree is False or name in UNJUDGED
