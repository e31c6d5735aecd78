"""The machine architectures that the model is released for, by the names that container images use.

Example:

    model.yaml:3:15: error GM106 architecture is not known; did you mean 'amd64'?

Fix: `architecture: amd64` or `architecture: [amd64, arm64]`.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule(
    "GM106",
    "bad-architecture",
    Severity.ERROR,
    "the architecture is neither amd64 nor arm64, nor a list of them",
)


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
