"""Differences as GitHub flavoured Markdown: the verdict in the first line of each model, details folded below."""

from collections.abc import Iterable, Iterator

from gitops_model.render import Look
from gitops_model.render.diff import Compared, FileDiff, bump_of, kind_of, mermaid
from gitops_model.render.diff.picture import picture
from gitops_model.render.diff.tables import KINDS, MOST_ROWS, Row, Table, summary, tables
from gitops_model.render.diff.texts import markdown as text_lines
from gitops_model.render.diff.texts import texts
from gitops_model.render.inert import code, prose

SIGN = {"none": "🟢", "patch": "🔵", "minor": "🟡", "major": "🔴"}


def render(compared: Compared, _look: Look) -> str:
    if not compared.files:
        return "🟢 **No model changes**\n"
    ordered = sorted(compared.files, key=lambda file: -list(SIGN).index(bump_of(file)))
    return "\n".join("\n".join(_file(file)) + "\n" for file in ordered)


def _file(file: FileDiff) -> Iterator[str]:
    diff = file.diff
    proved = diff is not None and diff.verdict.equivalent
    yield heading(file.path, file.old_path, kind_of(file), bump_of(file), equivalent=proved)
    yield ""
    reasons = [f"{side}: {problem.code} {problem.message}" for side, problem in file.problems]
    yield from bullets([*reasons, *(diff.verdict.reasons if diff is not None else ())])
    if diff is None:
        return
    yield from sizes(summary(diff))
    for table in tables(diff):
        yield from folded(table)
    for text in texts(diff):
        yield from text_lines(text)
    drawn = picture(diff.graph.neighbourhood, diff.formats[1])
    if drawn is not None:
        yield from mermaid.section(drawn)


def heading(path: str, old_path: str | None, kind: str, bump: str, *, equivalent: bool) -> str:
    """`### 🟡 `model.onnx`: graph-only, version bump **minor**`."""
    name = code(path, 400)
    if old_path is not None and old_path != path:
        name = f"{code(old_path, 400)} → {name}"
    proved = ", equivalent" if equivalent else ""
    return f"### {SIGN[bump]} {name}: {kind}{proved}, version bump **{bump}**"


def bullets(reasons: Iterable[str]) -> Iterator[str]:
    return (f"- {prose(reason)}" for reason in reasons)


def sizes(sentences: Iterable[str]) -> Iterator[str]:
    text = " · ".join(prose(sentence) for sentence in sentences)
    if text:
        yield from ("", text)


def folded(table: Table, most: int = MOST_ROWS) -> Iterator[str]:
    """A table under a line that opens it."""
    kind = KINDS[table.kind]
    rows = table.rows[:most]
    yield ""
    yield f"<details><summary>{kind.title} ({table.total:,})</summary>"
    yield ""
    yield f"| {' | '.join(kind.head)} |"
    yield "|" + "---|" * len(kind.head)
    yield from (f"| {' | '.join(_cells(row, kind.words))} |" for row in rows)
    if len(rows) < table.total:
        yield f"| … | {table.total - len(rows):,} more |" + " |" * (len(kind.head) - 2)
    yield ""
    yield "</details>"


def _cells(row: Row, words: frozenset[int]) -> Iterator[str]:
    for number, cell in enumerate(row):
        yield "" if cell is None else prose(cell) if number in words else code(cell)
