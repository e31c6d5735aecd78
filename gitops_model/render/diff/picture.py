"""The changed neighbourhood of a graph as plain texts and numbers, which HTML and Mermaid draw and a report holds.

The texts are as the files have them, cut; whoever draws a picture makes them inert.
"""

from collections import Counter
from typing import NamedTuple

from gitops_model.diff.result import Box, Edge, Neighbourhood, NodeChange
from gitops_model.render.diff.tables import edit_text

MOST_TEXT = 200
"""Characters of one text."""

FATES = {"added": "+", "removed": "−", "changed": "~", "kept": ""}
"""What became of a box, and the sign that says so besides its colour."""


class PictureBox(NamedTuple):
    """`title` is the operation, or the name of the input or output; `detail` says what changed in it.

    `kind`, `fate`, `where` and `place` as in diff.result.Box.
    """

    kind: str
    fate: str
    title: str
    name: str
    where: str
    detail: str
    place: int


class Picture(NamedTuple):
    """Boxes, the edges between them, and how much there is of it in the model (diff.result.Neighbourhood)."""

    boxes: tuple[PictureBox, ...]
    edges: tuple[Edge, ...]
    operations: int
    places: int
    alike: tuple[int, ...]
    edges_left: int = 0


def picture(found: Neighbourhood | None, form: str = "") -> Picture | None:
    """`form` is the format of the model, whose own operations are written without it."""
    if found is None:
        return None
    boxes = tuple(_box(box, f"{form}:") for box in found.boxes)
    return Picture(boxes, found.edges, found.operations, found.places, found.alike, found.edges_left)


def _box(box: Box, domain: str) -> PictureBox:
    title = box.op_type.removeprefix(domain) if box.kind == "operation" else box.name
    name = box.name if box.kind == "operation" else ""
    detail = edit_text(NodeChange(box.op_type, 1, (), box.attributes, box.inputs))
    title, name, where, detail = (text[:MOST_TEXT] for text in (title, name, box.where, detail))
    return PictureBox(box.kind, box.fate, title, name, where, detail, box.place)


def cut(whole: Picture, most: int) -> Picture:
    """The places that `most` boxes hold, the first of them even where it must be cut."""
    kept: dict[int, int] = {}
    sizes = Counter(box.place for box in whole.boxes)
    for place in sorted(sizes):
        if not kept or len(kept) + sizes[place] <= most:
            numbers = [number for number, box in enumerate(whole.boxes) if box.place == place]
            for number in numbers[:most]:
                kept[number] = len(kept)
    edges = tuple(
        Edge(kept[edge.source], kept[edge.target], edge.fate)
        for edge in whole.edges
        if edge.source in kept and edge.target in kept
    )
    return whole._replace(boxes=tuple(whole.boxes[number] for number in kept), edges=edges)


def changed_boxes(shown: Picture) -> list[PictureBox]:
    return [box for box in shown.boxes if box.kind == "operation" and box.fate != "kept"]


def covered(shown: Picture) -> int:
    """The changed operations that are shown, or whose place looks like one that is."""
    times = dict(enumerate(shown.alike))
    return sum(1 + times.get(box.place, 0) for box in changed_boxes(shown))


def caption(shown: Picture) -> str:
    """`12 of 341 changed operations, in 1 of 29 places; 3 more places look like one of these`."""
    changed = changed_boxes(shown)
    drawn = {box.place for box in changed}
    number = f"{len(changed):,} changed operation{'' if len(changed) == 1 else 's'}"
    if len(changed) < shown.operations:
        number = f"{len(changed):,} of {shown.operations:,} changed operations"
    if shown.places > 1:
        number += f", in {len(drawn):,} of {shown.places:,} places" if len(drawn) < shown.places else ""
    alike = sum(count for place, count in enumerate(shown.alike) if place in drawn)
    if alike:
        number += f"; {alike:,} more place{'s look' if alike > 1 else ' looks'} like one of these"
    if shown.edges_left:
        number += f"; {shown.edges_left:,} lines are not drawn"
    return number
