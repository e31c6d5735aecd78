"""Findings as SARIF 2.1.0 (OASIS standard), with the rules' pages, as GitHub code scanning reads it."""

import json
from hashlib import sha256
from typing import Any

from gitops_model import __version__, checks
from gitops_model.errors import CouldNotRun
from gitops_model.finding import Finding, Report, Severity
from gitops_model.render import Look
from gitops_model.render.inert import one_line

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LIMIT = 25_000
"""Results that GitHub takes in one run (docs: SARIF support for code scanning)."""


def render(report: Report, _look: Look) -> str:
    results = report.findings[:LIMIT]
    codes = sorted({finding.code for finding in results})
    index = {code: number for number, code in enumerate(codes)}
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "gitops-model",
                "semanticVersion": __version__,
                "rules": [_rule(code, results) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, index[finding.code]) for finding in results],
    }
    if len(results) < len(report.findings):
        text = f"{len(report.findings) - LIMIT} more findings are left out: GitHub takes {LIMIT}"
        run["invocations"] = [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [{"level": "warning", "message": {"text": text}}],
            }
        ]
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: str, findings: tuple[Finding, ...]) -> dict[str, Any]:
    if code not in checks.CHECKS:
        raise CouldNotRun(f"{code} has no rule")
    rule = checks.rule_of(code)
    page = checks.page_of(code) or rule.summary
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": page},
        "defaultConfiguration": {"level": rule.severity.label},
        "properties": _for_github(code, max(finding.severity for finding in findings if finding.code == code)),
    }


def _for_github(code: str, worst: Severity) -> dict[str, Any]:
    """What code scanning sorts alerts by; a rule of GM6 is about security, and is shown as such."""
    severity = {"problem.severity": "recommendation" if worst is Severity.NOTE else worst.label}
    if not code.startswith("GM6"):
        return {"tags": ["models"], **severity}
    return {
        "tags": ["security", "models"],
        **severity,
        "security-severity": "8.0" if worst is Severity.ERROR else "4.0",
    }


def _result(finding: Finding, rule_index: int) -> dict[str, Any]:
    details = (("expected", finding.expected), ("found", finding.found), ("fix", finding.hint))
    text = [one_line(finding.message, 2000)]
    text += [f"{name}: {one_line(value, 1000)}" for name, value in details if value is not None]
    region = {"startLine": finding.line or 1}
    if finding.column is not None:
        region["startColumn"] = finding.column
    identity = f"{finding.code}\0{finding.path}\0{finding.message}".encode("utf-8", "surrogatepass")
    return {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": finding.severity.label,
        "message": {"text": "\n".join(text)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri(finding.path), "uriBaseId": "%SRCROOT%"},
                    "region": region,
                }
            }
        ],
        "partialFingerprints": {"gitopsModel/v1": sha256(identity).hexdigest()[:32]},
    }


def uri(path: str) -> str:
    """A path as a relative URI reference (RFC 3986); its first segment may not look like a scheme."""
    from urllib.parse import quote

    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # no path of this system: text from a file
        raw = path.encode("utf-8", "backslashreplace")
    return quote(raw, safe="/-._~")
