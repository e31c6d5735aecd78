"""What the rules have in common whose findings a reader or the loader has already made."""

from collections.abc import Iterator

from gitops_model.checks import finding
from gitops_model.checks.facts import Facts
from gitops_model.finding import Finding, Rule


def reported(rule: Rule, facts: Facts) -> Iterator[Finding]:
    """A finding for every problem of this code, of the subject itself and of its files."""
    for problem in facts.problems:
        if problem.code == rule.code:
            yield finding(rule, facts.path, problem)
    for file in facts.files:
        for problem in file.problems:
            if problem.code == rule.code:
                yield finding(rule, file.path, problem)
