"""Models as notes describe them: enough to say what changed between two versions without opening either.

A note's line holds the digest of every tensor and, under `facts`, what the file says about itself. Where two lines
agree on the structure, they say all that the files would; else only the graphs themselves can be compared.
"""

from math import prod
from typing import TYPE_CHECKING, Any, cast

from gitops_model.ir import ELEMENT_BITS, Graph, Inline, Model, OtherType, Tensor, TensorType, Value, tensor_bytes

if TYPE_CHECKING:
    from gitops_model.diff.result import ModelDiff, Side
    from gitops_model.git.entries import Entry, Place
    from gitops_model.git.repository import Repository

LIMIT = 256 * 1024
"""Characters of facts that a note may hold; a tokenizer in the metadata is left in its file."""


def facts(model: Model) -> dict[str, Any] | None:
    """What the file says besides its tensors, as JSON; None where that is too much for a note."""
    found: dict[str, Any] = {
        "metadata": model.metadata,
        "opset": model.opset,
        "properties": model.properties,
        "inputs": None if model.inputs is None else [_value(value) for value in model.inputs],
        "outputs": None if model.outputs is None else [_value(value) for value in model.outputs],
        "ops": None if model.graph is None else _operations(model),
    }
    size = sum(len(key) + len(value) for key, value in model.metadata.items())
    size += sum(len(value.name) + 40 for value in (*(model.inputs or ()), *(model.outputs or ())))
    return found if size <= LIMIT else None


def _operations(model: Model) -> dict[str, int]:
    from gitops_model.diff.graph import op_counts

    return dict(sorted(op_counts(model).items()))


def _value(value: Value) -> list[Any]:
    """`[name]`, `[name, type]`, or `[name, dtype, shape]` (shape null: unknown rank)."""
    if value.type is None:
        return [value.name]
    if isinstance(value.type, OtherType):
        return [value.name, value.type.text]
    return [value.name, value.type.dtype, None if value.type.shape is None else list(value.type.shape)]


def side(line: dict[str, Any]) -> "Side | None":
    """The model that a line describes, without its graph's nodes; None where the line says too little or nonsense.

    Notes are written by whoever may push: every shape is checked.
    """
    said: Any = line.get("facts")
    if line.get("source") != "content" or not isinstance(said, dict):
        return None
    try:
        return _side(line, cast("dict[str, Any]", said))
    except (TypeError, ValueError, KeyError, AttributeError):
        return None


def _side(line: dict[str, Any], said: dict[str, Any]) -> "Side":
    from gitops_model.diff.result import Side

    tensors = [_tensor(*row) for row in line["tensors"]]
    ops = said["ops"]
    model = Model(
        _text(line["format"]),
        tuple(tensor for tensor, _ in tensors),
        inputs=_values(said["inputs"]),
        outputs=_values(said["outputs"]),
        graph=None if ops is None else Graph("", (), (), (), {}),
        opset={_text(name): int(version) for name, version in said["opset"].items()},
        properties={_text(name): _scalar(value) for name, value in said["properties"].items()},
        metadata={_text(name): _text(value) for name, value in said["metadata"].items()},
    )
    weights, structure, signature, optimizer = (
        _text(line.get(name, "")) for name in ("weights", "structure", "signature", "optimizer")
    )
    return Side(model, tuple(digest for _, digest in tensors), weights, structure, signature, optimizer)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _scalar(value: object) -> str | int:
    if not isinstance(value, (str, int)):
        raise TypeError
    return value


def _tensor(name: object, dtype: object, shape: list[int], digest: object) -> tuple[Tensor, str]:
    kind, dims = _text(dtype), tuple(int(dim) for dim in shape)
    if any(dim < 0 for dim in dims):
        raise ValueError
    return Tensor(_text(name), kind, dims, Inline(b""), nbytes(kind, prod(dims))), _text(digest)


def nbytes(dtype: str, elements: int) -> int:
    """The size of so many elements; 0 where the type does not say it (strings)."""
    from gitops_model.readers.gguf.types import GGML_TYPES

    if dtype in ELEMENT_BITS:
        return tensor_bytes(dtype, elements)
    block = next(((count, size) for name, count, size in GGML_TYPES.values() if name == dtype), None)
    return elements // block[0] * block[1] if block is not None else 0


