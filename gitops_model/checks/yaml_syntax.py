"""The text could not be read to its end: YAML's syntax is broken, the file is not UTF-8, or it holds characters that
YAML does not allow. The rest of the manifest is not judged.

Example:

    model.yaml:7:12: error GM101 this is no YAML: mapping values are not allowed in this context

Fix: mend the place. Most often a text needs quotes (`": "` and `" #"` have a meaning in YAML), or a tab indents a
line.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM101", "yaml-syntax", Severity.ERROR, "the manifest is not YAML in UTF-8")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
