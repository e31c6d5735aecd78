"""Digests of a model: of each tensor, of all weights, of the structure and of the signature (docs/format.md).

A digest's name carries its recipe: `gm1-weights:`, `gm1-structure:`, `gm1-model:`, `gm1-signature:`,
`gm1-optimizer:`. A tensor's digest is bare hex.
"""

from collections.abc import Mapping
from typing import NamedTuple

from gitops_model.errors import Problem
from gitops_model.fingerprint.constants import Content, content
from gitops_model.fingerprint.labels import TensorHash
from gitops_model.fingerprint.signature import signature_digest
from gitops_model.fingerprint.structure import plan, plan_digest
from gitops_model.fingerprint.tensors import hash_tensor, tensor_digests
from gitops_model.fingerprint.weights import header_digest, prefix_digests, weights_digest
from gitops_model.ir import Inline, Model, Tensor
from gitops_model.readers.bytes import TensorBytes

__all__ = [
    "Fingerprint",
    "TensorDigest",
    "fingerprint",
    "model_digest",
    "prefix_digests",
    "signature_digest",
    "structure_digest",
    "tensor_digests",
    "weights_digest",
]

BY_VALUE_BUDGET = 64 << 20
"""Bytes of attribute tensors that `structure_digest` reads unless told otherwise."""


class TensorDigest(NamedTuple):
    """A tensor and the digest (64 hex digits) of its type, shape and canonical bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    digest: str


class Fingerprint(NamedTuple):
    """The digests of a model. `tensors` runs in the order of `Model.tensors`.

    `signature` is None for a format that has none, `optimizer` for a model without training state. `problems` are
    what reading the bytes showed (GM011: a padding bit is set). `model` is the structure with every constant's value
    in its place and no names: equal for two files that compute the same, whatever they call things, and different
    where two weights of one shape are used the other way round, which neither `weights` nor `structure` shows.
    """

    format: str
    weights: str
    structure: str
    signature: str | None
    optimizer: str | None
    tensors: tuple[TensorDigest, ...]
    problems: tuple[Problem, ...] = ()
    model: str = ""


def fingerprint(model: Model, data: TensorBytes, jobs: int | None = None) -> Fingerprint:
    """Read every weight byte once and digest the model.

    `jobs` is the number of threads: None is one per processor, 1 reads the files in order from one thread (spinning
    disks). Raises BadFile where tensor bytes cannot be read.
    """
    digests, problems = tensor_digests(model.tensors, data, jobs)
    hashed = tuple(zip(model.tensors, digests, strict=True))
    training = [(tensor.name, digest) for tensor, digest in hashed if tensor.group == "optimizer"]
    weights = [(tensor.name, digest) for tensor, digest in hashed if tensor.group != "optimizer"]
    by_value = _ByValue(data, None)
    things = plan(model, by_value)
    return Fingerprint(
        format=model.format,
        weights=weights_digest(weights) if weights or model.header is None else header_digest(data, model.header),
        structure=plan_digest(things, "structure"),
        signature=signature_digest(model),
        optimizer=weights_digest(training, recipe="optimizer") if training else None,
        tensors=tuple(TensorDigest(tensor.name, tensor.dtype, tensor.shape, digest.hex()) for tensor, digest in hashed),
        problems=tuple(problems),
        model=plan_digest(things, "model", _known(dict(hashed), by_value)),
    )


def structure_digest(model: Model, data: TensorBytes | None = None, budget: int | None = BY_VALUE_BUDGET) -> str | None:
    """`gm1-structure:<hex>`, reading no weights.

    Tensor attributes count by value. None when that would take more than `budget` bytes, or any without `data`.
    """
    try:
        return plan_digest(plan(model, _ByValue(data, budget)), "structure")
    except _OverBudget:
        return None


def model_digest(
    model: Model, digests: Mapping[Tensor, bytes], data: TensorBytes | None = None, budget: int | None = BY_VALUE_BUDGET
) -> str | None:
    """`gm1-model:<hex>` from tensor digests that are known already (a note's), reading no weights."""
    by_value = _ByValue(data, budget)
    try:
        return plan_digest(plan(model, by_value), "model", _known(digests, by_value))
    except _OverBudget:
        return None


def _known(digests: Mapping[Tensor, bytes], by_value: "_ByValue") -> TensorHash:
    """Looks digests up by content: the attribute of a Constant node may hold its tensor under another name."""
    found = {content(tensor): digest for tensor, digest in digests.items()}

    def look_up(tensor: Tensor) -> bytes:
        return found.get(content(tensor)) or by_value(tensor)

    return look_up


class _OverBudget(Exception):
    pass


class _ByValue:
    """Digests of attribute tensors, each read once, within a budget."""

    def __init__(self, data: TensorBytes | None, budget: int | None) -> None:
        self._data = data
        self._left = budget
        self._known: dict[Content, bytes] = {}

    def __call__(self, tensor: Tensor) -> bytes:
        found = self._known.get(content(tensor))
        if found is None:
            if not isinstance(tensor.data, Inline):
                self._spend(tensor.nbytes)
            found = self._known[content(tensor)] = hash_tensor(tensor, self._data)[0]
        return found

    def _spend(self, size: int) -> None:
        if self._data is None:
            raise _OverBudget
        if self._left is not None:
            self._left -= size
            if self._left < 0:
                raise _OverBudget
