"""`check --deep` runs `onnx.checker` and shape inference in a process of their own; they found a fault.

Why: a file can be well formed and still be no valid model: nodes out of order, a missing attribute, types that do not
meet.

Example:

    model.onnx: error GM012 onnx.checker: Nodes in a graph must be topologically sorted

Fix: repair the export. The message is the library's own.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM012", "deep-check", Severity.ERROR, "the format's own library refuses the model")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
