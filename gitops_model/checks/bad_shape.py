"""A shape is a list of dimensions, or null where the rank is not known. A dimension is an integer from 0, a symbol
such as `batch`, or null where nothing is known. What looks like a number but is not a plain decimal one (`-1`, `010`,
`0x10`, `1_000`, `1.0`, or `3` in quotes) is refused, because YAML loaders disagree about it.

Example:

    model.yaml:12:20: error GM108 inputs.x.shape[0] is not what it should be (found -1)

Fix: write null or a symbol for a free dimension.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM108", "bad-shape", Severity.ERROR, "a shape or one of its dimensions is not what a shape can be")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
