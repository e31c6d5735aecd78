"""The proof as a whole: two sides in, what is certain about them out."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from gitops_model.diff.proof.build import Builder, Unprovable
from gitops_model.diff.proof.compare import Comparison
from gitops_model.diff.proof.evaluate import Evaluator
from gitops_model.diff.proof.lossy import FLOATS
from gitops_model.diff.proof.table import Table, TooLarge
from gitops_model.diff.proof.values import Outcome
from gitops_model.diff.proof.wiring import constants_in_place
from gitops_model.diff.proof.wiring import outcome as one_for_both
from gitops_model.diff.result import Rewrite, Side
from gitops_model.errors import BadFile
from gitops_model.fingerprint.constants import Content, content
from gitops_model.ir import Model, Tensor, TensorType, Value


class Proof(NamedTuple):
    """`outcome` as compare.Outcome; `rewrites` are what was recognised on one side and not on the other."""

    outcome: Outcome
    rewrites: tuple[Rewrite, ...] = ()
    reason: str = ""
    unknown: bool = False
    """The comparison was given up: nothing is known, not even that they differ."""


def prove(before: Side, after: Side) -> Proof:
    """Compare the functions of two graphs. DIFFERENT means that nothing was proved, not that they differ.

    Where they are not equal and one has numbers of fewer bits, they are compared once more with that allowed: LOSSY.
    """
    proof = compared(before, after)
    if proof.outcome > Outcome.ROUNDED and not proof.unknown and fewer_bits(before.model) != fewer_bits(after.model):
        again = compared(before, after, lossy=True)
        if again.outcome is Outcome.LOSSY or (again.outcome < Outcome.LOSSY and is_lossy(again.rewrites)):
            return again._replace(outcome=Outcome.LOSSY)
    return proof


QUANTISED = (
    "QuantizeLinear",
    "DequantizeLinear",
    "QLinear",
    "QGemm",
    "MatMulInteger",
    "ConvInteger",
    "DynamicQuantize",
)


def fewer_bits(model: Model) -> tuple[int, int, int]:
    """Constants of half precision, nodes that quantise, nodes that cast: what tells of numbers cut short."""
    from gitops_model.diff.graph import nodes

    halves = sum(tensor.dtype in ("float16", "bfloat16") for tensor in model.tensors)
    ops = Counter(node.op_type for node in nodes(model))
    quantising = sum(number for op, number in ops.items() if any(word in op for word in QUANTISED))
    return halves, quantising, ops["Cast"] if halves else 0


def is_lossy(rewrites: tuple[Rewrite, ...]) -> bool:
    return any(rewrite.numeric == "lossy" for rewrite in rewrites)


def compared(before: Side, after: Side, *, lossy: bool = False) -> Proof:
    if before.model.graph is None or after.model.graph is None:
        return Proof(Outcome.DIFFERENT, reason="there is no graph to compare")
    keys = shared_inputs(before.model, after.model, lossy=lossy)
    if keys is None:
        return Proof(Outcome.DIFFERENT, reason="the inputs or outputs are not the same")
    if has_own_inputs(before.model, keys[0]) or has_own_inputs(after.model, keys[1]):
        return Proof(Outcome.DIFFERENT, reason="the graph has inputs that the model has not", unknown=True)
    known = digests(before), digests(after)
    constants = None if lossy else constants_in_place((before.model, after.model), known, keys)
    if constants is not None and all(ours == theirs for ours, theirs in constants.items()):
        return Proof(Outcome.EXACT)
    table = Table()
    builders = [
        Builder(table, side.model, contents, reader(side), name, lossy=lossy)
        for side, contents, name in zip((before, after), known, "ab", strict=True)
    ]
    evaluator = Evaluator(table)
    try:
        made: list[list[int]] = []
        for builder, names in zip(builders, keys, strict=True):
            builder.evaluator = evaluator
            made.append(builder.outputs(names))
            if constants is not None and len(made) == 1:
                settled = one_for_both(table, made[0], constants)
                if settled is not None:
                    return Proof(settled)
        comparison = Comparison(table, evaluator, lossy=lossy)
        outcome = Outcome.EXACT
        for one, other in zip(*made, strict=True):
            outcome = max(outcome, comparison.outcome(one, other))
            if outcome is Outcome.DIFFERENT:
                break
    except (Unprovable, TooLarge, RecursionError) as error:
        if same_model(before, after):
            return Proof(Outcome.EXACT)
        return Proof(Outcome.DIFFERENT, reason=str(error) or "the graphs are too large to compare", unknown=True)
    if outcome is Outcome.DIFFERENT:
        # An output that nothing makes is equal to no other, not even in the same model.
        same = bool(before.structure) and before.structure == after.structure and same_model(before, after)
        return Proof(outcome, reason="operations differ that no known rewrite explains", unknown=same)
    rewrites = recognised(builders[0], builders[1], comparison, outcome)
    if outcome is Outcome.EXACT and any(rewrite.numeric != "exact" for rewrite in rewrites):
        outcome = Outcome.ROUNDED
    return Proof(outcome, rewrites)


def has_own_inputs(model: Model, names: Mapping[str, object]) -> bool:
    """Whether the graph takes more than the model does: the `self` of TorchScript, which holds the weights."""
    graph = model.graph
    return graph is not None and any(v.name not in names and v.name not in graph.initializers for v in graph.inputs)


def same_model(before: Side, after: Side) -> bool:
    """Whether two graphs are one and the same, each constant in its place: so they are when nothing can be proved."""
    from gitops_model.fingerprint import model_digest

    if before.model.opset != after.model.opset or None in before.digests or None in after.digests:
        return False
    found: list[str | None] = []
    for side in (before, after):
        known = {tensor: bytes.fromhex(digest) for tensor, digest in tensor_digests(side)}
        found.append(model_digest(side.model, known, side.data))
    return found[0] is not None and found[0] == found[1]


def tensor_digests(side: Side) -> Iterator[tuple[Tensor, str]]:
    for tensor, digest in zip(side.model.tensors, side.digests, strict=True):
        if digest is not None:
            yield tensor, digest
    yield from side.constants.items()


def digests(side: Side) -> dict[Content, str]:
    return {content(tensor): digest for tensor, digest in tensor_digests(side)}


def reader(side: Side) -> Callable[[Tensor], bytes]:
    """Reads a tensor's canonical bytes whole: small ones while building, larger ones only to compute a folding."""

    def read(tensor: Tensor) -> bytes:
        from gitops_model.diff.proof.operations import Unknown

        if side.data is None:
            raise Unknown
        try:
            return b"".join(bytes(chunk) for chunk in side.data.chunks(tensor.data))
        except BadFile as error:
            raise Unknown from error

    return read


