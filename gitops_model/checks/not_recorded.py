"""No note that holds here says anything about this file: it was never recorded, its notes were not fetched, or its
external data is another than when it was recorded (then it is another model).

Why: reviews, `log` and `blame` speak of models by the digests that notes keep. A warning, because a clone brings no
notes along.

Example:

    model.onnx: warning GM203 no note says what this model is

Fix: `gitops-model notes sync` fetches what others recorded; `gitops-model record PATH` records it here.
"""

from collections.abc import Iterator

from gitops_model.checks import command, finding
from gitops_model.checks.facts import Facts
from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM203", "not-recorded", Severity.WARNING, "no note holds the digests of this model")


def check(facts: Facts) -> Iterator[Finding]:
    for file in facts.files:
        if file.recorded == ():
            hint = command("gitops-model", "record", file.path)
            yield finding(RULE, file.path, Problem(RULE.code, "no note says what this model is", hint=hint))
