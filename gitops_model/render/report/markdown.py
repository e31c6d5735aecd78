"""Findings as GitHub flavoured Markdown: the tally first, then a table, the worst on top."""

from gitops_model.finding import Finding, Report, Severity
from gitops_model.render import Look
from gitops_model.render.inert import code, prose
from gitops_model.render.report import place, tally

SIGN = {Severity.ERROR: "🔴", Severity.WARNING: "🟡", Severity.NOTE: "🔵"}
HEAD = ("| | Where | What | Fix |", "|---|---|---|---|")


def render(report: Report, _look: Look) -> str:
    worst = report.worst()
    lines = [f"{SIGN[worst] if worst else '🟢'} **{tally(report)}**"]
    if report.findings:
        ordered = sorted(report.findings, key=lambda finding: -finding.severity)
        lines += ["", *HEAD, *(row(finding) for finding in ordered)]
    return "\n".join(lines) + "\n"


def row(finding: Finding) -> str:
    what = f"**{finding.code} {finding.name}**: {prose(finding.message)}"
    if finding.expected is not None:
        what += f"<br>expected {code(finding.expected)}"
    if finding.found is not None:
        what += f"<br>found {code(finding.found)}"
    fix = code(finding.hint, 400) if finding.hint else ""
    return f"| {SIGN[finding.severity]} {finding.severity.label} | {code(place(finding), 400)} | {what} | {fix} |"
