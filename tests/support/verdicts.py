"""What a test expects of a verdict."""

from typing import Any

from gitops_model.gpu.compat import Verdict, judge
from gitops_model.gpu.reasons import CODES

ALLOW, JIT, UNKNOWN, REJECT = "allow", "jit-fallback", "unknown", "reject"


def errors(verdict: Verdict) -> set[str]:
    """The errors of the reasons that decide."""
    return {reason.error for reason in verdict.reasons if reason.effect.verdict == verdict.verdict}


def expect(needs: dict[str, Any], target: dict[str, Any], verdict: str, error: str | None = None) -> Verdict:
    found = judge(needs, target)
    assert found.verdict == verdict, found.reasons
    if error is not None:
        assert error in errors(found), found.reasons
    for reason in found.reasons:
        assert CODES[reason.code].error == reason.error or (reason.code, reason.error) == ("GM404", "221")
        assert reason.source
    return found
