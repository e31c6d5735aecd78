"""What `record` did, for scripts; the shape is published in record.schema.json."""

import json

from gitops_model.git.notes import file_digests
from gitops_model.render import Look
from gitops_model.render.record import Outcome, Recorded


def render(outcome: Outcome, _look: Look) -> str:
    document = {"version": 1, "files": [_file(file) for file in outcome.files], "notes_changed": outcome.notes}
    return json.dumps(document, indent=2) + "\n"


def _file(file: Recorded) -> dict[str, object]:
    fields = file.fields
    return {
        "path": file.path,
        "blob": file.oid,
        "commit": file.commit,
        "state": file.state,
        "format": fields.get("format"),
        "source": fields.get("source"),
        "weights": fields.get("weights"),
        "structure": fields.get("structure"),
        "signature": fields.get("signature"),
        "optimizer": fields.get("optimizer"),
        "files": file_digests(fields),
        "problems": [problem._asdict() for problem in file.problems],
    }
