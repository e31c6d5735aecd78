"""Differences as JSON; the shape is published in render/diff.schema.json and only grows.

One model: its own keys. Any other number of models: `{"verdict": …, "files": […]}`, each file with those keys.
"""

import json
from math import isfinite
from typing import Any, cast

from gitops_model.diff.measured import Statistics
from gitops_model.diff.prefix import Prefix
from gitops_model.diff.result import (
    Box,
    ModelDiff,
    Neighbourhood,
    NodeChange,
    TensorChange,
    TensorFact,
    TextDiff,
    ValueChange,
)
from gitops_model.render import Look
from gitops_model.render.diff import Compared, FileDiff, bump_of, kind_of, worst_bump
from gitops_model.render.diff.probe_json import probe_json
from gitops_model.render.show.json import value_json


def render(compared: Compared, _look: Look) -> str:
    return json.dumps(document(compared), indent=2) + "\n"


def document(compared: Compared) -> dict[str, Any]:
    states = {"before": compared.before, "after": compared.after}
    files = [_file(file) for file in compared.files]
    if len(files) == 1:
        return {**states, **files[0]}
    kinds = sorted({file["verdict"]["kind"] for file in files})
    verdict = {
        "kind": kinds[0] if len(kinds) == 1 else "several" if kinds else "identical-bytes",
        "bump": worst_bump(compared),
        "equivalent": all(file["verdict"]["equivalent"] for file in files),
        "reasons": [f"{file['path']}: {reason}" for file in files for reason in file["verdict"]["reasons"]],
    }
    return {**states, "verdict": verdict, "files": files}


def _file(file: FileDiff) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": file.path, "old_path": file.old_path, "status": file.status}
    entry["problems"] = [
        {"side": side, "code": problem.code, "message": problem.message} for side, problem in file.problems
    ]
    if file.diff is not None:
        return entry | _model(file.diff)
    reasons = [f"{side}: {problem.code} {problem.message}" for side, problem in file.problems]
    verdict = {
        "kind": kind_of(file),
        "bump": bump_of(file),
        "equivalent": False,
        "reasons": reasons or [f"the model was {file.status}"],
    }
    return entry | {"verdict": verdict} | _EMPTY


_EMPTY: dict[str, Any] = {
    "formats": None,
    "digests": {},
    "signature": {"inputs": [], "outputs": []},
    "graph": {
        "added": [],
        "removed": [],
        "changed": [],
        "rewrites": [],
        "nodes": None,
        "ops": {},
        "neighbourhood": None,
    },
    "opset": {},
    "properties": {},
    "metadata": {},
    "weights": {
        "changed": [],
        "added": [],
        "removed": [],
        "renamed": [],
        "unchanged": 0,
        "unknown": 0,
        "not_compared": [],
        "layers": [],
        "patterns": [],
        "prefix": None,
    },
    "probe": None,
}


def _model(diff: ModelDiff) -> dict[str, Any]:
    weights = diff.weights
    return {
        "verdict": {**diff.verdict._asdict(), "reasons": list(diff.verdict.reasons)},
        "formats": _sides(diff.formats),
        "digests": {name: _sides(sides) for name, sides in diff.digests.items()},
        "signature": {
            "inputs": [_value(change) for change in diff.signature.inputs],
            "outputs": [_value(change) for change in diff.signature.outputs],
        },
        "graph": {
            "added": _nodes(diff.graph.added),
            "removed": _nodes(diff.graph.removed),
            "changed": _nodes(diff.graph.changed),
            "rewrites": [
                {"pattern": rewrite.pattern, "count": rewrite.number, "numeric": rewrite.numeric}
                for rewrite in diff.graph.rewrites
            ],
            "nodes": _sides(diff.graph.nodes),
            "ops": {name: _sides(sides) for name, sides in diff.graph.ops.items()},
            "neighbourhood": _neighbourhood(diff.graph.neighbourhood),
        },
        "opset": {name: _sides(sides) for name, sides in diff.opset.items()},
        "properties": {name: _sides(sides) for name, sides in diff.properties.items()},
        "metadata": {name: _sides(sides) | _text(diff.texts.get(name)) for name, sides in diff.metadata.items()},
        "weights": {
            "changed": [_changed(change) for change in weights.changed],
            "added": [_fact(change.after) for change in weights.added],
            "removed": [_fact(change.before) for change in weights.removed],
            "renamed": [
                {**_fact(change.after), "from": change.before.name} for change in weights.renamed if change.before
            ],
            "unchanged": weights.unchanged,
            "unknown": len(weights.unknown),
            "not_compared": [
                {"name": change.name, "before": _fact(change.before), "after": _fact(change.after)}
                for change in weights.unknown
            ],
            "layers": [layer._asdict() for layer in weights.layers if layer.touched],
            "patterns": [pattern._asdict() for pattern in weights.patterns],
            "prefix": None if weights.prefix is None else _prefix(weights.prefix),
        },
        "probe": None if diff.probe is None else probe_json(diff.probe),
    }


