"""The changed neighbourhood of a graph as an SVG inside HTML: no script, nothing fetched, light and dark.

What became of a box is told by its sign, its outline and its colour, so that no reader depends on colours.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from gitops_model.render.diff.layout import Drawn, Point, layout
from gitops_model.render.diff.picture import FATES, Picture, PictureBox, caption
from gitops_model.render.inert import for_html, one_line

STYLE = """\
.graph { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; padding: .7rem; margin: .3rem 0 1rem }
.graph svg { display: block; font: 12px ui-monospace, monospace; margin: 0 auto }
.graph text { fill: var(--text) } .graph .small { fill: var(--soft); font-size: 10.5px }
.graph rect { fill: var(--back); stroke: var(--soft) } .graph path { fill: none; stroke: var(--soft) }
.graph .frame { fill: none; stroke: var(--line) } .graph marker path { stroke: none }
.key { padding: .1em .5em; border-radius: 4px; margin-left: .5em; color: var(--text); font-size: .85em }
.key.added { background: #2da44e2e; outline: 2px solid #2da44e }
.key.removed { background: #f851492e; outline: 2px dashed #f85149 }
.key.changed { background: #d297222e; outline: 2px dotted #d29722 }
.graph .added rect { fill: #2da44e2e; stroke: #2da44e; stroke-width: 2.5 }
.graph .removed rect { fill: #f851492e; stroke: #f85149; stroke-width: 2; stroke-dasharray: 6 3 }
.graph .changed rect { fill: #d297222e; stroke: #d29722; stroke-width: 2.5; stroke-dasharray: 2 2 }
.graph path.added { stroke: #2da44e; stroke-width: 2.5 }
.graph path.removed { stroke: #f85149; stroke-width: 2; stroke-dasharray: 6 3 }
.graph marker path { fill: var(--soft) } .graph marker.added path { fill: #2da44e }
.graph marker.removed path { fill: #f85149 }
"""

LETTER, LINE, PAD = 7.25, 15.0, 8.0
"""Pixels: the width of a letter, the height of a line, what is around them."""
LONGEST, DETAIL = 26, 36
"""Letters of a line in a box; of what changed in it."""
SMALL = 0.88
MOST_WIDTH = 930.0
"""Pixels up to which places stand beside each other: the width of the page."""
SPACE = 30.0
HEAD = 20.0
_CLASS = ("head", "small")


class Part(NamedTuple):
    """Boxes that hang together within one body, drawn, with the numbers they have in the picture."""

    boxes: list[int]
    edges: list[int]
    drawn: Drawn


def figure(picture: Picture) -> str:
    """The picture under a line that says how much of the model it shows."""
    return (
        f'<details open><summary>Graph around the change</summary><p class="soft">{caption(picture)}. {legend()}</p>'
        f'<div class="graph" tabindex="0" role="group" aria-label="changed operations and what stands beside them">'
        f"{svg(picture)}</div></details>"
    )


def legend() -> str:
    return " ".join(f'<span class="key {name}">{sign} {name}</span>' for name, sign in FATES.items() if sign)


def svg(picture: Picture) -> str:
    corners, paths, frames, (width, height) = arranged(picture)
    drawn = (_edge(edge.fate, points) for edge, points in zip(picture.edges, paths, strict=True) if points)
    body = "".join((*frames, *drawn, *map(_box, picture.boxes, corners)))
    counts = {fate: sum(box.fate == fate and box.kind == "operation" for box in picture.boxes) for fate in FATES}
    said = ", ".join(f"{count} {fate}" for fate, count in counts.items() if count)
    markers = "".join(
        f'<marker id="arrow-{fate}" class="{fate}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z"/></marker>'
        for fate in ("added", "removed", "kept")
    )
    return (
        f'<svg role="img" aria-label="graph of operations: {said}" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}"><defs>{markers}</defs>{body}</svg>'
    )


class Arranged(NamedTuple):
    """Everything placed: the upper left corner of each box, the points of each edge (none where it leads into another
    body), frames as SVG, the whole size."""

    corners: list[Point]
    paths: list[list[Point]]
    frames: list[str]
    size: Point


def arranged(picture: Picture) -> Arranged:
    """Parts beside each other as far as the page is wide; below each other the bodies that operations stand in."""
    sizes = [_size(box) for box in picture.boxes]
    corners: list[Point] = [(0.0, 0.0)] * len(sizes)
    paths: list[list[Point]] = [[] for _ in picture.edges]
    frames: list[str] = []
    width = bottom = 0.0
    bodies = list(dict.fromkeys(box.where for box in picture.boxes))
    for where in sorted(bodies, key=lambda body: body != ""):
        top = bottom + (HEAD if where else 0.0)
        left, shelf, right = 0.0, top, 0.0
        for part in parts(picture, where, sizes):
            if left and left + part.drawn.width > MOST_WIDTH:
                left, shelf = 0.0, bottom + SPACE
            for box, (x, y) in zip(part.boxes, part.drawn.corners, strict=True):
                corners[box] = (x + left, y + shelf)
            for edge, points in zip(part.edges, part.drawn.paths, strict=True):
                paths[edge] = [(x + left, y + shelf) for x, y in points]
            right = max(right, left + part.drawn.width)
            bottom = max(bottom, shelf + part.drawn.height)
            left += part.drawn.width + SPACE
        if where:
            right = max(right, len(short(where, 60)) * LETTER)
            frames.append(_frame(where, top, right, bottom))
        width = max(width, right)
        bottom += SPACE
    moved = [[(x + PAD, y + PAD) for x, y in points] for points in (corners, *paths)]
    return Arranged(moved[0], moved[1:], frames, (width + 2 * PAD, bottom - SPACE + 2 * PAD))


def parts(picture: Picture, where: str, sizes: list[Point]) -> Iterator[Part]:
    """The boxes of one body, apart where no edge holds them together."""
    near: dict[int, list[int]] = {number: [] for number, box in enumerate(picture.boxes) if box.where == where}
    inner = [n for n, edge in enumerate(picture.edges) if edge.source in near and edge.target in near]
    for number in inner:
        source, target, _ = picture.edges[number]
        near[source].append(target)
        near[target].append(source)
    part_of: dict[int, int] = {}
    for first in near:
        if first in part_of:
            continue
        part_of[first] = first
        waiting = deque([first])
        while waiting:
            for other in near[waiting.popleft()]:
                if other not in part_of:
                    part_of[other] = first
                    waiting.append(other)
    for first in dict.fromkeys(part_of.values()):
        boxes = sorted(box for box, part in part_of.items() if part == first)
        at = {box: number for number, box in enumerate(boxes)}
        edges = [n for n in inner if picture.edges[n].source in at]
        links = [(at[picture.edges[n].source], at[picture.edges[n].target]) for n in edges]
        yield Part(boxes, edges, layout([sizes[box] for box in boxes], links))


def _lines(box: PictureBox) -> list[str]:
    sign = FATES[box.fate]
    lines = [f"{sign} {short(box.title, tail=True)}".strip() or "?"]
    lines += [short(box.name, tail=True)] * bool(box.name) + [short(box.detail, DETAIL)] * bool(box.detail)
    return lines


def short(text: str, longest: int = LONGEST, *, tail: bool = False) -> str:
    """A text in a line of a box. Of a name the end says most."""
    flat = one_line(text, 10_000)
    if len(flat) <= longest:
        return flat
    return "…" + flat[1 - longest :] if tail else flat[: longest - 1] + "…"


def _size(box: PictureBox) -> Point:
    first, *rest = (sum(1 if letter < "\u1100" else 2 for letter in line) * LETTER for line in _lines(box))
    return max(first, *(width * SMALL for width in rest), 30.0) + 2 * PAD, (1 + len(rest)) * LINE + PAD


def _box(box: PictureBox, corner: Point) -> str:
    (x, y), (width, height) = corner, _size(box)
    radius = 4 if box.kind == "operation" else height / 2
    texts = "".join(
        f'<text class="{_CLASS[row > 0]}" x="{x + width / 2:.1f}" '
        f'y="{y + PAD / 2 + (row + 0.75) * LINE:.1f}" text-anchor="middle">{for_html(line)}</text>'
        for row, line in enumerate(_lines(box))
    )
    kind = "" if box.kind == "operation" else f"{box.kind} "
    said = f"{box.fate}: {kind}{for_html(box.title)}"
    said += "".join(
        f"\n{word}{for_html(text)}" for word, text in (("", box.name), ("in ", box.where), ("", box.detail)) if text
    )
    return (
        f'<g class="{box.fate}"><title>{said}</title><rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" rx="{radius:g}"/>{texts}</g>'
    )


def _edge(fate: str, points: list[Point]) -> str:
    (x, y), *rest = points
    path = f"M{x:.1f} {y:.1f}"
    for to_x, to_y in rest:
        bend = (to_y - y) / 2
        path += f"C{x:.1f} {y + bend:.1f} {to_x:.1f} {to_y - bend:.1f} {to_x:.1f} {to_y:.1f}"
        x, y = to_x, to_y
    return f'<path class="{fate}" d="{path}" marker-end="url(#arrow-{fate})"/>'


def _frame(where: str, top: float, right: float, bottom: float) -> str:
    half = SPACE / 4
    return (
        f'<rect class="frame" x="{PAD - half:.1f}" y="{top + PAD - half:.1f}" width="{right + 2 * half:.1f}" '
        f'height="{bottom - top + 2 * half:.1f}" rx="6"/><text class="small" x="{PAD:.1f}" '
        f'y="{top + PAD - half - 4:.1f}">in {for_html(short(where, 60, tail=True))}</text>'
    )