def _values(said: Any) -> tuple[Value, ...] | None:
    return None if said is None else tuple(_typed(*row) for row in said)


def _typed(name: object, kind: object = None, *shape: Any) -> Value:
    if kind is None:
        return Value(_text(name), None)
    if not shape:
        return Value(_text(name), OtherType(_text(kind)))
    dims = None if shape[0] is None else tuple(_dim(dim) for dim in shape[0])
    return Value(_text(name), TensorType(_text(kind), dims))


def _dim(dim: object) -> int | str | None:
    if dim is not None and not isinstance(dim, (int, str)):
        raise TypeError
    return dim


def enough(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether the two lines say all that a comparison of the files would: the graphs are one, whatever the weights."""
    same = ("format", "structure")
    return all(before.get(name) == after.get(name) and before.get(name) for name in same) and (
        before["facts"]["opset"] == after["facts"]["opset"] and bool(before.get("model")) and bool(after.get("model"))
    )


def compare(before: dict[str, Any], after: dict[str, Any]) -> "ModelDiff | None":
    """The difference of two lines, no statistics in it; None where a line says too little.

    Where the structures differ (not `enough`), nothing is proved about the graphs, and operations are only counted.
    """
    from gitops_model.diff import digests, signature, texts, verdict, weights
    from gitops_model.diff import facts as _facts
    from gitops_model.diff.graph import moved
    from gitops_model.diff.layers import layers
    from gitops_model.diff.proof.compare import Outcome
    from gitops_model.diff.proof.prove import Proof
    from gitops_model.diff.result import GraphDiff, ModelDiff, NodeChange

    old, new = side(before), side(after)
    if old is None or new is None:
        return None
    tensors = weights.diff(old, new)
    counts = [dict(line["facts"]["ops"] or {}) for line in (before, after)]
    ops = moved(*counts)
    graph = GraphDiff(
        added=tuple(NodeChange(op, now - was) for op, (was, now) in ops.items() if now > was),
        removed=tuple(NodeChange(op, was - now) for op, (was, now) in ops.items() if was > now),
        nodes=(sum(counts[0].values()), sum(counts[1].values())),
        ops=ops,
    )
    metadata = _facts.changes(old.model.metadata, new.model.metadata)
    draft = ModelDiff(
        formats=(old.model.format, new.model.format),
        signature=signature.diff(old.model, new.model),
        graph=graph,
        opset=_facts.changes(old.model.opset, new.model.opset),
        properties=_facts.changes(old.model.properties, new.model.properties),
        metadata=metadata,
        texts=texts.diff(metadata),
        weights=tensors._replace(layers=layers(new, tensors)),
        digests=digests(old, new),
    )
    proof = None
    if old.model.graph is not None and enough(before, after):
        # The digest `model` is the structure with every constant's value in its place (docs/format.md).
        proof = Proof(Outcome.EXACT if before["model"] == after["model"] else Outcome.WEIGHTS)
    return draft._replace(verdict=verdict.judge(old, new, draft, proof))


class Known:
    """The lines on the models of a repository, each blob's read once."""

    def __init__(self, repository: "Repository", count: int = 1) -> None:
        from gitops_model.git.notes import Notes

        self.repository = repository
        self.notes = Notes(repository)
        self.notes.snapshot(count=count)
        self._lines: dict[str, list[dict[str, Any]]] = {}

    def line(self, entry: "Entry", place: "Place", tree: str | None = None) -> dict[str, Any] | None:
        """A line on the content of an entry that holds at the place; `tree` is the id of its tree where it is known."""
        from gitops_model.git.deps import current
        from gitops_model.git.lookup import Lookup

        if entry.oid is None:
            return None
        lines = self.all(entry)
        lookup = Lookup(self.repository, place, tree)
        fitting = [line for line in lines if current(lookup, entry.path, line)]
        return next((line for line in fitting if "facts" in line), fitting[0] if fitting else None)

    def all(self, entry: "Entry") -> list[dict[str, Any]]:
        """Every line on the content of an entry's blob, whatever other files it rests on."""
        if entry.oid is None:
            return []
        lines = self._lines.get(entry.oid)
        if lines is None:
            lines = [line for line in self.notes.parsed(entry.oid, "fingerprint") if line.get("source") == "content"]
            self._lines[entry.oid] = lines
        return lines
