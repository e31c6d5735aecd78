"""Differences as one HTML page that needs nothing else: the verdict, a picture of the change in the
graph, tables, and one of the layers."""

from collections.abc import Iterator

from gitops_model.render import Look
from gitops_model.render.diff import Compared, FileDiff
from gitops_model.render.diff.layer_picture import STYLE, figure
from gitops_model.render.review import html as page
from gitops_model.render.review import model_review


def render(compared: Compared, _look: Look) -> str:
    body = "\n".join(part for file in compared.files for part in _file(file)) or "<h1>No model changes</h1>"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>Model diff</title>\n<style>\n{page.STYLE}{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _file(file: FileDiff) -> Iterator[str]:
    yield from page.model_part(model_review(file))
    if file.diff is not None and file.diff.weights.layers:
        yield figure(file.diff.weights.layers)
