"""Entries with the same name, headers that contradict the directory, entries that overlap, names that leave the
archive, data between the parts, or sizes that no honest archive has.

Why: one loader reads the first of two entries and another the second, so that a scanner sees other weights than the
server.

Example:

    model.pt: error GM606 two entries are called 'archive/data.pkl'

Fix: save the model again with the library of its format.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM606", "zip-tricks", Severity.ERROR, "a zip archive says different things to different readers")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
