"""Findings in the formats that other programs read."""

import json
from typing import Any

import jsonschema
import pytest

from gitops_model import checks
from gitops_model.finding import Finding, Report, Severity
from gitops_model.render import Look, render


def finding(number: int = 0, severity: Severity = Severity.ERROR, **fields: Any) -> Finding:
    values = {"path": f"models/m{number}.onnx", "message": "text", "line": 2, "column": 5} | fields
    return Finding("GM201", "checksum-mismatch", severity, **values)


# --- text -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "report, last",
    [
        (Report(()), "nothing to check"),
        (Report((), 1, 2), "no findings in 1 manifest and 2 model files"),
        (Report((finding(),), 0, 1), "1 error in 1 model file"),
        (
            Report((finding(), finding(1), finding(2, Severity.NOTE), finding(3, Severity.WARNING)), 2, 3),
            "2 errors, 1 warning, 1 note in 2 manifests and 3 model files",
        ),
    ],
)
def test_the_last_line_counts(report: Report, last: str) -> None:
    assert render("report", "text", report).splitlines()[-1] == last


def test_a_finding_begins_with_its_place() -> None:
    text = render("report", "text", Report((finding(expected="a", found="b", hint="run this"),), 1))
    assert text.splitlines()[:4] == [
        "models/m0.onnx:2:5: error GM201 checksum-mismatch: text",
        "    expected: a",
        "    found:    b",
        "    fix:      run this",
    ]
    assert render("report", "text", Report((finding(line=None, column=None),))).startswith("models/m0.onnx: error")


# --- workflow commands ------------------------------------------------------------------------------------------------
def test_github_gets_ten_of_each_kind_and_the_rest_as_text() -> None:
    many = tuple(finding(n, severity) for n in range(12) for severity in Severity)
    lines = render("report", "github", Report(many, 1)).splitlines()
    for command in ("error", "warning", "notice"):
        assert sum(line.startswith(f"::{command} ") for line in lines) == 10
    assert sum(line.startswith("models/m") for line in lines) == 6


def test_github_property_order_and_escapes() -> None:
    text = render("report", "github", Report((finding(path="a,b:c%\n.onnx", message="50% of\nlines", hint="x: y"),)))
    assert text.splitlines()[0] == (
        "::error file=a%2Cb%3Ac%25\\n.onnx,line=2,col=5,title=GM201 checksum-mismatch::50%25 of\\nlines%0Afix: x: y"
    )


# --- SARIF ------------------------------------------------------------------------------------------------------------
def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


TEXT = closed(["text"], text={"type": "string", "minLength": 1}, markdown={"type": "string"})
LEVEL = {"enum": ["none", "note", "warning", "error"]}
ESSENTIALS = closed(
    ["version", "runs"],
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"const": "2.1.0"},
    runs={
        "type": "array",
        "maxItems": 20,
        "items": closed(
            ["tool", "results"],
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            invocations={"type": "array", "items": {"type": "object", "required": ["executionSuccessful"]}},
            tool=closed(
                ["driver"],
                driver=closed(
                    ["name"],
                    name={"type": "string"},
                    semanticVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
                    rules={
                        "type": "array",
                        "uniqueItems": True,
                        "items": closed(
                            ["id"],
                            id={"type": "string"},
                            name={"type": "string"},
                            shortDescription=TEXT,
                            fullDescription=TEXT,
                            help=TEXT,
                            defaultConfiguration=closed([], level=LEVEL),
                            properties={"type": "object"},
                        ),
                    },
                ),
            ),
            results={
                "type": "array",
                "maxItems": 25_000,
                "items": closed(
                    ["message", "locations", "ruleId"],
                    ruleId={"type": "string"},
                    ruleIndex={"type": "integer", "minimum": 0},
                    level=LEVEL,
                    message=TEXT,
                    partialFingerprints={"type": "object", "additionalProperties": {"type": "string"}},
                    locations={
                        "type": "array",
                        "minItems": 1,
                        "items": closed(
                            ["physicalLocation"],
                            physicalLocation=closed(
                                ["artifactLocation"],
                                artifactLocation=closed(
                                    ["uri"],
                                    uri={"type": "string", "pattern": "^[A-Za-z0-9/._~%-]+$"},
                                    uriBaseId={"type": "string"},
                                ),
                                region=closed(
                                    [],
                                    startLine={"type": "integer", "minimum": 1},
                                    startColumn={"type": "integer", "minimum": 1},
                                ),
                            ),
                        ),
                    },
                ),
            },
        ),
    },
)
"""Of the SARIF 2.1.0 schema (OASIS) what concerns the objects that are written here, and GitHub's limits."""


def sarif(*findings: Finding) -> Any:
    document = json.loads(render("report", "sarif", Report(findings), Look()))
    jsonschema.Draft202012Validator(ESSENTIALS).validate(document)
    return document["runs"][0]


def test_sarif_of_nothing() -> None:
    assert sarif()["results"] == []


def test_sarif_of_every_rule_carries_its_page() -> None:
    rules = [checks.rule_of(code) for code in checks.CHECKS]
    run = sarif(*(Finding(rule.code, rule.name, rule.severity, "m.onnx", "text") for rule in rules))
    described = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in described] == sorted(checks.CHECKS)
    for result in run["results"]:
        rule = described[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["help"]["text"] == checks.page_of(rule["id"])
        assert ("security" in rule["properties"]["tags"]) == rule["id"].startswith("GM6")


def test_sarif_places() -> None:
    run = sarif(finding(path="a b/ü#?.onnx"), finding(path="c:d.onnx", line=None, column=None))
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert [place["artifactLocation"]["uri"] for place in places] == ["a%20b/%C3%BC%23%3F.onnx", "c%3Ad.onnx"]
    assert [place["region"] for place in places] == [{"startLine": 2, "startColumn": 5}, {"startLine": 1}]


def test_sarif_fingerprints_do_not_depend_on_the_line() -> None:
    prints = [result["partialFingerprints"] for result in sarif(finding(), finding(line=9), finding(1))["results"]]
    assert prints[0] == prints[1] != prints[2]


def test_sarif_is_cut_where_github_cuts_and_says_so() -> None:
    run = sarif(*[finding(number) for number in range(25_001)])
    assert len(run["results"]) == 25_000
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert notes[0]["message"]["text"].startswith("1 more findings")
