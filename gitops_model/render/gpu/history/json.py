"""`gpu history` as JSON (published in gpu-history.schema.json)."""

import json
from typing import Any

from gitops_model.render import Look
from gitops_model.render.gpu import History, Past


def render(history: History, _: Look) -> str:
    document = {
        "version": 1,
        "path": history.path,
        "blob": history.oid,
        "asked": history.asked,
        "verdicts": [_past(past) for past in history.verdicts],
    }
    return json.dumps(document, indent=2) + "\n"


def _past(past: Past) -> dict[str, Any]:
    return {**past._asdict(), "errors": list(past.errors), "gpus": list(past.gpus)}
