"""Blame as JSON; the shape is published in render/blame.schema.json and only grows."""

import json

from gitops_model.render import Look
from gitops_model.render.blame import Blame


def render(blame: Blame, _look: Look) -> str:
    lines = [
        {**{key: value for key, value in line._asdict().items() if key != "bytes_"}, "nbytes": line.bytes_}
        for line in blame.lines
    ]
    document = {"path": blame.path, "versions": blame.versions, "unrecorded": blame.unrecorded, "layers": lines}
    return json.dumps(document, indent=2) + "\n"
