"""Long texts of the metadata that changed, as a review holds them and Markdown and HTML draw them."""

from collections.abc import Iterator
from typing import NamedTuple

from gitops_model.diff.result import ModelDiff, TextDiff
from gitops_model.render.inert import for_html, in_markup

MOST_TEXTS, MOST_LINES = 10, 100
"""Of one model, in a review; the rest is counted."""
MOST_LETTERS = 1000
"""Of one line."""

CLASSES = {"+": "added", "-": "removed", "@": "soft"}


class Text(NamedTuple):
    """As diff.result.TextDiff, under the name that the text has in the metadata."""

    name: str
    lines: tuple[str, ...]
    added: int
    removed: int
    left_out: int
    note: str


def texts(diff: ModelDiff) -> tuple[Text, ...]:
    return tuple(
        Text(
            name[:MOST_LETTERS],
            tuple(line[:MOST_LETTERS] for line in found.lines[:MOST_LINES]),
            found.added,
            found.removed,
            found.left_out + max(len(found.lines) - MOST_LINES, 0),
            found.note,
        )
        for name, found in list(diff.texts.items())[:MOST_TEXTS]
    )


def headline(found: Text | TextDiff) -> str:
    """`3 lines added, 1 removed`, or why that is not known."""
    parts = [f"{count:,} {word}" for count, word in ((found.added, "added"), (found.removed, "removed")) if count]
    if parts:
        number = found.added or found.removed
        parts[0] = parts[0].replace(" ", " line " if number == 1 else " lines ", 1)
    return "; ".join(part for part in (", ".join(parts), found.note) if part)


def markdown(text: Text) -> Iterator[str]:
    """Folded, as preformatted HTML: a name or a line in it could end a fence, but no character reference can."""
    yield ""
    yield f"<details><summary>Text of <code>{in_markup(text.name)}</code>: {in_markup(headline(text))}</summary>"
    yield ""
    yield '<pre lang="diff">'
    yield from (in_markup(line, MOST_LETTERS) for line in text.lines)
    yield "</pre>"
    if text.left_out:
        yield ""
        yield f"{text.left_out:,} more lines"
    yield ""
    yield "</details>"


def html(text: Text) -> str:
    lines = "\n".join(
        f'<span class="{CLASSES.get(line[:1], "same")}">{for_html(line, MOST_LETTERS)}</span>' for line in text.lines
    )
    more = f'<p class="soft">{text.left_out:,} more lines</p>' if text.left_out else ""
    return (
        f"<details open><summary>Text of <code>{for_html(text.name)}</code>: {for_html(headline(text))}</summary>"
        f'<pre class="diff" tabindex="0">{lines}</pre>{more}</details>'
    )
