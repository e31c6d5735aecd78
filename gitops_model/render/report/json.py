"""Findings for scripts; the shape is published in render/report.schema.json."""

import json

from gitops_model.finding import Report, Severity
from gitops_model.render import Look


def render(report: Report, _look: Look) -> str:
    findings = [{**finding._asdict(), "severity": finding.severity.label} for finding in report.findings]
    summary = {
        f"{level.label}s": sum(finding.severity is level for finding in report.findings)
        for level in sorted(Severity, reverse=True)
    }
    summary |= {"manifests": report.manifests, "files": report.files}
    return json.dumps({"version": 1, "findings": findings, "summary": summary}, indent=2) + "\n"
