"""The GM4 codes: one per predicted error, in one table that `explain` prints."""

import re

from gitops_model import checks
from gitops_model.finding import Severity
from gitops_model.gpu.reasons import CODE_OF, CODES
from gitops_model.pipeline.explain import overview, page

# The errors that the published contract names, and the two that it has no number for.
CONTRACT = (
    "35 209 222 223 802 803 804 214 ARCH_MISMATCH MISSING_LIBRARY UNDEFINED_SYMBOL UNSUPPORTED_IR UNSUPPORTED_OPSET"
)
CONTRACT += (
    " NOT_IMPLEMENTED CPU_FALLBACK ENGINE_MISMATCH REQUIRE_UNSATISFIED OUT_OF_MEMORY DTYPE_UNSUPPORTED NO_DEVICE"
)


def test_every_predicted_error_has_a_code_of_its_own() -> None:
    assert set(CODE_OF) == {*CONTRACT.split(), "221", "JIT", "UNKNOWN", "SMOKE", "ACCEPTANCE"}
    assert [row.code for row in CODES.values()] == sorted(f"GM4{number:02}" for number in range(1, len(CODES) + 1))
    assert list(CODES) == [row.code for row in CODES.values()]
    assert not set(CODES) & set(checks.CHECKS)


def test_every_code_is_whole() -> None:
    names = [row.name for row in CODES.values()]
    assert len(set(names)) == len(names)
    for row in CODES.values():
        assert re.fullmatch(r"gpu(-[a-z0-9]+)+", row.name)
        assert not row.summary.endswith(".")
        assert len(row.page) > 80
        assert row.rule.severity is (Severity.WARNING if row.error == "JIT" else Severity.ERROR)


def test_explain_prints_them() -> None:
    for row in CODES.values():
        assert row.code in overview()
        text = page(row.code)
        assert text.startswith(f"{row.code} {row.name} (")
        assert " ".join(row.page.split()) in " ".join(text.split())
        assert page(row.name) == text
