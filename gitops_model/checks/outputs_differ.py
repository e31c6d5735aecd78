"""A change was proved to keep the outputs of a model (`equivalent`), and then both versions were run on the same inputs
(`diff --run`, `review --run-probe`), and their outputs lie further apart than rounding explains. Both cannot be true.

Why: the proof is what a reviewer relies on when a change is called equivalent. If it is wrong, that is a bug of
gitops-model; otherwise it is one of ONNX Runtime, or the model magnifies rounding.

Example:

    model.onnx: error GM311 the change was proved to keep the outputs, and logits came out different when both were run

Fix: do not trust the word `equivalent` for this change, and report it with both files. Where the model is known to
magnify rounding (a sign or a floor of values near its edge), ignore the rule for its path.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule(
    "GM311", "outputs-differ", Severity.ERROR, "a change that was proved to keep the outputs does not keep them"
)


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
