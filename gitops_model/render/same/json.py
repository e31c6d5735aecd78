"""`same` as JSON (published in same.schema.json)."""

import json
from typing import Any

from gitops_model.diff.same.result import Pair
from gitops_model.ir import Tensor
from gitops_model.render import Look
from gitops_model.render.same import Compared


def render(found: list[Compared], _: Look) -> str:
    return json.dumps([one(item) for item in found], indent=2, ensure_ascii=False) + "\n"


def one(item: Compared) -> dict[str, Any]:
    said = item.sameness
    return {
        "before": {"path": item.before, "format": item.before_format},
        "after": {"path": item.after, "format": item.after_format},
        "same": said.same,
        "grade": said.grade,
        "tolerance": said.tolerance,
        "pairs": [pair(found) for found in said.pairs],
        "only_before": [tensor(found) for found in said.only_before],
        "only_after": [tensor(found) for found in said.only_after],
        "small": list(said.small),
        "unread": list(said.unread),
    }


def pair(found: Pair) -> dict[str, Any]:
    return {
        "before": tensor(found.before),
        "after": tensor(found.after),
        "grade": found.grade,
        "distance": finite(found.distance),
        "relative": finite(found.relative),
        "note": found.note,
    }


def finite(value: float | None) -> float | str | None:
    """JSON has no infinity."""
    return "infinity" if value is not None and value == float("inf") else value


def tensor(found: Tensor) -> dict[str, Any]:
    return {"name": found.name, "dtype": found.dtype, "shape": list(found.shape)}
