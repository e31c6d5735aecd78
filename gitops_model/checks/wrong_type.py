"""A list where a mapping belongs, text where a number belongs, null where there must be something. Scalars are text
until the schema asks for more, so `version: 1.10` stays `1.10`; text in quotes is never a number.

Example:

    model.yaml:14:15: error GM114 runtime.memory_mib is text, because it stands in quotes

Fix: write what `expected` says. A text that reads `null` or `~` needs quotes.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM114", "wrong-type", Severity.ERROR, "a value is of another kind than the schema asks for")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
