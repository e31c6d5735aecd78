"""Which side each tensor is from. Pure: digests in, a decision out."""

from collections.abc import Hashable, Mapping
from typing import NamedTuple

from gitops_model.diff.result import Side
from gitops_model.ir import Tensor

BASE, OURS, THEIRS = 0, 1, 2
SIDES = ("base", "ours", "theirs")


class Taken(NamedTuple):
    """A tensor of the result and the side (OURS or THEIRS) whose bytes it has."""

    tensor: Tensor
    side: int


class Conflict(NamedTuple):
    """A tensor or a key of the metadata (`what`) that both sides changed; how, in words."""

    what: str
    name: str
    ours: str
    theirs: str


class Decision(NamedTuple):
    """`from_theirs` counts what theirs alone changed, tensors and keys; those that conflict keep what ours has."""

    tensors: tuple[Taken, ...]
    metadata: dict[str, str]
    conflicts: tuple[Conflict, ...]
    from_theirs: int


class Prefer(NamedTuple):
    """Names, or prefixes of whole components, for which conflicts are settled."""

    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()

    def side(self, name: str) -> int | None:
        found = [
            (len(prefix), side)
            for side, prefixes in ((OURS, self.ours), (THEIRS, self.theirs))
            for prefix in prefixes
            if prefix in {"", name} or (name.startswith(prefix) and name[len(prefix)] in "./")
        ]
        return max(found)[1] if found else None


def decide(base: Side, ours: Side, theirs: Side, prefer: Prefer = Prefer()) -> Decision:  # noqa: B008 - immutable
    """Three-way: equal on both sides, or changed on one side only; the longest preference settles the rest."""
    sides = (base, ours, theirs)
    known = [contents(side) for side in sides]
    tensors = [{tensor.name: tensor for tensor in side.model.tensors} for side in sides]
    names = dict.fromkeys(name for side in (OURS, THEIRS, BASE) for name in known[side])
    taken: list[Taken] = []
    conflicts: list[Conflict] = []
    moved = 0
    for name in names:
        side = chosen(name, known, prefer)
        if side is None:
            conflicts.append(Conflict("tensor", name, fate(name, tensors, OURS), fate(name, tensors, THEIRS)))
            side = OURS
        moved += side == THEIRS
        if name in tensors[side]:
            taken.append(Taken(tensors[side][name], side))
    metadata: dict[str, str] = {}
    texts = [side.model.metadata for side in sides]
    for key in dict.fromkeys(key for side in (OURS, THEIRS, BASE) for key in texts[side]):
        side = chosen(key, texts, prefer)
        if side is None:
            conflicts.append(Conflict("metadata", key, *(repr(texts[number].get(key)) for number in (OURS, THEIRS))))
            side = OURS
        moved += side == THEIRS
        if key in texts[side]:
            metadata[key] = texts[side][key]
    return Decision(tuple(taken), metadata, tuple(conflicts), moved)


def contents(side: Side) -> dict[str, Hashable]:
    return {
        tensor.name: (tensor.dtype, tensor.shape, digest)
        for tensor, digest in zip(side.model.tensors, side.digests, strict=True)
    }


def chosen(name: str, known: "list[dict[str, Hashable]] | list[dict[str, str]]", prefer: Prefer) -> int | None:
    """OURS where both agree or only ours changed it, THEIRS where only theirs did, what is preferred, or None."""
    was, mine, other = (values.get(name) for values in known)
    if other in (mine, was):
        return OURS
    if mine == was:
        return THEIRS
    return prefer.side(name)


def fate(name: str, tensors: "list[Mapping[str, Tensor]] | list[dict[str, Tensor]]", side: int) -> str:
    now, was = tensors[side].get(name), tensors[BASE].get(name)
    if now is None:
        return "removed"
    kind = f"{now.dtype}{list(now.shape)}"
    return f"{'added' if was is None else 'changed'}, {kind}"
