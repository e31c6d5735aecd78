"""The bytes are of a known kind that this program does not read, or of no kind that it knows. Where it is known, the
message says which it is.

Example:

    model.mlmodel: error GM009 this is a Core ML model, which is not read here

Fix: convert the model to a format of the table in the README, or keep the file out of the manifest's directory. To
pass over such files, ignore GM009 for their paths in `.gitops-model.toml`.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM009", "unsupported-format", Severity.ERROR, "the file is recognised, but not a format that is read here")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
