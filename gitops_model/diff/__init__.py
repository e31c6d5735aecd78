"""What changed between two descriptions of a model: I/O, opset, operations, tensors, and what that means for callers.

    diff_models(before, after) -> ModelDiff

Tensors are matched by content, place and name, operations by what is around them; proof/ says whether the two graphs
compute the same function, looking through the known rewrites (rewrites/). Nothing is called equivalent that was not
proved there.
"""

from functools import cache

from gitops_model.diff.result import Limits, ModelDiff, Side

__all__ = ["ModelDiff", "Side", "diff_models"]


def diff_models(
    before: Side, after: Side, *, same_bytes: bool = False, measure: bool = True, limits: tuple[Limits, ...] = ()
) -> ModelDiff:
    """Compare two models. `same_bytes`: the files are byte for byte the same, with everything they refer to.

    `measure`: say how much the changed weights changed, which reads them once more. `limits` are those of the targets
    that the model is declared to run on.
    """
    from gitops_model.diff import facts, graph, signature, statistics, texts, verdict, weights
    from gitops_model.diff.match import Matching, matching_of

    @cache
    def matching() -> "Matching":
        return matching_of(before, after)

    alike = worth_proving(before, after)
    moved = weights.diff(before, after, matching if alike else None)
    metadata = facts.changes(before.model.metadata, after.model.metadata)
    draft = ModelDiff(
        formats=(before.model.format, after.model.format),
        signature=signature.diff(before.model, after.model),
        graph=graph.diff(before, after, matching),
        opset=facts.changes(before.model.opset, after.model.opset),
        properties=facts.changes(before.model.properties, after.model.properties),
        metadata=metadata,
        texts=texts.diff(metadata),
        weights=statistics.measured(before, after, moved, measure=measure),
        digests=digests(before, after),
    )
    if same_bytes or not alike:
        draft = draft._replace(graph=draft.graph._replace(rewrites=()))
        return draft._replace(verdict=verdict.judge(before, after, draft, None, same_bytes=same_bytes, limits=limits))
    from gitops_model.diff.proof.prove import prove
    from gitops_model.diff.proof.values import Outcome
    from gitops_model.diff.rewrites import prefix

    proof = prove(before, after)
    changed = () if proof.outcome <= Outcome.ROUNDED else draft.graph.changed
    respelled = draft.graph.rewrites if proof.outcome <= Outcome.ROUNDED else ()
    rewrites = (*proof.rewrites, *respelled, *prefix.rewrites(draft.weights))
    draft = draft._replace(graph=draft.graph._replace(rewrites=rewrites, changed=changed))
    return draft._replace(verdict=verdict.judge(before, after, draft, proof, limits=limits))


def digests(before: Side, after: Side) -> dict[str, tuple[str, str]]:
    """The digests of both sides by name; `optimizer` only where one of them holds training state."""
    names = ("weights", "structure", "signature", "optimizer")
    found = {name: (getattr(before, name), getattr(after, name)) for name in names}
    if found["optimizer"] == ("", ""):
        del found["optimizer"]
    return found


def worth_proving(before: Side, after: Side) -> bool:
    """Two graphs. That structure and weights agree does not say that each weight is in its place."""
    return (
        before.model.graph is not None and after.model.graph is not None and before.model.format == after.model.format
    )
