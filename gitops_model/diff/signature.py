"""What changed for callers: inputs and outputs by name, graded, with the version bump that each change asks for.

A caller feels a change in one direction: an input that takes less than before breaks calls, an output that may give
more than before breaks what reads it.
"""

from collections import Counter
from typing import TypeAlias

from gitops_model.diff.result import SignatureDiff, ValueChange, type_text
from gitops_model.ir import Dim, Model, OtherType, TensorType, Value

Values: TypeAlias = tuple[Value, ...]
Key: TypeAlias = tuple[str, int]
Places: TypeAlias = tuple[int | None, int | None]


def diff(before: Model, after: Model) -> SignatureDiff:
    """Where only one side says what it takes and gives, callers see no change, but the files say more or less."""
    olds, news = interface(before), interface(after)
    if olds is None or news is None:
        one, other = olds or ((), ()), news or ((), ())
        inputs, outputs = (
            _said(*sides, role=role) for role, *sides in zip(("input", "output"), one, other, strict=True)
        )
        return SignatureDiff(inputs, outputs, (olds is not None, news is not None))
    return SignatureDiff(_values(olds[0], news[0], output=False), _values(olds[1], news[1], output=True))


def interface(model: Model) -> tuple[Values, Values] | None:
    """(inputs, outputs); None where the file does not say both."""
    return None if model.inputs is None or model.outputs is None else (model.inputs, model.outputs)


def _said(old: Values, new: Values, role: str) -> tuple[ValueChange, ...]:
    """One of the two is empty because its file says nothing."""
    more, less = f"the file now says that it has {role}", f"the file no longer says that it has {role}"
    return (
        *(ValueChange(value.name, "removed", "annotation", value, None, "none", f"{less} {value.name}", (place, None))
          for place, value in enumerate(old)),
        *(ValueChange(value.name, "added", "annotation", None, value, "none", f"{more} {value.name}", (None, place))
          for place, value in enumerate(new)),
    )  # fmt: skip


def _values(old: Values, new: Values, *, output: bool) -> tuple[ValueChange, ...]:
    role = "output" if output else "input"
    olds, news = keyed(old), keyed(new)
    renamed = _renamed(old, new, olds, news)
    changes: list[ValueChange] = []
    for key, place in olds.items():
        if key not in news and place not in renamed:
            reason = f"{role} {key[0]} was removed"
            changes.append(ValueChange(key[0], "removed", "real", old[place], None, "major", reason, (place, None)))
    for key, place in news.items():
        value = new[place]
        if key in olds:
            changes += _retyped(old[olds[key]], value, (olds[key], place), output=output)
        elif place in renamed:
            reason = f"{role} {old[place].name} was renamed to {value.name}"
            change = ValueChange(value.name, "renamed", "real", old[place], value, "major", reason, (place, place))
            changes.append(change)
        else:
            bump, kind = ("minor", "output") if output else ("major", "required input")
            reason = f"new {kind} {value.name}"
            changes.append(ValueChange(value.name, "added", "real", None, value, bump, reason, (None, place)))
    kept_old = [key for key in olds if key in news]
    kept_new = [key for key in news if key in olds]
    for was, now in zip(kept_old, kept_new, strict=True):
        if was != now:
            reason = f"{role}s stand in another order"
            bump = "major" if output else "minor"
            places = olds[now], news[now]
            sides = old[places[0]], new[places[1]]
            changes.append(ValueChange(now[0], "order", "real", *sides, bump, reason, places))
    return tuple(changes)


def keyed(values: Values) -> dict[Key, int]:
    """Places by name, in their order. A name that stands there again (no valid file has one) is told by its number."""
    seen: Counter[str] = Counter()
    found: dict[Key, int] = {}
    for place, value in enumerate(values):
        found[value.name, seen[value.name]] = place
        seen[value.name] += 1
    return found


def _renamed(old: Values, new: Values, olds: dict[Key, int], news: dict[Key, int]) -> set[int]:
    """The places where as many stand on both sides and the one that is there only changed its name."""
    if len(old) != len(new):
        return set()
    pairs = zip(olds, news, strict=True)
    return {
        place
        for place, (was, now) in enumerate(pairs)
        if was not in news and now not in olds and _same_type(old[place].type, new[place].type)
    }


def _same_type(was: TensorType | OtherType | None, now: TensorType | OtherType | None) -> bool:
    if isinstance(was, TensorType) and isinstance(now, TensorType) and was.shape is not None and now.shape is not None:
        fixed = [[dim if isinstance(dim, int) else None for dim in kind.shape or ()] for kind in (was, now)]
        return was.dtype == now.dtype and fixed[0] == fixed[1]
    return was == now


def _retyped(was: Value, now: Value, places: Places, *, output: bool) -> list[ValueChange]:
    if was.type == now.type:
        return []
    role = "output" if output else "input"
    text = f"{role} {now.name}: {type_text(was.type)} → {type_text(now.type)}"

    def change(kind: str, grade: str, bump: str, why: str) -> list[ValueChange]:
        return [ValueChange(now.name, kind, grade, was, now, bump, f"{text}: {why}", places)]

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
