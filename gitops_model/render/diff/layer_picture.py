"""The layers of a model as squares by what became of them, in rows by the part of the model that they belong to."""

import re
from collections.abc import Iterator
from itertools import groupby
from math import log10

from gitops_model.diff.measured import Layer
from gitops_model.render.diff.picture import FATES
from gitops_model.render.diff.svg import LETTER, SMALL, legend, short
from gitops_model.render.diff.tables import fates_text, numbers_text
from gitops_model.render.inert import for_html

MOST_LAYERS, MOST_ROWS, FEW_ROWS = 2000, 40, 12
DEEPEST = 12
COLUMNS, CELL = 36, 15
LABEL = 48
"""Letters before the squares of a row."""

STYLE = """\
.graph.layers svg { font-size: 10.5px; margin: 0 } .graph.layers .rest { fill: var(--soft) }
.graph.layers g rect { stroke: none; fill: var(--line) } .graph.layers .added rect { fill: #2da44e }
.graph.layers .removed rect { fill: #f85149 } .graph.layers .changed rect { fill: #d29722 }
"""


def figure(layers: tuple[Layer, ...]) -> str:
    """A square for each layer in the order of the model; its title says more. The more a layer changed, the deeper."""
    shown = layers[:MOST_LAYERS]
    rows = list(named_rows(shown))
    left = min(max((len(name) for name, _ in rows), default=0), LABEL) * LETTER * SMALL + 12
    parts: list[str] = []
    top = 0.0
    for name, row in rows:
        touched = sum(layer.touched for layer in row)
        mark = "touched" if touched else "rest"
        label, count = for_html(short(name, LABEL, tail=True)), f"{touched} of {len(row)}" if touched else f"{len(row)}"
        lines = (len(row) + COLUMNS - 1) // COLUMNS
        right = left + min(len(row), COLUMNS) * CELL + 6
        parts.append(f'<text class="{mark}" x="0" y="{top + 11:.0f}">{label}<title>{for_html(name)}</title></text>')
        parts += (_cell(layer, left + at % COLUMNS * CELL, top + at // COLUMNS * CELL) for at, layer in enumerate(row))
        parts.append(f'<text class="{mark}" x="{right:.0f}" y="{top + 11:.0f}">{count}</text>')
        top += lines * CELL + 4
    touched = sum(layer.touched for layer in layers)
    more = f", the first {len(shown):,} drawn" if len(layers) > len(shown) else ""
    said = f"{touched:,} of {len(layers):,} layers changed{more}; the deeper the colour, the more"
    width = left + min(max((len(row) for _, row in rows), default=0), COLUMNS) * CELL + 70
    return (
        f"<details open><summary>Layers by change</summary>"
        f'<p class="soft">{said}. {legend()}</p>'
        f'<div class="graph layers" tabindex="0" role="group" aria-label="layers">'
        f'<svg role="img" aria-label="layers by change: {touched} of '
        f'{len(layers)} changed" width="{width:.0f}" height="{top:.0f}" viewBox="0 0 {width:.0f} {top:.0f}">'
        f"{''.join(parts)}</svg></div></details>"
    )


def named_rows(layers: tuple[Layer, ...]) -> Iterator[tuple[str, list[Layer]]]:
    """Neighbouring layers with the same beginning of their names, as long a beginning as makes few rows."""
    enough = min(max(len(layers) // 3, FEW_ROWS), MOST_ROWS)
    for depth in range(DEEPEST, -1, -1):
        begun = [(beginning(layer.name, depth), layer) for layer in layers]
        rows = [(name, [layer for _, layer in row]) for name, row in groupby(begun, lambda pair: pair[0])]
        if len(rows) <= enough or depth == 0:
            yield from ((row[0].name if len(row) == 1 else name, row) for name, row in rows)
            return


def beginning(name: str, depth: int) -> str:
    """At most `depth` of the parts of a name, never the last one."""
    ends = [match.start() for match in re.finditer(r"[./]", name)]
    return name[: ends[min(depth, len(ends)) - 1]] if ends and depth else ""


def _cell(layer: Layer, x: float, y: float) -> str:
    fate = "changed" if layer.changed or layer.unknown else "added" if layer.added else "removed"
    fate = fate if layer.touched else "kept"
    ratio, _ = numbers_text(layer)
    what = (fates_text(layer) or "unchanged") + (f", relative L2 {ratio}" if ratio is not None else "")
    size = CELL - 2
    sign = (
        f'<text x="{x + size / 2:.1f}" y="{y + 10:.0f}" text-anchor="middle">{FATES[fate]}</text>'
        if FATES[fate]
        else ""
    )
    return (
        f'<g class="{fate}"><title>{for_html(layer.name)}: {what}</title><rect x="{x:.1f}" y="{y:.0f}" width="{size}" '
        f'height="{size}" rx="2" fill-opacity="{depth_of(layer) if fate == "changed" else 1:.2f}"/>{sign}</g>'
    )


def depth_of(layer: Layer) -> float:
    """How deep the colour is: from a thousandth of the norm to all of it."""
    if layer.relative_l2 is None:
        return 1.0
    return min(max(1 + log10(max(layer.relative_l2, 1e-9)) / 4, 0.25), 1.0)
