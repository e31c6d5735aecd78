"""A pickle is a program for a small machine; loading it runs that program. The instructions were read, not executed,
and they import or call a name that no checkpoint needs.

Why: `os.system` in a pickle is the common way to attack whoever loads a model.

Example:

    model.pt: error GM603 the pickle calls os.system

Fix: do not load the file. Get the weights as safetensors, or from a source that you trust.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM603", "pickle-calls", Severity.ERROR, "a pickle calls something outside the allow-list")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
