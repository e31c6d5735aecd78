"""The list of release tags as JSON."""

import json

from gitops_model.render import Look
from gitops_model.render.tag import Row


def render(rows: tuple[Row, ...], _: Look) -> str:
    return json.dumps({"version": 1, "tags": [row._asdict() for row in rows]}, indent=2) + "\n"
