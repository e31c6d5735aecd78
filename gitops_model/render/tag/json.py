"""`tag` as JSON (published in tag.schema.json)."""

import json

from gitops_model.render import Look
from gitops_model.render.tag import Outcome


def render(outcome: Outcome, _: Look) -> str:
    block = outcome.block
    document = {
        "version": 1,
        "state": outcome.state,
        "tag": outcome.tag,
        "model": outcome.name,
        "release": outcome.version,
        "commit": outcome.commit,
        "manifest": None if block is None else {"path": block.manifest, "sha256": block.manifest_sha256},
        "files": [] if block is None else [file._asdict() for file in block.files],
        "findings": [{**finding._asdict(), "severity": finding.severity.label} for finding in outcome.report.findings],
    }
    return json.dumps(document, indent=2) + "\n"
