"""The schema is closed, so that a misspelt `ouputs` is found instead of being passed over. The nearest known key is
named. A letter that only looks like an ASCII one (Cyrillic `а`) is pointed out.

Example:

    model.yaml:4:1: error GM103 the key 'checksum' is not known; did you mean 'checksums'?

Fix: use the key that is meant. Facts of your own belong in a file of their own, or under `serving` or `signing`,
which are free.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM103", "unknown-key", Severity.ERROR, "a key that the schema does not know")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
