"""Three numbers without leading zeros, then perhaps `-rc.1` and `+build`. No `v` in front: that belongs to the tag.

Why: whether a change is breaking is judged by comparing versions, so they must have an order.

Example:

    model.yaml:2:10: error GM105 the version must not begin with 'v'

Fix: `version: 1.4.0`. Quotes are not needed: no text here turns into a number by itself.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM105", "bad-version", Severity.ERROR, "the version is not a Semantic Version 2.0.0")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
