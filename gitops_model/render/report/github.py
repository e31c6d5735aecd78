"""Findings as annotations of a GitHub Actions job (workflow commands), in a log that nothing else can steer.

GitHub shows ten errors, ten warnings and ten notices of a step; what is over that follows as plain text.
"""

from collections import Counter

from gitops_model.finding import Finding, Report, Severity
from gitops_model.render import Look
from gitops_model.render.inert import command_data, command_property
from gitops_model.render.report import tally, text

COMMAND = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
LIMIT = 10


def render(report: Report, look: Look) -> str:
    shown: Counter[Severity] = Counter()
    lines: list[str] = []
    rest: list[str] = []
    for finding in sorted(report.findings, key=lambda finding: -finding.severity):
        shown[finding.severity] += 1
        if shown[finding.severity] <= LIMIT:
            lines.append(annotation(finding))
        else:
            rest += text.lines_of(finding, look)
    return "\n".join([*lines, *rest, tally(report)]) + "\n"


def annotation(finding: Finding) -> str:
    """`::error file=…,line=…,col=…,title=…::message`, its parts escaped as the toolkit escapes them."""
    properties = {"file": finding.path}
    if finding.line is not None:
        properties["line"] = str(finding.line)
        if finding.column is not None:
            properties["col"] = str(finding.column)
    properties["title"] = f"{finding.code} {finding.name}"
    written = ",".join(f"{name}={command_property(value)}" for name, value in properties.items())
    details = (("expected", finding.expected), ("found", finding.found), ("fix", finding.hint))
    parts = [finding.message, *(f"{name}: {value}" for name, value in details if value is not None)]
    return f"::{COMMAND[finding.severity]} {written}::{'%0A'.join(command_data(part) for part in parts)}"
