"""A log for people: a line for each version, why below it."""

from collections.abc import Iterator

from gitops_model.render import Look
from gitops_model.render.diff.text import STYLE
from gitops_model.render.inert import one_line
from gitops_model.render.log import Log, Row

MOST_REASONS = 3


def render(log: Log, look: Look) -> str:
    return "\n".join(_lines(log, look)) + "\n"


def _lines(log: Log, look: Look) -> Iterator[str]:
    for row in log.rows:
        yield f"{look.paint(row.commit[:10], 33)} {row.date} {_verdict(row, look)}  {one_line(row.subject, 72)}"
        if row.path != log.path:
            yield f"    as {one_line(row.path)}"
        if row.verdict is not None:
            reasons = row.verdict.reasons
            yield from (f"    - {one_line(reason, 200)}" for reason in reasons[:MOST_REASONS])
            if len(reasons) > MOST_REASONS:
                yield f"    … {len(reasons) - MOST_REASONS:,} more"
    if log.unrecorded:
        yield f"{log.unrecorded:,} of {len(log.rows):,} versions are not recorded: gitops-model record --all"


def _verdict(row: Row, look: Look) -> str:
    if row.verdict is None:
        return {"first": "first version", "removed": "removed"}.get(row.state, "not recorded")
    bump = row.verdict.bump
    proved = ", equivalent" if row.verdict.equivalent else ""
    return f"{row.verdict.kind}{proved}, {look.paint(bump, *STYLE[bump])}"
