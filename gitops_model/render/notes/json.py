"""The lines of a note for scripts; the shape is published in notes.schema.json."""

import json

from gitops_model.render import Look
from gitops_model.render.notes import Shown


def render(shown: Shown, _look: Look) -> str:
    lines = [
        {"valid": line.valid, "fields": line.fields, "text": None if line.fields is not None else line.text}
        for line in shown.lines
    ]
    return json.dumps({"version": 1, "blob": shown.oid, "path": shown.path, "lines": lines}, indent=2) + "\n"
