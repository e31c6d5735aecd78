"""One file per rule; the module's docstring is the rule's page. Checks are pure: facts in, findings out.

Each module has `RULE: Rule` and `check(facts: Facts) -> Iterator[Finding]`. This table names them without importing
them; `rule_of("GM201")` and `run(facts, select, ignore)` import what they need.
"""

from collections.abc import Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity

if TYPE_CHECKING:
    from gitops_model.checks.facts import Facts

CHECKS: dict[str, str] = {}
"""Code → module under gitops_model.checks, in the order in which findings are reported."""


def module_of(code: str) -> ModuleType:
    return import_module(f"gitops_model.checks.{CHECKS[code]}")


def rule_of(code: str) -> Rule:
    return module_of(code).RULE


def page_of(code: str) -> str:
    """The text that `explain` prints: the docstring of the rule's module."""
    return (module_of(code).__doc__ or "").strip()


def matches(code: str, prefixes: Iterable[str]) -> bool:
    """Whether a code is meant by one of the prefixes (`GM0`, `GM601`)."""
    return any(code.startswith(prefix) for prefix in prefixes)


def run(facts: "Facts", select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()) -> Iterator[Finding]:
    """The findings of every selected rule on one file's facts."""
    for code in CHECKS:
        if (not select or matches(code, select)) and not matches(code, ignore):
            yield from module_of(code).check(facts)


def finding(rule: Rule, path: str, problem: Problem, severity: Severity | None = None) -> Finding:
    """A finding of `rule` that says what `problem` says."""
    return Finding(
        rule.code,
        rule.name,
        severity or rule.severity,
        path,
        problem.message,
        problem.line,
        problem.column,
        problem.expected,
        problem.found,
        problem.hint,
    )
