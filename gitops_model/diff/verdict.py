"""What a change is (`kind`), what it asks of the version (`bump`), and whether it is proved to change nothing.

`equivalent` is true only for the same bytes, the same model, or two models that diff/proof proved to compute the same
function of their inputs. All else may be equivalent; here it is not called so.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gitops_model.diff.proof.values import Outcome
from gitops_model.diff.result import (
    GraphDiff,
    Limits,
    ModelDiff,
    Side,
    TensorChange,
    TensorFact,
    Verdict,
    WeightsDiff,
)
from gitops_model.readers import OPAQUE

if TYPE_CHECKING:
    from gitops_model.diff.proof.prove import Proof

MOST_NAMES = 8
"""Names that one reason lists."""
SAME = ("identical-model", "renamed-only")
ORDER = ("none", "patch", "minor", "major")
SHARED, NEARLY_ALL = 0.5, 0.9
"""Shares of the weight bytes, on both sides, that make another graph a variant: with the same names of inputs and
outputs, and with other names."""
MANY = 0.25
"""Share of the weight bytes, on both sides, without a counterpart of their shape, that another architecture has."""


def judge(
    before: Side,
    after: Side,
    draft: ModelDiff,
    proof: "Proof | None",
    *,
    same_bytes: bool = False,
    limits: tuple[Limits, ...] = (),
) -> Verdict:
    if same_bytes:
        return Verdict("identical-bytes", "none", equivalent=True, reasons=("the files are byte for byte the same",))
    kind = kind_of(before, after, draft, proof)
    equivalent = proved(draft, kind, proof)
    if kind in ("identical-model", "renamed-only") and proof is not None and not equivalent and not proof.unknown:
        kind = "weights-only"  # the same contents, but not in the same places
    if equivalent and kind == "weights+graph":
        kind = "graph-only"  # what changed in the weights is part of the rewrites
    bump = "none"
    reasons: dict[str, None] = {}
    graph = graph_outcome(draft, proof, equivalent=equivalent)
    for wanted, reason in (*out_of_reach(draft, limits), *asked(before, draft, kind, graph=graph)):
        bump = max(bump, wanted, key=ORDER.index)
        reasons[reason] = None
    if equivalent and kind != "identical-model":
        reasons["both compute the same outputs from the same inputs: same operations on the same contents"] = None
    elif kind == "identical-model" and not reasons:
        reasons["same structure, weights and signature"] = None
    return Verdict(kind, bump, equivalent, tuple(reasons))


def proved(draft: ModelDiff, kind: str, proof: "Proof | None") -> bool:
    """Whether the outputs are the same function of the inputs, of the same names and types.

    Of formats other than ONNX only what the reader saw is the same: there, nothing else may differ.
    """
    if other_interface(draft):
        return False
    if draft.formats[1] != "onnx" and (draft.properties or draft.metadata or kind not in SAME):
        return False
    if proof is None:
        return kind == "identical-model"
    return proof.outcome <= (Outcome.ROUNDED if draft.formats[1] == "onnx" else Outcome.EXACT)


def other_interface(draft: ModelDiff) -> bool:
    """Whether inputs or outputs changed; that a file states another shape for an output changes no output."""
    outputs = (change for change in draft.signature.outputs if change.change != "shape")
    return any(change.grade == "real" for change in (*draft.signature.inputs, *outputs))


def graph_outcome(draft: ModelDiff, proof: "Proof | None", *, equivalent: bool) -> str:
    """`same` function, the same with `lossy` numbers, `weights` only differ, or not `proved`."""
    if equivalent:
        return "same"
    if proof is not None and proof.outcome is Outcome.LOSSY:
        return "lossy"
    changes = (*draft.signature.inputs, *draft.signature.outputs)
    if proof is not None and proof.outcome is Outcome.WEIGHTS and not any(c.grade == "real" for c in changes):
        return "weights"
    return "unproved"


def kind_of(before: Side, after: Side, draft: ModelDiff, proof: "Proof | None") -> str:
    weights, graph_changed = draft.weights, before.structure != after.structure
    moved = bool(weights.changed or weights.added or weights.removed or weights.unknown)
    real = any(change.grade == "real" for change in (*draft.signature.inputs, *draft.signature.outputs))
    if draft.formats[0] != draft.formats[1]:
        return "cross-format"
    if before.model.graph is None or after.model.graph is None:
        if moved or replaced_whole(draft):
            return "weights-only"
        return "renamed-only" if weights.renamed else "identical-model"
    if not graph_changed:
        if moved:
            return "weights-only"
        if real:
            return "io-only"
        return "renamed-only" if weights.renamed else "identical-model" if not draft.opset else "graph-only"
    if real and (other_interface(draft) or proof is None or proof.outcome > Outcome.LOSSY):
        return variant_or_other(draft)
    if replaced(weights) and (proof is None or proof.outcome > Outcome.LOSSY):
        return "architecture"
    kept = weights.changed or weights.removed or weights.unknown
    return "weights+graph" if kept else "graph-only"


def replaced_whole(draft: ModelDiff) -> bool:
    """Whether the file, of which only the bytes as a whole are known, holds other bytes."""
    old, new = draft.digests["weights"]
    return draft.formats[1] == OPAQUE and old != new


def replaced(weights: WeightsDiff) -> bool:
    """Whether another model stands here: most of the weights, on both sides, share neither content nor name with any of
    the other model, and many have none of their shape in their place either."""
    strangers = [change for change in weights.changed if change.old_name is not None]
    reshaped = [change for change in strangers if is_reshaped(change)]
    return missing(weights, strangers, SHARED) and missing(weights, reshaped, MANY)


def missing(weights: WeightsDiff, changed: list[TensorChange], share: float) -> bool:
    """Whether what was removed or added and these make more than a share of the bytes on both sides."""
    sides = (
        [change.before for change in (*weights.removed, *changed)],
        [change.after for change in (*weights.added, *changed)],
    )
    return all(
        sum(fact.nbytes for fact in facts if fact) > share * nbytes > 0
        for facts, nbytes in zip(sides, weights.nbytes, strict=True)
    )


def variant_or_other(draft: ModelDiff) -> str:
    """The graph and the interface changed: a variant of the same model, or another one? What they share says it."""
    shares = [draft.weights.common_nbytes / nbytes if nbytes else 1.0 for nbytes in draft.weights.nbytes]
    changes = (*draft.signature.inputs, *draft.signature.outputs)
    names_kept = not any(change.change in {"added", "removed", "renamed"} for change in changes)
    return "variant" if min(shares) >= (SHARED if names_kept else NEARLY_ALL) else "architecture"


def out_of_reach(draft: ModelDiff, limits: tuple[Limits, ...]) -> Iterator[tuple[str, str]]:
    """What a declared target loaded before and does not load now; the target that loads least speaks for all."""
    if draft.formats[1] != "onnx":
        return
    for what, sides, most in (
        ("opset", draft.opset.get("ai.onnx"), [(one.opset, one.target) for one in limits]),
        ("IR version", draft.properties.get("ir_version"), [(one.ir_version, one.target) for one in limits]),
    ):
        known = [(number, target) for number, target in most if number is not None]
        if sides is None or not known:
            continue
        (old, new), (number, target) = sides, min(known)
        if isinstance(new, int) and new > number and not (isinstance(old, int) and old > number):
            yield "major", f"{what} {new} is above {number}, the newest that {target} loads"


def asked(before: Side, draft: ModelDiff, kind: str, *, graph: str) -> Iterator[tuple[str, str]]:
    """(bump, reason) of everything that asks for a version."""
    weights, operations = draft.weights, draft.graph
    for change in (*draft.signature.inputs, *draft.signature.outputs):
        if change.bump != "none":
            yield change.bump, change.reason
    if kind == "cross-format":
        yield "patch", f"{draft.formats[0]} became {draft.formats[1]}"
    elif draft.digests["structure"][0] != draft.digests["structure"][1] and before.model.graph is not None:
        if graph == "same":
            yield "patch", "the graph is written in another way" + known(operations)
        elif graph == "lossy":
            yield "patch", "the same operations with numbers of fewer bits" + known(operations)
        elif graph == "weights":
            yield "patch", "but for its weights the graph is the same, written in another way" + known(operations)
        elif operations.added or operations.removed:
            added, removed = (sum(change.number for change in side) for side in (operations.added, operations.removed))
            yield "minor", f"operations: {added} added, {removed} removed, not proved equivalent"
        elif operations.changed:
            number = len(operations.changed)
            yield "minor", f"{number} operation{'s' if number > 1 else ''} changed, not proved equivalent"
        else:
            yield "minor", "the graph changed without a change in the count of operations, not proved equivalent"
    yield from asked_by_weights(weights, kind, by_name=before.model.graph is None)
    for domain, (old, new) in draft.opset.items():
        yield "patch", f"opset {domain}: {_fact(old)} → {_fact(new)}"
    for name, (old, new) in draft.properties.items():
        yield "patch", f"{name}: {_fact(old)} → {_fact(new)}"
    if draft.metadata:
        names = list(draft.metadata)
        more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
        yield "patch", f"metadata changed: {', '.join(names[:MOST_NAMES])}{more}"


def asked_by_weights(weights: WeightsDiff, kind: str, *, by_name: bool) -> Iterator[tuple[str, str]]:
    """`by_name`: a loader finds the tensors of such a file by their names, so that these matter."""
    reshaped = any(_type(change.before) != _type(change.after) for change in weights.changed)
    prefixed = weights.prefix.sentence if weights.prefix is not None else ""
    pairs = (*weights.renamed, *weights.changed, *weights.unknown)
    renamed = any(change.old_name is not None and not weights.is_prefixed(change) for change in pairs)
    if weights.changed:
        yield "patch", f"{_tensors(len(weights.changed))} changed"
    elif kind == "weights-only" and weights.totals == (0, 0):
        yield "patch", "the content changed"
    elif kind == "weights-only" and not (weights.added or weights.removed or weights.unknown):
        yield "patch", "the same contents stand in other places"
    if weights.added or weights.removed:
        reason = f"tensors: {len(weights.added)} added, {len(weights.removed)} removed"
        yield ("minor" if by_name else "patch"), reason
    if by_name and prefixed:
        yield "minor", f"{prefixed}, and a loader knows them by name"
    if by_name and (reshaped or renamed):
        yield "minor", "tensors have other names, dtypes or shapes, which is how a loader knows them"
    if weights.unknown:
        yield "patch", f"{_tensors(len(weights.unknown))} could not be compared"


def known(graph: GraphDiff) -> str:
    """The rewrites by name, for the end of a sentence."""
    if not graph.rewrites:
        return ""
    return f" ({', '.join(f'{rewrite.number} x {rewrite.pattern}' for rewrite in graph.rewrites)})"


def is_reshaped(change: TensorChange) -> bool:
    """Whether both sides are there, with other shapes."""
    return change.before is not None and change.after is not None and change.before.shape != change.after.shape


def _type(fact: TensorFact | None) -> tuple[str, tuple[int, ...]] | None:
    return None if fact is None else (fact.dtype, fact.shape)


def _tensors(count: int) -> str:
    return "1 tensor" if count == 1 else f"{count:,} tensors"


def _fact(value: str | int | None) -> str:
    return "none" if value is None else str(value)
