"""A review as JSON: data only, bounded, its shape published in render/review.schema.json."""

import json
from typing import Any

from gitops_model.render import Look
from gitops_model.render.diff.picture import Picture
from gitops_model.render.report import json as findings
from gitops_model.render.review import MOST_TEXT, ModelReview, Review

MOST_PATH = 4096


def render(review: Review, _look: Look) -> str:
    return json.dumps(document(review), indent=2) + "\n"


def document(review: Review) -> dict[str, Any]:
    report = json.loads(findings.render(review.report, Look()))
    return {
        "version": 1,
        "base": review.base,
        "merge_base": review.merge_base,
        "head": review.head,
        "changed": review.changed,
        "verdict": {"kind": review.kind, "bump": review.bump},
        "models": [_model(model) for model in review.models],
        "models_total": review.models_total,
        "manifests": [path[:MOST_PATH] for path in review.manifests],
        "findings": [_cut(finding) for finding in report["findings"]],
        "findings_total": review.findings_total,
        "summary": report["summary"],
        "fail_on": review.report.fail_on,
        "troubles": [trouble[:MOST_TEXT] for trouble in review.troubles],
    }


def _model(model: ModelReview) -> dict[str, Any]:
    return {
        "path": model.path[:MOST_PATH],
        "old_path": None if model.old_path is None else model.old_path[:MOST_PATH],
        "status": model.status,
        "kind": model.kind,
        "bump": model.bump,
        "equivalent": model.equivalent,
        "reasons": [reason[:MOST_TEXT] for reason in model.reasons],
        "sizes": [size[:MOST_TEXT] for size in model.sizes],
        "tables": [
            {
                "kind": table.kind,
                "rows": [[None if cell is None else cell[:MOST_TEXT] for cell in row] for row in table.rows],
                "total": table.total,
            }
            for table in model.tables
        ],
        "texts": [text._asdict() for text in model.texts],
        "picture": None if model.picture is None else _picture(model.picture),
    }


def _picture(picture: Picture) -> dict[str, Any]:
    return {
        **picture._asdict(),
        "boxes": [box._asdict() for box in picture.boxes],
        "edges": [edge._asdict() for edge in picture.edges],
    }


def _cut(finding: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value[: MOST_PATH if name == "path" else MOST_TEXT] if isinstance(value, str) else value
        for name, value in finding.items()
    }
