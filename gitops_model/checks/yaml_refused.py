"""Tags (`!!python/object`), merge keys (`<<`), directives (`%YAML`), several documents in one file, and keys that are
not text.

Why: loaders disagree about them, some of them run code, and none is needed here. Anchors and aliases are read, within
limits.

Example:

    model.yaml:3:1: error GM115 merge keys (<<) are not read; write the keys out

Fix: write the values out.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM115", "yaml-refused", Severity.ERROR, "a part of YAML that manifests do not use")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
