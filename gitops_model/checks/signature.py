"""The declared inputs and outputs of a manifest beside those of each model file that has a signature."""

from collections.abc import Iterator
from typing import NamedTuple

from gitops_model.checks.facts import Facts, FileFacts
from gitops_model.ir import Dim, OtherType, TensorType, Value
from gitops_model.manifest import Declared, Place


class Side(NamedTuple):
    """The inputs, or the outputs, of one file. `kind` is "input" or "output"; `place` is where they are declared."""

    kind: str
    file: FileFacts
    declared: tuple[Declared, ...]
    real: tuple[Value, ...]
    place: Place


class Pair(NamedTuple):
    """One value that both sides name, with a type on the file's side."""

    kind: str
    file: FileFacts
    declared: Declared
    real: TensorType | OtherType

    @property
    def title(self) -> str:
        return f"the {self.kind} {self.declared.name!r} of {self.file.listed!r}"


def sides(facts: Facts) -> Iterator[Side]:
    """What can be compared: a part that the manifest does not declare is GM306, a file without a signature has none."""
    manifest = facts.manifest
    if manifest is None:
        return
    for file in facts.files:
        if file.model is None:
            continue
        start = Place(1, 1)
        if manifest.inputs is not None and file.model.inputs is not None:
            place = manifest.where_key("inputs") or start
            yield Side("input", file, manifest.inputs, file.model.inputs, place)
        if manifest.outputs is not None and file.model.outputs is not None:
            place = manifest.where_key("outputs") or start
            yield Side("output", file, manifest.outputs, file.model.outputs, place)


def pairs(facts: Facts) -> Iterator[Pair]:
    for side in sides(facts):
        declared = {value.name: value for value in side.declared}
        for value in side.real:
            if value.type is not None and value.name in declared:
                yield Pair(side.kind, side.file, declared[value.name], value.type)


def shown(shape: tuple[Dim, ...]) -> str:
    """`[1, batch, ?]`."""
    return "[" + ", ".join("?" if dim is None else str(dim) for dim in shape) + "]"
