"""The law that a diff leaves nothing out, held against two models, and what a diff of nothing is."""

import json
from typing import Any

import onnx

from gitops_model.blob import Blob, NoSource, Source
from gitops_model.diff import ModelDiff, Side, diff_models
from gitops_model.diff.apply import apply, undo
from gitops_model.diff.apply import describe as description
from gitops_model.pipeline.load import Opened, describe
from gitops_model.render import Look
from gitops_model.render.diff import Compared, FileDiff
from gitops_model.render.diff.json import document as diff_document
from gitops_model.render.show import Shown
from gitops_model.render.show import json as show_json
from support.rebuild import rebuilt, told


def side(name: str, content: bytes, source: Source | None = None) -> Side:
    return describe(Opened(Blob.of_bytes(name, content), source or NoSource()))


def onnx_side(model: onnx.ModelProto, source: Source | None = None) -> Side:
    return side("m.onnx", model.SerializeToString(), source)


def held(before: Side, after: Side) -> ModelDiff:
    """The diff, for which the law holds both ways, and for the documents that scripts read."""
    found = diff_models(before, after, measure=False)
    assert apply(found, description(before)) == description(after)
    assert undo(found, description(after)) == description(before)
    document = diff_document(Compared((FileDiff("m", "compared", found),), "before", "after"))
    assert rebuilt(shown(before), document) == told(shown(after))
    return found


def shown(one: Side) -> dict[str, Any]:
    digests = (digest or None for digest in (one.weights, one.structure, one.signature, one.optimizer))
    return json.loads(show_json.render(Shown("m", one.model, one.digests, *digests), Look()))


def empty(diff: ModelDiff) -> bool:
    graph, weights, interface = diff.graph, diff.weights, diff.signature
    parts = (
        (interface.inputs, interface.outputs, diff.opset, diff.properties, diff.metadata),
        (graph.added, graph.removed, graph.changed, graph.rewrites, graph.ops),
        (weights.changed, weights.added, weights.removed, weights.renamed, weights.unknown, weights.patterns),
    )
    same = all(old == new for old, new in (diff.formats, graph.nodes, weights.totals, *diff.digests.values()))
    return same and not any(part for group in parts for part in group)


def check_nothing(found: Side) -> None:
    for same_bytes, kind in ((False, "identical-model"), (True, "identical-bytes")):
        diff = diff_models(found, found, same_bytes=same_bytes)
        assert empty(diff)
        assert (diff.verdict.kind, diff.verdict.bump) == (kind, "none")
        assert diff.verdict.equivalent or not same_bytes  # of other bytes it has to be proved
        assert apply(diff, description(found)) == description(found)
