"""Differences on a terminal that `rich` draws: a panel with the verdict, then tables as wide as there is room.

Names are plain text to rich: they never go through its markup, and are inert before they come here.
"""

from collections.abc import Iterator
from io import StringIO
from typing import TYPE_CHECKING

from gitops_model.render import Look
from gitops_model.render.diff import Compared, FileDiff, bump_of, kind_of
from gitops_model.render.diff.tables import KINDS, Table, summary, tables
from gitops_model.render.diff.texts import headline
from gitops_model.render.inert import no_command, one_line

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table as Grid
    from rich.text import Text

    from gitops_model.diff.result import TextDiff

STYLES = {"none": "green", "patch": "cyan", "minor": "yellow", "major": "bold red"}
FATES = {
    "added": "green",
    "removed": "red",
    "changed": "yellow",
    "changed, renamed": "yellow",
    "renamed": "blue",
    **STYLES,
}
"""Words of ours in tables, and their colours."""
LINES = {"+": "green", "-": "red", "@": "cyan"}
NARROWEST = 40
"""Columns below which nothing is laid out."""


def is_there() -> bool:
    """Whether rich is installed; it is loaded only when there is something to draw."""
    from importlib.util import find_spec

    return find_spec("rich") is not None


def render(compared: Compared, look: Look) -> str:
    from rich.console import Console

    out = StringIO()
    console = Console(
        file=out,
        width=max(look.width, NARROWEST),
        force_terminal=look.colour,
        color_system="standard" if look.colour else None,
        no_color=not look.colour,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
        soft_wrap=False,
        _environ={},
    )
    for number, file in enumerate(compared.files):
        if number:
            console.print()
        _file(file, console)
    return no_command("\n".join(line.rstrip() for line in out.getvalue().split("\n")))


def _file(file: FileDiff, console: "Console") -> None:
    from rich.console import Group
    from rich.panel import Panel

    bump = bump_of(file)
    console.print(
        Panel(Group(*_verdict(file)), title=_name(file), title_align="left", border_style=STYLES[bump], padding=(0, 1))
    )
    if file.diff is None:
        return
    for table in tables(file.diff):
        console.print()
        console.print(_grid(table))
    for name, text in file.diff.texts.items():
        console.print()
        console.print(*_lines(name, text), sep="\n")


def _name(file: FileDiff) -> "Text":
    from rich.text import Text

    name = one_line(file.path, 400)
    if file.old_path is not None and file.old_path != file.path:
        name = f"{one_line(file.old_path, 400)} → {name}"
    return Text(name, "bold", overflow="ellipsis")


def _verdict(file: FileDiff) -> "Iterator[RenderableType]":
    from rich.text import Text

    bump, diff = bump_of(file), file.diff
    proved = ", equivalent" if diff is not None and diff.verdict.equivalent else ""
    yield Text.assemble((kind_of(file), "bold"), f"{proved}, version bump: ", (bump, STYLES[bump]))
    for side, problem in file.problems:
        yield Text.assemble((side, "red"), f": {problem.code} {one_line(problem.message, 1000)}")
    if diff is not None:
        yield from (_bullet(reason) for reason in diff.verdict.reasons)
        yield from (Text(one_line(sentence, 400), "dim") for sentence in summary(diff))


def _bullet(reason: str) -> "Grid":
    """A reason whose second line stands below the first, not below the bullet."""
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid.grid(padding=(0, 1))
    grid.add_row("-", Text(one_line(reason, 400), overflow="fold"))
    return grid


def _grid(table: Table) -> "Grid":
    from rich import box
    from rich.table import Table as Grid
    from rich.text import Text

    kind = KINDS[table.kind]
    grid = Grid(
        title=Text(f"{kind.title} ({table.total:,})", "bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
    )
    used = [number for number in range(len(kind.head)) if any(row[number] for row in table.rows)]
    for number in used:
        words = number in kind.words and number != len(kind.head) - 1
        grid.add_column(Text(kind.head[number]), overflow="fold", no_wrap=words)
    for row in table.rows:
        cells = [(one_line(row[number] or ""), number in kind.words) for number in used]
        grid.add_row(*(Text(cell, FATES.get(cell, "") if words else "") for cell, words in cells))
    if len(table.rows) < table.total:
        more = f"{table.total - len(table.rows):,} more, which piped output has"
        grid.caption = Text(f"… {more}", "dim")
        grid.caption_justify = "left"
    return grid


def _lines(name: str, text: "TextDiff") -> "Iterator[Text]":
    from rich.text import Text

    yield Text.assemble(("Text of ", "bold"), (one_line(name), "bold"), f": {headline(text)}")
    for line in text.lines:
        yield Text(f"  {line[:1]}{one_line(line[1:], 400)}", LINES.get(line[:1], ""), overflow="fold")
    if text.left_out:
        yield Text(f"  … {text.left_out:,} more lines", "dim")
