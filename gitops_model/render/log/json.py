"""A log as JSON; the shape is published in render/log.schema.json and only grows."""

import json
from typing import Any

from gitops_model.render import Look
from gitops_model.render.log import Log, Row


def render(log: Log, _look: Look) -> str:
    document = {"path": log.path, "unrecorded": log.unrecorded, "versions": [_row(row) for row in log.rows]}
    return json.dumps(document, indent=2) + "\n"


def _row(row: Row) -> dict[str, Any]:
    verdict = None if row.verdict is None else {**row.verdict._asdict(), "reasons": list(row.verdict.reasons)}
    return {**row._asdict(), "verdict": verdict}
