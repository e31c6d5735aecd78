"""The file begins like its format and then breaks one of its rules: offsets that overlap, a header that is no JSON, a
field of the wrong kind, a length that cannot be.

Why: what one loader shrugs off, another one refuses, or reads differently. A reviewer must be able to trust that the
file that was looked at is the file that is served.

Example:

    model.safetensors: error GM002 the tensors 'a' and 'b' overlap

Fix: write the file again with the library of its format. If that library wrote it, the file is damaged: restore it
with `git restore`.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM002", "malformed", Severity.ERROR, "the bytes break the rules of the format")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
