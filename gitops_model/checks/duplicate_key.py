"""Of two equal keys a YAML loader keeps the last one, silently; another loader keeps the first.

Why: a merge that keeps both sides leaves a manifest that lists two checksums for one file.

Example:

    model.yaml:9:3: error GM102 the key 'model.onnx' is there twice (another, after that of line 5)

Fix: delete the wrong one.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM102", "duplicate-key", Severity.ERROR, "a key stands twice in one mapping")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
