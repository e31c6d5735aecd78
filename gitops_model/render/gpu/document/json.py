"""A document of requirements.schema.json or target.schema.json as JSON."""

import json
from typing import Any

from gitops_model.render import Look


def render(document: dict[str, Any], _: Look) -> str:
    return json.dumps(document, indent=2) + "\n"
