"""Types of less than a byte (int4, float4) fill whole bytes; the bits left over must be zero.

Why: they change the digest of weights that are the same, and can carry data that no loader shows.

Example:

    model.onnx: error GM011 'w' of type int4 has padding bits set

Fix: write the tensor again with the bits cleared.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM011", "padding-bits", Severity.ERROR, "unused bits of a packed tensor are set")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
