"""External data must be a regular file. A link may lead anywhere; a FIFO or a device blocks or never ends.

Example:

    model.onnx: error GM602 'weights.bin' is or goes through a symbolic link

Fix: commit the data file itself.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule(
    "GM602",
    "external-path-special",
    Severity.ERROR,
    "a model refers to a file that is or lies behind a symbolic link or special file",
)


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
