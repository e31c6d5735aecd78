"""A path inside the model (ONNX external data) is absolute or leaves the repository, or reaches into `.git`.

Why: loading such a model reads whatever the path names on the machine that loads it: `/etc/passwd` as weights.

Example:

    model.onnx: error GM601 the path '../../../etc/passwd' leaves the repository

Fix: do not load the file. Export it again with its data beside it.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM601", "external-path-escapes", Severity.ERROR, "a model refers to a file outside the repository")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