def _sides(sides: tuple[Any, Any]) -> dict[str, Any]:
    return {"before": sides[0], "after": sides[1]}


def _value(change: ValueChange) -> dict[str, Any]:
    return {
        "name": change.name,
        "change": change.change,
        "grade": change.grade,
        "bump": change.bump,
        "place": _sides(change.places),
        "before": None if change.before is None else value_json(change.before),
        "after": None if change.after is None else value_json(change.after),
    }


def _nodes(changes: tuple[NodeChange, ...]) -> list[dict[str, Any]]:
    """One entry per node, so that a script may count them. A changed one says what changed."""
    return [
        {"op_type": change.op_type, "name": place.name, "where": place.where} | _edits(change)
        for change in changes
        for place in change.nodes
    ]


def _neighbourhood(found: Neighbourhood | None) -> dict[str, Any] | None:
    if found is None:
        return None
    boxes = [{**box._asdict(), **_edits(box)} for box in found.boxes]
    for box in boxes:
        if box["fate"] != "changed":
            del box["attributes"], box["inputs"]
    return {**found._asdict(), "boxes": boxes, "edges": [edge._asdict() for edge in found.edges]}


def _text(found: TextDiff | None) -> dict[str, Any]:
    return {} if found is None else {"text": {**found._asdict(), "lines": list(found.lines)}}


def _edits(change: NodeChange | Box) -> dict[str, Any]:
    if not change.attributes and not change.inputs:
        return {}
    attributes = {
        edit.name: {"before": _finite(edit.before), "after": _finite(edit.after)} for edit in change.attributes
    }
    return {"attributes": attributes, "inputs": list(change.inputs)}


def _finite(value: Any) -> Any:
    """NaN and infinity are no JSON: as text."""
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return [_finite(item) for item in cast("list[Any]", value)] if isinstance(value, list) else value


def _changed(change: TensorChange) -> dict[str, Any]:
    renamed = {} if change.old_name is None else {"from": change.old_name}
    return {
        "name": change.name,
        **renamed,
        "before": _fact(change.before),
        "after": _fact(change.after),
        "statistics": _statistics(change.statistics),
    }


def _prefix(prefix: Prefix) -> dict[str, Any]:
    return {"before": prefix.before, "after": prefix.after, "tensors": prefix.tensors}


def _statistics(found: Statistics | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "kind": found.kind,
        "note": found.note,
        "elements": found.elements,
        "changed": found.changed,
        "fraction_changed": found.fraction,
        "relative_l2": found.relative_l2,
        "max_abs": found.max_abs,
        "cosine": found.cosine,
        "new_nan": found.nan,
        "new_inf": found.inf,
        "sparsity": _sides(found.sparsity),
        "zero_signs": found.zero_signs,
        "nan_payloads": found.nan_payloads,
        "rank": found.rank,
    }


def _fact(fact: TensorFact | None) -> dict[str, Any]:
    if fact is None:
        return {}
    return {
        "name": fact.name,
        "dtype": fact.dtype,
        "shape": list(fact.shape),
        "nbytes": fact.nbytes,
        "digest": fact.digest,
    }
