"""Paths are relative to the manifest, below its folder, with `/` between the parts; no `..`, no `.`, no backslash, no
drive letter, no control character.

Why: a manifest must mean the same in every clone, and must not make a tool read or hash a file outside the
repository.

Example:

    model.yaml:5:3: error GM110 '../weights.bin': the path leaves the manifest's folder

Fix: move the file below the manifest's folder, or the manifest up.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule(
    "GM110",
    "path-escapes",
    Severity.ERROR,
    "a listed path is absolute, leaves the manifest's folder, or is not in its shortest form",
)


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
