"""Findings: what a check says about a file, and the rule that says it."""

from enum import IntEnum
from typing import NamedTuple


class Severity(IntEnum):
    """How bad a finding is; ordered, so that `--fail-on` is a comparison."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        return self.name.lower()


class Rule(NamedTuple):
    """A code that is never renumbered, its kebab-case name, its severity and a one-line summary."""

    code: str
    name: str
    severity: Severity
    summary: str


class Finding(NamedTuple):
    """One thing a user should look at. `path` is relative to the repository; `hint` is a command."""

    code: str
    name: str
    severity: Severity
    path: str
    message: str
    line: int | None = None
    column: int | None = None
    expected: str | None = None
    found: str | None = None
    hint: str | None = None


class Report(NamedTuple):
    """The outcome of a run over some subjects: sorted findings, and how many manifests and files were looked at.

    `fail_on` is what the configuration of the repository calls a failure: a severity, or `none`.
    """

    findings: tuple[Finding, ...]
    manifests: int = 0
    files: int = 0
    fail_on: str = "error"

    def worst(self) -> Severity | None:
        return max((finding.severity for finding in self.findings), default=None)

    def fails(self, level: str | None = None) -> bool:
        """Whether a finding is at least as severe as `level`, or else the configuration, calls a failure."""
        level = level or self.fail_on
        worst = self.worst()
        return level != "none" and worst is not None and worst >= Severity[level.upper()]
