"""What changed for callers: inputs and outputs by name, graded, with the version bump that each change asks for.

A caller feels a change in one direction: an input that takes less than before breaks calls, an output that may give
more than before breaks what reads it.
"""

from gitops_model.diff.result import SignatureDiff, ValueChange, type_text
from gitops_model.ir import Dim, Model, OtherType, TensorType, Value


def diff(before: Model, after: Model) -> SignatureDiff:
    """Empty when a side has no signature (its format has none)."""
    if before.inputs is None or after.inputs is None or before.outputs is None or after.outputs is None:
        return SignatureDiff()
    return SignatureDiff(
        _values(before.inputs, after.inputs, output=False),
        _values(before.outputs, after.outputs, output=True),
    )


def _values(old: tuple[Value, ...], new: tuple[Value, ...], *, output: bool) -> tuple[ValueChange, ...]:
    role = "output" if output else "input"
    olds = {value.name: value for value in old}
    news = {value.name: value for value in new}
    renames = _renames(old, new)
    changes: list[ValueChange] = []
    for value in old:
        if value.name not in news and value.name not in renames.values():
            reason = f"{role} {value.name} was removed"
            changes.append(ValueChange(value.name, "removed", "real", value, None, "major", reason))
    for value in new:
        if value.name in olds:
            changes += _retyped(olds[value.name], value, output=output)
        elif value.name in renames:
            was = olds[renames[value.name]]
            reason = f"{role} {was.name} was renamed to {value.name}"
            changes.append(ValueChange(value.name, "renamed", "real", was, value, "major", reason))
        else:
            bump, kind = ("minor", "output") if output else ("major", "required input")
            reason = f"new {kind} {value.name}"
            changes.append(ValueChange(value.name, "added", "real", None, value, bump, reason))
    kept_old = [value.name for value in old if value.name in news]
    kept_new = [value.name for value in new if value.name in olds]
    for was, now in zip(kept_old, kept_new, strict=True):
        if was != now:
            reason = f"{role}s stand in another order"
            bump = "major" if output else "minor"
            changes.append(ValueChange(now, "order", "real", olds[now], news[now], bump, reason))
    return tuple(changes)


def _renames(old: tuple[Value, ...], new: tuple[Value, ...]) -> dict[str, str]:
    """New name → old name, where as many stand on both sides and the one at a place only changed its name."""
    if len(old) != len(new):
        return {}
    olds, news = {value.name for value in old}, {value.name for value in new}
    return {
        now.name: was.name
        for was, now in zip(old, new, strict=True)
        if was.name not in news and now.name not in olds and _same_type(was.type, now.type)
    }


def _same_type(was: TensorType | OtherType | None, now: TensorType | OtherType | None) -> bool:
    if isinstance(was, TensorType) and isinstance(now, TensorType) and was.shape is not None and now.shape is not None:
        fixed = [[dim if isinstance(dim, int) else None for dim in kind.shape or ()] for kind in (was, now)]
        return was.dtype == now.dtype and fixed[0] == fixed[1]
    return was == now


def _retyped(was: Value, now: Value, *, output: bool) -> list[ValueChange]:
    if was.type == now.type:
        return []
    role = "output" if output else "input"
    text = f"{role} {now.name}: {type_text(was.type)} → {type_text(now.type)}"

    def change(kind: str, grade: str, bump: str, why: str) -> list[ValueChange]:
        return [ValueChange(now.name, kind, grade, was, now, bump, f"{text}: {why}")]

    old, new = was.type, now.type
    if old is None or new is None:
        return change("type", "annotation", "patch", "the file says more or less about its type")
    if isinstance(old, OtherType) or isinstance(new, OtherType) or old.dtype != new.dtype:
        return change("type", "real", "major", "another type")
    if old.shape is None or new.shape is None:
        wider = new.shape is None
        return change("rank", "real", *_direction(wider=wider, narrower=not wider, output=output))
    if len(old.shape) != len(new.shape):
        return change("rank", "real", "major", "another rank")
    pairs = [pair for pair in zip(old.shape, new.shape, strict=True) if pair[0] != pair[1]]
    wider, narrower = any(_wider(*pair) for pair in pairs), any(_wider(now, was) for was, now in pairs)
    fixed = any(isinstance(was, int) and isinstance(now, int) for was, now in pairs)
    if wider or narrower or fixed:
        wider, narrower = wider or fixed, narrower or fixed
        return change("shape", "real", *_direction(wider=wider, narrower=narrower, output=output))
    if all(isinstance(was, str) and isinstance(now, str) for was, now in pairs):
        return change("shape", "noise", "none", "symbols were renamed")
    return change("shape", "annotation", "patch", "an unknown dimension got a name or lost it")


def _wider(was: Dim, now: Dim) -> bool:
    return isinstance(was, int) and not isinstance(now, int)


def _direction(*, wider: bool, narrower: bool, output: bool) -> tuple[str, str]:
    """(bump, why): what breaks is an input that takes less, or an output that may give more."""
    breaks = wider if output else narrower
    if wider and narrower:
        return "major", "another shape"
    word = "wider" if wider else "narrower"
    return ("major" if breaks else "minor"), f"{word} than before"
