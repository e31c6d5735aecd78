"""What both models are given: for every pair of inputs the type, shape and kind of values on either side."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

from gitops_model.diff.probe import ProbedInput
from gitops_model.diff.probing.pairs import Pair, common_type, inputs_of, kind_of, paired
from gitops_model.diff.probing.ranges import Uses, choices, uses
from gitops_model.diff.probing.sizes import Sized, sized
from gitops_model.diff.result import Side
from gitops_model.errors import BadFile
from gitops_model.ir import Tensor, TensorType, Value
from gitops_model.pipeline.seeded_inputs import LARGEST, PLAIN

MOST_NUMBERS = 64
"""Elements of a constant that is read for what an input is compared with."""


class Refused(Exception):
    """The models cannot be given inputs; the message says why, to be put behind `not run: `."""


class Kind(NamedTuple):
    """How the values of one pair are made; `below` and `among` as seeded_inputs has them."""

    via: str | None
    below: int | None = None
    among: tuple[int, ...] = ()


class Feeds(NamedTuple):
    """`attempts`: the sizes to try, in order; `inputs` and `notes` as the probe tells them."""

    pairs: tuple[Pair, ...]
    kinds: tuple[Kind, ...]
    attempts: tuple[Sized, ...]
    inputs: tuple[ProbedInput, ...]
    notes: tuple[str, ...]

    def of(self, side: int) -> list[tuple[int, dict[str, Any]]]:
        """(number, name → what the worker makes of it) of every attempt."""
        return [(number, dict(self._specs(side, attempt))) for number, attempt in enumerate(self.attempts)]

    def _specs(self, side: int, attempt: Sized) -> Iterator[tuple[str, dict[str, Any]]]:
        for pair, kind, shapes in zip(self.pairs, self.kinds, attempt.shapes, strict=True):
            value, shape = pair[side], shapes[side]
            if value is None or shape is None or not isinstance(value.type, TensorType):
                continue
            key = next(one.name for one in pair if one is not None)
            ones = attempt.attempt.ones and kind.among == (0, 1)
            yield (
                value.name,
                {
                    "key": key,
                    "dtype": value.type.dtype,
                    "via": kind.via or value.type.dtype,
                    "shape": shape,
                    "below": kind.below,
                    "among": kind.among,
                    "fixed": 1 if ones else None,
                },
            )


def feeds(before: Side, after: Side) -> Feeds:
    """Raises Refused."""
    pairs = paired(inputs_of(before.model), inputs_of(after.model))
    for pair in pairs:
        for value in pair:
            if value is not None:
                _makeable(value, pair)
    known = [_uses(side, [pair[place] for pair in pairs]) for place, side in enumerate((before, after))]
    kinds = tuple(_kind(pair, known) for pair in pairs)
    attempts = tuple(
        attempt
        for attempt in sized(pairs, lone_integers=any(kind.among == (0, 1) for kind in kinds))
        if all(prod(shape) <= LARGEST for shapes in attempt.shapes for shape in shapes if shape is not None)
    )
    if not attempts:
        raise Refused("the inputs would have too many elements")
    inputs = tuple(_told(pair, kind) for pair, kind in zip(pairs, kinds, strict=True))
    return Feeds(pairs, kinds, attempts, inputs, tuple(_notes(pairs, kinds)))


def _makeable(value: Value, pair: Pair) -> None:
    if not isinstance(value.type, TensorType):
        raise Refused(f"no values can be made for the input {value.name}: it is no plain tensor")
    ranks = [one.type.shape for one in pair if one is not None and isinstance(one.type, TensorType)]
    if all(shape is None for shape in ranks):
        raise Refused(f"no values can be made for the input {value.name}: its rank is not known")
    if value.type.dtype not in PLAIN and value.type.dtype not in ("bfloat16", "string"):
        raise Refused(f"no values can be made for the input {value.name}: its type is {value.type.dtype}")


def _type(value: Value | None) -> str | None:
    return value.type.dtype if value is not None and isinstance(value.type, TensorType) else None


def _uses(side: Side, values: Sequence[Value | None]) -> dict[str, Uses]:
    kinds = ("integer", "float")  # an exporter may take indices as floats, and cast them
    names = [value.name for value in values if value is not None and kind_of(_type(value) or "") in kinds]
    return uses(side.model, names, lambda tensor: _numbers(side, tensor)) if names else {}


def _numbers(side: Side, tensor: Tensor) -> tuple[int, ...]:
    if side.data is None or tensor.dtype not in ("int32", "int64") or not 0 < tensor.nbytes <= 8 * MOST_NUMBERS:
        return ()
    try:
        raw = b"".join(side.data.chunks(tensor.data))
    except BadFile:
        return ()
    width = 4 if tensor.dtype == "int32" else 8
    return tuple(int.from_bytes(raw[at : at + width], "little", signed=True) for at in range(0, len(raw), width))


def _kind(pair: Pair, known: Sequence[dict[str, Uses]]) -> Kind:
    types = [dtype for dtype in map(_type, pair) if dtype is not None]
    via = types[0] if len(types) == 1 else common_type(*types)
    if via is None or kind_of(via) not in ("integer", "float"):
        return Kind(via)
    found = [uses.get(value.name) if value is not None else None for value, uses in zip(pair, known, strict=True)]
    below, among = choices(*found)
    if kind_of(via) == "float":
        return Kind(via) if below is None else Kind("int64", below)
    if via in ("int8", "uint8") and below is None and among == (0, 1):
        return Kind(via)  # a picture, or what was quantised: every byte
    return Kind(via, below, among)


def _told(pair: Pair, kind: Kind) -> ProbedInput:
    names = (pair[0].name if pair[0] else None, pair[1].name if pair[1] else None)
    return ProbedInput(names, (_type(pair[0]) or "", _type(pair[1]) or ""), _values_text(kind))


def _values_text(kind: Kind) -> str:
    if kind.below is not None:
        return f"0 to {kind.below - 1}"
    if kind.among:
        return f"{', '.join(map(str, kind.among[:-1]))} or {kind.among[-1]}"
    if kind.via is None:
        return "other values on each side"
    names = {"float": "[-1, 1)", "complex": "[-1, 1)", "bool": "true or false", "string": "digits"}
    return names.get(kind_of(kind.via), "any byte")


def _notes(pairs: Sequence[Pair], kinds: Sequence[Kind]) -> Iterator[str]:
    for pair, kind in zip(pairs, kinds, strict=True):
        one, other = pair
        if one is None or other is None:
            value, side = (one, "before") if one is not None else (other, "after")
            yield f"the input {value.name if value is not None else ''} is there only {side}, and got values of its own"
            continue
        if kind.via is None:
            yield f"the input {other.name} has types on both sides that no value has in common"
        shapes = [value.type.shape or () for value in (one, other) if isinstance(value.type, TensorType)]
        if len(shapes[0]) != len(shapes[1]) or any(
            isinstance(was, int) and isinstance(now, int) and was != now
            for was, now in zip(shapes[0], shapes[1], strict=True)
        ):
            yield f"the input {other.name} has another shape before and after, so that the values are others too"