def shared_inputs(
    before: Model, after: Model, *, lossy: bool = False
) -> tuple[dict[str, object], dict[str, object]] | None:
    """Keys for the formal inputs of both graphs: by name where all names agree, else by place with equal types.

    None where the functions cannot be the same: other numbers of inputs or outputs, or other fixed types.
    """
    olds, news = before.inputs or (), after.inputs or ()
    if len(olds) != len(news) or len(before.outputs or ()) != len(after.outputs or ()):
        return None
    names = {value.name for value in olds}
    if names == {value.name for value in news}:
        types = {value.name: value for value in olds}
        if not all(same_type(types[value.name], value, lossy=lossy) for value in news):
            return None
        keys: dict[str, object] = {name: name for name in names}
        return keys, dict(keys)
    if not all(same_type(one, other, lossy=lossy) for one, other in zip(olds, news, strict=True)):
        return None
    return (
        {value.name: index for index, value in enumerate(olds)},
        {value.name: index for index, value in enumerate(news)},
    )


def same_type(one: Value, other: Value, *, lossy: bool) -> bool:
    """Equal element type and equal fixed dims: what each rule may rely on holds for both. Floats are one if `lossy`."""
    if isinstance(one.type, TensorType) and isinstance(other.type, TensorType):
        kinds = (one.type.dtype, other.type.dtype)
        alike = kinds[0] == kinds[1] or (lossy and all(kind in FLOATS for kind in kinds))
        return alike and fixed(one.type) == fixed(other.type)
    return one.type == other.type


def fixed(kind: TensorType) -> tuple[int | None, ...] | None:
    return None if kind.shape is None else tuple(dim if isinstance(dim, int) else None for dim in kind.shape)


def recognised(before: Builder, after: Builder, comparison: Comparison, outcome: Outcome) -> tuple[Rewrite, ...]:
    """What one side has and the other has not, by pattern, of graphs that are proved to agree but for constants.

    Where constants differ, nothing is said to be folded: that is only proved by what comes out of it.
    """
    from gitops_model.diff.rewrites import LOSSY, REWRITES, count, folds, numeric

    found: list[Rewrite] = []
    counted = comparison.lossy.counted if comparison.lossy is not None else {}
    one, other = before.tally, after.tally
    folded_in_vain = outcome is Outcome.WEIGHTS  # some constant is not what the other side computes or stores
    for pattern in (*REWRITES, *LOSSY):
        number = count(pattern, one, other) + counted.get(pattern, 0)
        kind = numeric(pattern)
        if pattern == "constant-folding" and comparison.rounded:
            kind = "rounded"
        if number and not (folded_in_vain and folds(pattern)):
            found.append(Rewrite(pattern, number, kind))
    if comparison.folded and not any(folds(rewrite.pattern) for rewrite in found):
        found.append(Rewrite("constant-folding", comparison.folded, "rounded" if comparison.rounded else "exact"))
    if sum(rewrite.numeric == "rounded" for rewrite in found) > 1:
        found = [rewrite for rewrite in found if rewrite.pattern != "arithmetic"]  # it is part of the others
    return tuple(found)
