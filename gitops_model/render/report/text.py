"""Findings for people: one line each that begins with the place, then what was expected and what mends it."""

from gitops_model.finding import Finding, Report, Severity
from gitops_model.render import Look
from gitops_model.render.report import place, tally

STYLE = {Severity.ERROR: (1, 31), Severity.WARNING: (1, 33), Severity.NOTE: (1, 36)}


def render(report: Report, look: Look) -> str:
    lines = [line for finding in report.findings for line in lines_of(finding, look)]
    worst = report.worst()
    lines.append(look.paint(tally(report), *(STYLE[worst] if worst else (32,))))
    return "\n".join(lines) + "\n"


def lines_of(finding: Finding, look: Look) -> list[str]:
    from gitops_model.render.inert import one_line  # a clean report needs none of its patterns

    level = look.paint(finding.severity.label, *STYLE[finding.severity])
    where = look.paint(one_line(place(finding), 400), 1)
    head = f"{where}: {level} {finding.code} {finding.name}: {one_line(finding.message, 2000)}"
    details = (("expected", finding.expected), ("found", finding.found), ("fix", finding.hint))
    return [head, *(f"    {name + ':':<9} {one_line(text, 2000)}" for name, text in details if text is not None)]
