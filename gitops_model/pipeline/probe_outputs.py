"""From what the two workers measured, run by run, to what is told of each output."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from gitops_model.diff.probe import ProbedOutput
from gitops_model.diff.probing.pairs import Pair
from gitops_model.diff.probing.tolerance import FLIPPED

Runs: TypeAlias = Mapping[tuple[int, int], Mapping[str, Any]]
"""(attempt, seed) → the line of a worker."""


def probed_outputs(
    pairs: Sequence[Pair], places: Sequence[tuple[int | None, int | None]], before: Runs, after: Runs
) -> Iterator[ProbedOutput]:
    """`places` are the places of each pair among the outputs of its side; the runs are those that both sides made."""
    compared = 0
    for pair, place in zip(pairs, places, strict=True):
        names = (pair[0].name if pair[0] else None, pair[1].name if pair[1] else None)
        types = (_type(before, place[0]), _type(after, place[1]))
        varies = (_varies(before, place[0]), _varies(after, place[1]))
        if place[0] is None or place[1] is None:
            yield ProbedOutput(names, types, varies=varies, note=f"only {'after' if place[0] is None else 'before'}")
            continue
        rows = [line["compared"][compared] for line in after.values()]
        compared += 1
        yield judged(ProbedOutput(names, types, varies=varies), rows)


def judged(draft: ProbedOutput, rows: Sequence[Mapping[str, Any]]) -> ProbedOutput:
    """The output with the numbers of all its runs."""
    notes = list(dict.fromkeys(row["note"] for row in rows if row.get("note")))
    measured = [row for row in rows if "max_abs" in row]
    counted = [row for row in rows if "beyond" in row]
    lines, agreeing = (sum(row.get(key, 0) for row in measured) for key in ("rows", "agreeing"))
    elements, beyond = (sum(row[key] for row in counted) for key in ("elements", "beyond"))
    agrees: bool | None = None
    if counted and len(counted) == len(rows):
        reshaped = any(row.get("note") for row in counted)
        discrete = all(row.get("discrete") for row in counted)
        agrees = not reshaped and (beyond <= FLIPPED * elements if discrete else beyond == 0)
        if discrete and beyond:
            notes.append(f"{beyond:,} of {elements:,} elements differ")
    if agrees and elements and measured and not sum(row["finite"] for row in measured):
        agrees = None
        notes.append("not one finite number to compare")
    if any(draft.varies):
        where = " and ".join(side for side, varies in zip(("before", "after"), draft.varies, strict=True) if varies)
        note = f"random: {where} give{'' if all(draft.varies) else 's'} other values for the same inputs"
        return draft._replace(note="; ".join([*notes, note]))
    return draft._replace(
        max_abs=max((row["max_abs"] for row in measured), default=None),
        max_rel=max((row["max_rel"] for row in measured), default=None),
        argmax=agreeing / lines if lines else None,
        nan=sum(row["nan"] for row in measured),
        infinite=sum(row["infinite"] for row in measured),
        same_bits=bool(rows)
        and all(row.get("same_bits") or (row.get("beyond") == 0 and "max_abs" not in row) for row in rows),
        agrees=agrees,
        note="; ".join(notes),
    )


def _type(runs: Runs, place: int | None) -> str:
    if place is None or not runs:
        return ""
    last = list(runs.values())[-1]["outputs"][place]
    return last["dtype"] if last["shape"] is None else f"{last['dtype']}[{','.join(map(str, last['shape']))}]"


def _varies(runs: Runs, place: int | None) -> bool:
    return place is not None and any(line.get("varies", ())[place : place + 1] == [True] for line in runs.values())
