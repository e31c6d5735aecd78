"""A manifest has at most 1 MiB (less where the configuration says so), 32 levels of nesting and 40,000 nodes after
its aliases are followed. The limits hold while the text is read, before anything is built from it.

Why: nine short lines of aliases expand to a thousand million nodes, and 200,000 brackets end the process of a common
loader.

Example:

    model.yaml:10:14: error GM113 the manifest is too large (expected at most 40000 YAML nodes)

Fix: a manifest that lists so many files belongs in several, one per model.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM113", "yaml-limit", Severity.ERROR, "the manifest is too large, nested too deep, or expands too far")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
