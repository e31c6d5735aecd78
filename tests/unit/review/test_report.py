"""A report is data: what a stranger may put into it, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from support.hostile import NAMES

from gitops_model.diff.result import Edge
from gitops_model.errors import CouldNotRun
from gitops_model.finding import Finding, Report, Severity
from gitops_model.pipeline.review_report import LIMIT, parse, read_report
from gitops_model.render import Look
from gitops_model.render.diff.picture import Picture, PictureBox
from gitops_model.render.diff.tables import KINDS, Table
from gitops_model.render.diff.texts import Text
from gitops_model.render.review import ModelReview, Review, html
from gitops_model.render.review import json as report
from gitops_model.render.review.markdown import document

GFM = MarkdownIt("commonmark", {"html": True}).enable("table")


def review(name: str = "plain") -> Review:
    """Every text of it is `name`, those included that a report of ours would never hold in that place."""
    tables = tuple(Table(kind, (tuple(name for _ in row.head),), 3) for kind, row in KINDS.items())
    boxes = (
        PictureBox("operation", "added", name, name, name, name, 0),
        PictureBox("input", "kept", name, name, name, name, 59),
    )
    drawn = Picture(boxes, (Edge(1, 0, "added"), Edge(0, 1, "kept")), 7, 3, (0, 2), 1)
    text = Text(name, ("@@ -1,1 +1,1 @@", name, f"-{name}", f"+{name}"), 1, 1, 5, name)
    said = ((name,), (name,), tables, drawn, (text,))
    model = ModelReview(name, name + "x", "renamed", "variant", "major", False, *said)
    finding = Finding("GM201", "checksum-mismatch", Severity.ERROR, name, name, 1, 2, name, name, name)
    return Review("a" * 40, "b" * 40, "c" * 40, (model,), 1, (name,), Report((finding,), 1, 1), 1, (name,))


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_read_back_as_it_was(name: str) -> None:
    assert parse(report.render(review(name), Look()).encode()) == review(name)


@pytest.mark.parametrize("name", [name for name in NAMES if name.strip()], ids=ascii)
def test_no_text_of_a_report_leaves_its_place(name: str) -> None:
    page, plain = (GFM.render(document(review(text))) for text in (name, "plain"))
    for tag in ("<tr>", "<td>", "<table>", "<details>", "<summary>", "<h2>", "<h3>", "<li>", "<p>", "<blockquote>"):
        assert page.count(tag) == plain.count(tag), tag
    drawn = html.render(review(name), Look())
    for tag in ("<a", "<img", "<script", "<!--", "<input"):
        assert tag not in page, tag
        assert tag not in drawn, tag


def changed(**fields: Any) -> bytes:
    return json.dumps(report.document(review()) | fields).encode()


def with_model(**fields: Any) -> bytes:
    return changed(models=[report.document(review())["models"][0] | fields])


def with_picture(**fields: Any) -> bytes:
    return with_model(picture=report.document(review())["models"][0]["picture"] | fields)


BOX = {"kind": "operation", "fate": "kept", "title": "x", "name": "", "where": "", "detail": "", "place": 0}
EDGE = {"source": 0, "target": 1, "fate": "kept"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[" * 200_000,
        b"\xff",
        changed(version=2),
        changed(head="HEAD"),
        changed(html="<b>"),
        changed(verdict={"kind": "fine", "bump": "none"}),
        changed(findings=[{"code": "GM1"}]),
        changed(models=report.document(review())["models"] * 201),
        changed(troubles=["x" * 1001]),
        changed(models_total=-1),
        with_model(tables=[{"kind": "html", "rows": [], "total": 0}]),
        with_model(texts=[{"name": "x"}]),
        with_model(picture={}),
        with_picture(boxes=[BOX] * 61),
        with_picture(boxes=[BOX | {"fate": "fine"}]),
        with_picture(boxes=[BOX | {"title": "x" * 201}]),
        with_picture(edges=[EDGE | {"source": -1}]),
        with_picture(edges=[EDGE | {"target": 60}]),
        with_picture(edges=[EDGE] * 241),
        with_picture(operations=10**13),
        with_picture(script="alert(1)"),
    ],
    ids=lambda data: data[:30].decode("utf-8", "replace"),
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(CouldNotRun, match="is no"):
        parse(data)


def test_a_report_of_an_older_release() -> None:
    """Written before there were pictures and texts."""
    document = report.document(review())
    del document["models"][0]["picture"], document["models"][0]["texts"]
    (model,) = parse(json.dumps(document).encode()).models
    assert (model.picture, model.texts) == (None, ())
    assert model.tables == review().models[0].tables


def test_edges_that_lead_nowhere_are_left_out() -> None:
    edges = [EDGE, EDGE | {"target": 59}, EDGE | {"source": 7}, {"source": 1, "target": 1, "fate": "kept"}]
    drawn = parse(with_picture(edges=edges)).models[0].picture
    assert drawn is not None
    assert drawn.edges == (Edge(0, 1, "kept"),)


def test_the_largest_picture_that_a_report_may_hold_is_drawn() -> None:
    edges = [{"source": n % 60, "target": (n * n + n // 60 + 1) % 60, "fate": "added"} for n in range(240)]
    data = with_picture(boxes=[BOX | {"title": "x" * 200, "place": n} for n in range(60)], edges=edges)
    page = html.render(parse(data), Look())
    assert page.count("<rect") == 60


def test_a_total_is_never_less_than_what_is_there() -> None:
    assert parse(changed(models_total=0, findings_total=0)).models_total == 1


def test_a_report_has_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with path.open("wb") as stream:
        stream.truncate(LIMIT + 1)
    with pytest.raises(CouldNotRun, match="at most"):
        read_report(str(path))


def test_a_report_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRun, match="cannot be read"):
        read_report(str(tmp_path / "nothing"))
