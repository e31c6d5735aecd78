"""Small networks as tools rewrite them: what must be proved, what must not, and what is recognised as lossy."""

import pytest
from support import rewriters
from support.accuracy import Judged, judged

UNPROVED = {
    "onnxruntime all": {"conv_bn", *(f"conv_{size}_{exporter}" for size in ("fixed", "dynamic")
                                     for exporter in ("script", "dynamo", "dynamo_plain"))},
}  # fmt: skip
"""What is known not to be proved although it is equal: ONNX Runtime's own layout of channels."""


@pytest.mark.parametrize("tool", rewriters.EXACT)
def test_equal_models(tool: str) -> None:
    found = [item for item in judged(rewriters.EXACT[tool]) if isinstance(item, Judged)]
    assert len(found) >= 14
    assert not [item.net for item in found if item.diff.verdict.equivalent and item.agree is False]
    unproved = {item.net for item in found if item.agree and not item.diff.verdict.equivalent}
    assert unproved == UNPROVED.get(tool, set())


UNNAMED = {
    "float16 converter": {"norm", "shapes", "branches"},  # the converter writes one value twice: no valid model
    "quantize_static QDQ": {"pieces"},  # a Clip is left out where the integers end at the same place
    "quantize_static QOperator": {"pieces"},
}
"""What is known not to be recognised."""


@pytest.mark.parametrize("tool", rewriters.LOSSY)
def test_fewer_bits(tool: str) -> None:
    """Never equivalent, and named for what it is."""
    pattern, rewrite = rewriters.LOSSY[tool]
    found = [item for item in judged(rewrite) if isinstance(item, Judged) and not item.unchanged]
    quantised = [item for item in found if not item.diff.verdict.equivalent]
    assert len(quantised) > 20
    assert all(item.agree is not False for item in found if item.diff.verdict.equivalent)
    named = [item for item in quantised if pattern in {rewrite.pattern for rewrite in item.diff.graph.rewrites}]
    assert {item.net for item in quantised} - {item.net for item in named} == UNNAMED.get(tool, set())
    for item in named:
        assert all(rewrite.numeric == "lossy" for rewrite in item.diff.graph.rewrites if rewrite.pattern == pattern)
        assert item.diff.verdict.bump in ("patch", "major")
