"""A name with characters that cannot stand in a tag, a list that names one thing twice, a number out of range, a
commit id of the wrong length.

Example:

    model.yaml:1:7: error GM117 name is not what it should be (found 'my model')

Fix: write what `expected` says.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM117", "bad-value", Severity.ERROR, "a value has the right type but is not one that the schema allows")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
