"""`gpu check` as JSON (published in gpu-check.schema.json): the worst verdict on top, then each target's own."""

import json
from typing import Any

from gitops_model.errors import Problem
from gitops_model.render import Look
from gitops_model.render.gpu import Checked, Judged, Smoke


def render(checked: Checked, _: Look) -> str:
    targets = [_target(judged) for judged in checked.targets]
    document = {
        "version": 1,
        "release": checked.release,
        "verdict": checked.verdict,
        "reasons": [
            *({"target": row["target"], **reason} for row in targets for reason in row["reasons"]),
            *(reason.as_dict() for smoke in checked.smoke for reason in smoke.reasons),
        ],
        "targets": targets,
        "smoke": [_smoke(smoke) for smoke in checked.smoke],
        "requirements": checked.requirements,
        "notes": [_note(path, problem) for path, problem in checked.notes],
        "recorded": list(checked.recorded),
        "unrecorded": list(checked.unrecorded),
    }
    return json.dumps(document, indent=2) + "\n"


def _target(judged: Judged) -> dict[str, Any]:
    return {**judged.verdict.as_dict(), "facts": judged.facts}


def _smoke(smoke: Smoke) -> dict[str, Any]:
    return {
        "model": smoke.model,
        "verdict": smoke.verdict,
        "reasons": [reason.as_dict() for reason in smoke.reasons],
        "inputs": smoke.inputs,
        "cpu": smoke.cpu,
        "gpu": smoke.gpu,
        "unchecked": list(smoke.unchecked),
    }


def _note(path: str, problem: Problem) -> dict[str, Any]:
    return {"path": path, "code": problem.code, "message": problem.message, "hint": problem.hint}
