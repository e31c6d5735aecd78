"""Differences as one HTML page that needs nothing else: the verdict, a picture of the layers by change, tables."""

from collections.abc import Iterator

from gitops_model.diff.measured import Layer
from gitops_model.render import Look
from gitops_model.render.diff import Compared, FileDiff
from gitops_model.render.diff.tables import fates_text, numbers_text
from gitops_model.render.inert import for_html
from gitops_model.render.review import html as page
from gitops_model.render.review import model_review

MOST_LAYERS = 2000
COLUMNS, CELL = 60, 14
COLOURS = {"changed": "#bf8700", "added": "#1a7f37", "removed": "#cf222e", "unchanged": "#8c959f"}


def render(compared: Compared, _look: Look) -> str:
    body = "\n".join(part for file in compared.files for part in _file(file)) or "<h1>No model changes</h1>"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>Model diff</title>\n<style>\n{page.STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _file(file: FileDiff) -> Iterator[str]:
    yield from page.model_part(model_review(file))
    if file.diff is not None and file.diff.weights.layers:
        yield picture(file.diff.weights.layers)


def picture(layers: tuple[Layer, ...]) -> str:
    """A square for each layer in the order of the model, coloured by what became of it; its title says more."""
    shown = layers[:MOST_LAYERS]
    rows = (len(shown) + COLUMNS - 1) // COLUMNS
    cells = "".join(_cell(number, layer) for number, layer in enumerate(shown))
    keys = " ".join(f'<span style="color:{colour}">■</span> {name}' for name, colour in COLOURS.items())
    more = f" ({len(layers) - len(shown):,} more)" if len(layers) > len(shown) else ""
    width, height = min(len(shown), COLUMNS) * CELL, rows * CELL
    return (
        f'<p class="soft">Layers{more}: {keys}</p><svg role="img" aria-label="layers by change" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" style="max-width:100%">{cells}</svg>'
    )


def _cell(number: int, layer: Layer) -> str:
    fate = "changed" if layer.changed or layer.unknown else "added" if layer.added else "removed"
    colour = COLOURS[fate if layer.touched else "unchanged"]
    ratio, _ = numbers_text(layer)
    what = (fates_text(layer) or "unchanged") + (f", relative L2 {ratio}" if ratio is not None else "")
    x, y = number % COLUMNS * CELL, number // COLUMNS * CELL
    size = CELL - 2
    return (
        f'<rect x="{x}" y="{y}" width="{size}" height="{size}" rx="2" fill="{colour}">'
        f"<title>{for_html(layer.name)}: {what}</title></rect>"
    )
