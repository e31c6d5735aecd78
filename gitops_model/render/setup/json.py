"""What was set up, or how things stand, as JSON."""

import json

from gitops_model.render import Look
from gitops_model.render.setup import Health, Step


def render(result: tuple[Step, ...] | Health, _look: Look) -> str:
    if isinstance(result, Health):
        document: object = {"ok": result.is_well, "facts": [fact._asdict() for fact in result.facts]}
    else:
        document = {"steps": [step._asdict() for step in result]}
    return json.dumps(document, indent=2) + "\n"
