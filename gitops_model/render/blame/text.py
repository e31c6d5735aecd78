"""Blame for people: a line for each layer."""

from collections.abc import Iterator

from gitops_model.render import Look
from gitops_model.render.blame import Blame
from gitops_model.render.diff import size_text
from gitops_model.render.inert import one_line


def render(blame: Blame, look: Look) -> str:
    return "\n".join(_lines(blame, look)) + "\n"


def _lines(blame: Blame, look: Look) -> Iterator[str]:
    width = min(60, max((len(one_line(line.name, 60)) for line in blame.lines), default=0))
    for line in blame.lines:
        name = one_line(line.name, 60).ljust(width)
        mark = "?" if line.gap else "^" if line.since_first else " "
        who = f"{look.paint(mark + line.commit[:10], 33)} {line.date} {one_line(line.author, 20):20}"
        yield f"{who} {name} {size_text(line.bytes_):>10}  {one_line(line.subject, 60)}"
    if any(line.gap for line in blame.lines):
        yield "? a version right before is not recorded, and may have changed the layer instead"
    if blame.unrecorded:
        yield f"{blame.unrecorded:,} of {blame.versions:,} versions are not recorded: gitops-model record --all"
