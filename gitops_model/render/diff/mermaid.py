"""The changed neighbourhood of a graph as Mermaid, which GitHub draws in comments: a small picture only.

Names cannot get out of it: boxes are n0, n1, …; a label is letters, digits and spaces, all else an entity code of
Mermaid's, of which no line holds anything that its preprocessing looks for (`%%`, `---`, `style …:`, `click`, `@{`).
"""

import re
from collections.abc import Iterator

from gitops_model.render.diff.picture import FATES, Picture, PictureBox, caption, covered, cut
from gitops_model.render.inert import one_line

MOST_BOXES = 24
LONGEST = 40
"""Characters of a line of a label."""

_LINES = {"added": "==>", "removed": "-.->", "kept": "-->"}
_STYLES = {
    "added": "fill:#d3f5db,stroke:#1a7f37,color:#1f2328,stroke-width:2px",
    "removed": "fill:#ffdcd9,stroke:#cf222e,color:#1f2328,stroke-width:2px,stroke-dasharray:6 3",
    "changed": "fill:#fbeecb,stroke:#9a6700,color:#1f2328,stroke-width:2px,stroke-dasharray:2 2",
    "kept": "fill:#f6f8fa,stroke:#59636e,color:#1f2328",
}


SHARE = 4
"""One in so many of the changed operations must be there for a picture to say something."""


def section(picture: Picture) -> Iterator[str]:
    """Lines of Markdown: the picture, folded. None where it would show too little of the change."""
    shown = cut(picture, MOST_BOXES)
    if SHARE * covered(shown) < picture.operations:
        return
    yield ""
    yield f"<details><summary>Graph around the change ({caption(shown)})</summary>"
    yield ""
    yield "```mermaid"
    yield from chart(shown)
    yield "```"
    yield ""
    yield "</details>"


def chart(picture: Picture) -> Iterator[str]:
    yield "flowchart TD"
    bodies = dict.fromkeys(box.where for box in picture.boxes)
    for body, where in enumerate(bodies):
        inner = [f"n{number}{_box(box)}" for number, box in enumerate(picture.boxes) if box.where == where]
        if where:
            inner = [f'subgraph s{body}["in {label(where, tail=True)}"]', *inner, "end"]
        yield from inner
    for source, target, fate in picture.edges:
        if picture.boxes[source].where == picture.boxes[target].where:
            yield f"n{source} {_LINES[fate]} n{target}"
    for fate, style in _STYLES.items():
        numbers = [f"n{number}" for number, box in enumerate(picture.boxes) if box.fate == fate]
        if numbers:
            yield f"classDef {fate} {style}"
            yield f"class {','.join(numbers)} {fate}"


def _box(box: PictureBox) -> str:
    sign = f"{label(FATES[box.fate])} " if FATES[box.fate] else ""
    lines = [sign + (label(box.title, tail=True) or "#63;")]
    lines += [label(text, tail=tail) for text, tail in ((box.name, True), (box.detail, False)) if text]
    text = "<br/>".join(lines)
    return f'["{text}"]' if box.kind == "operation" else f'(["{text}"])'


def label(text: str, *, tail: bool = False) -> str:
    """A name within quotes of Mermaid. Of a long one the end is kept, or the beginning."""
    flat = one_line(text, 10_000)
    if len(flat) > LONGEST:
        flat = "…" + flat[1 - LONGEST :] if tail else flat[: LONGEST - 1] + "…"
    return re.sub(r"[^A-Za-z0-9 ]", _entity, flat)


def _entity(match: re.Match[str]) -> str:
    # Mermaid looks for `$$formulas$$` after entities are decoded; the invisible space keeps the signs apart.
    letter = match.group()
    return "#36;#8203;" if letter == "$" else f"#{ord(letter)};"
