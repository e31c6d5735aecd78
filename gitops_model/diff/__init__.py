"""What changed between two descriptions of a model: I/O, opset, operations, tensors, and what that means for callers.

    diff_models(before, after) -> ModelDiff

This is the first, thin diff: tensors by content and name, operations by count. Nothing is called equivalent here that
was not compared piece by piece. The matching of graphs by neighbourhood and the known rewrites take the place of
`graph.diff` and of `verdict.judge`; the shapes in diff/result.py stay.
"""

from gitops_model.diff.result import ModelDiff, Side

__all__ = ["ModelDiff", "Side", "diff_models"]


def diff_models(before: Side, after: Side, *, same_bytes: bool = False) -> ModelDiff:
    """Compare two models. `same_bytes`: the files are byte for byte the same, with everything they refer to."""
    from gitops_model.diff import facts, graph, signature, verdict, weights

    draft = ModelDiff(
        formats=(before.model.format, after.model.format),
        signature=signature.diff(before.model, after.model),
        graph=graph.diff(before.model, after.model),
        opset=facts.changes(before.model.opset, after.model.opset),
        properties=facts.changes(before.model.properties, after.model.properties),
        metadata=facts.changes(before.model.metadata, after.model.metadata),
        weights=weights.diff(before, after),
        digests={
            "weights": (before.weights, after.weights),
            "structure": (before.structure, after.structure),
            "signature": (before.signature, after.signature),
        },
    )
    return draft._replace(verdict=verdict.judge(before, after, draft, same_bytes=same_bytes))
