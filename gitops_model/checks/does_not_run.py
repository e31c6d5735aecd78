"""ONNX Runtime was asked to run the model (`diff --run`, `review --run-probe`) on inputs made for its signature, and
could not: it refused the model or every size of the inputs that was tried, crashed, did not come to an end, or needed
more memory than it may have.

Why: a model that does not run here seldom runs in production; what was meant to be compared could not be.

Example:

    model.onnx: warning GM013 the model does not run: [ONNXRuntimeError] : 10 : INVALID_GRAPH : …

Fix: repair the export. The message is ONNX Runtime's own. If the model needs a library of custom operators, inputs of
its own kind, or more time or memory (`--run-seconds`, `--run-memory`), nothing is wrong with it: ignore the rule for
its path.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM013", "does-not-run", Severity.WARNING, "the model does not run in ONNX Runtime")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
