"""A model as JSON; the shape is published in render/show.schema.json and only grows."""

import json
from collections import Counter
from typing import Any

from gitops_model.diff.graph import nodes
from gitops_model.diff.nodes import op_text
from gitops_model.ir import OtherType, Tensor, Value
from gitops_model.render import Look
from gitops_model.render.show import Shown, external


def render(shown: Shown, _look: Look) -> str:
    model = shown.model
    ops = Counter(op_text(node) for node in nodes(model))
    document: dict[str, Any] = {
        "path": shown.path,
        "format": model.format,
        "weights": shown.weights,
        "structure": shown.structure,
        "signature": shown.signature,
        "optimizer": shown.optimizer,
        "inputs": [value_json(value) for value in model.inputs or ()],
        "outputs": [value_json(value) for value in model.outputs or ()],
        "opset": dict(sorted(model.opset.items())),
        "graph": {"nodes": ops.total(), "ops": dict(sorted(ops.items()))},
        "properties": model.properties,
        "metadata": model.metadata,
        "deps": list(model.deps),
        "problems": [{"code": problem.code, "message": problem.message} for problem in model.problems],
        "tensors": [_tensor(tensor, digest) for tensor, digest in zip(model.tensors, shown.digests, strict=True)],
    }
    return json.dumps(document, indent=2) + "\n"


def value_json(value: Value) -> dict[str, Any]:
    """`{name, dtype, shape}` (shape null: unknown rank), or `{name, type}` for what is no dense tensor."""
    if value.type is None:
        return {"name": value.name, "type": None}
    if isinstance(value.type, OtherType):
        return {"name": value.name, "type": value.type.text}
    shape = None if value.type.shape is None else list(value.type.shape)
    return {"name": value.name, "dtype": value.type.dtype, "shape": shape}


def _tensor(tensor: Tensor, digest: str | None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": tensor.name,
        "dtype": tensor.dtype,
        "shape": list(tensor.shape),
        "digest": digest,
        "nbytes": tensor.nbytes,
    }
    if tensor.group:
        entry["group"] = tensor.group
    elsewhere = external(tensor.data)
    if elsewhere is not None:
        entry["external"] = elsewhere._asdict()
    return entry
