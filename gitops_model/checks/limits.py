"""The file nests deeper (64 levels), or counts more parts, than its reader follows. The limits are far above real
models; they exist so that no file can take memory or time without end.

Why: recursion and counts that a file states are how parsers are brought down.

Example:

    model.onnx: error GM005 subgraphs are nested deeper than 64

Fix: none is needed for a real model; look at where the file came from. If it is real, please report it.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM005", "limit-exceeded", Severity.ERROR, "a count or a nesting lies beyond what any real model needs")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
