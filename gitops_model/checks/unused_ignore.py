"""An `ignore` under `[[paths]]` in the configuration hid no finding in a run over everything (`check` without paths,
or `--rev`).

Why: a leftover ignore hides the next real finding.

Example:

    .gitops-model.toml: warning GM190 the ignore of GM306 for experiments/** hides nothing

Fix: delete it from the configuration.
"""

from collections.abc import Iterator

from gitops_model.checks import finding
from gitops_model.checks.facts import Facts
from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM190", "unused-ignore", Severity.WARNING, "an ignore of the configuration hides nothing")


def check(facts: Facts) -> Iterator[Finding]:
    for unneeded in facts.unneeded:
        message = f"the ignore of {unneeded.code} for {', '.join(unneeded.match)} hides nothing"
        problem = Problem(RULE.code, message, expected="a finding to hide", found="none")
        yield finding(RULE, facts.path, problem)
