"""`name`, `version`, `architecture` and `checksums` are required; a tensor among inputs and outputs needs `dtype` and
`shape`.

Example:

    model.yaml:1:1: error GM104 the manifest has no 'version'

Fix: add the key. `gitops-model init MODEL` writes a whole first manifest from a model file.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM104", "missing-field", Severity.ERROR, "a required key is missing or has no value")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
