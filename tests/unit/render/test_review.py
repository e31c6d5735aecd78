"""What a comment leaves out when there is no room, and how it says so."""

import pytest
from markdown_it import MarkdownIt

from gitops_model.diff.result import Edge
from gitops_model.finding import Finding, Report, Severity
from gitops_model.render.diff.picture import Picture, PictureBox
from gitops_model.render.diff.tables import Table
from gitops_model.render.diff.texts import Text
from gitops_model.render.review import ModelReview, Review, description, worst_first
from gitops_model.render.review.markdown import LIMIT, Section, document, fit

GFM = MarkdownIt("commonmark", {"html": True}).enable("table")
URL = "https://github.com/octo/models/actions/runs/1"


def model(path: str = "m.onnx", bump: str = "minor", rows: int = 0, *, equivalent: bool = False) -> ModelReview:
    table = Table("operations", tuple(("added", f"{path}.{'x' * 150}.{row}", "1") for row in range(rows)), rows)
    return ModelReview(path, None, "modified", "graph-only", bump, equivalent, ("why",), (), (table,) if rows else ())


def review(*models: ModelReview, findings: int = 0) -> Review:
    finding = Finding("GM201", "checksum-mismatch", Severity.ERROR, "m.onnx", "it differs")
    found = tuple(finding._replace(path=f"{number}.onnx") for number in range(findings))
    report = Report(found, 1, len(models))
    return Review("a" * 40, "b" * 40, "c" * 40, models, len(models), (), report, findings)


def test_what_fits_is_whole() -> None:
    text = document(review(model(rows=3)), full_report=URL)
    assert URL not in text
    assert text.count("| added |") == 3


def test_sections_go_whole_details_first() -> None:
    models = [model(f"{number:03}.onnx", rows=100) for number in range(20)]
    text = document(review(*models, findings=5), full_report=URL)
    assert len(text) <= LIMIT
    assert all(f"`{number:03}.onnx`: graph-only" in text for number in range(20))
    assert text.count("<details>") == text.count("</details>")
    assert 0 < text.count("<details>") < 20
    assert f"[full report]({URL})" in text
    assert "sections are left out" in text
    page = GFM.render(text)
    assert page.count("<table>") == page.count("</table>") == text.count("<details>") + 1


@pytest.mark.parametrize("limit", [400, 1000, 5000, LIMIT])
def test_never_longer_than_it_may_be(limit: int) -> None:
    models = [model(f"{number:03}.onnx", rows=100) for number in range(200)]
    text = document(review(*models, findings=500), full_report=URL, limit=limit)
    assert len(text) <= limit


def test_many_findings_are_counted() -> None:
    text = document(review(findings=400))
    assert "| 🔴 error | `0.onnx`" in text
    assert "400 errors" in text
    assert " more |" in text


def test_a_section_of_a_lower_rank_may_stand_where_a_larger_one_does_not() -> None:
    parts = [Section(0, "a" * 10), Section(1, "b" * 1000), Section(2, "c" * 10)]
    text = fit(parts, "", None, 400)
    assert "a" * 10 in text
    assert "b" * 10 not in text
    assert "c" * 10 in text


def drawn(path: str) -> ModelReview:
    boxes = tuple(PictureBox("operation", "added", f"Op{number}", "", "", "", 0) for number in range(3))
    chart = Picture(boxes, (Edge(0, 1, "added"),), 3, 1, (0,))
    text = Text("tokenizer.chat_template", ("@@ -1,1 +1,1 @@", "-a", "+b"), 1, 1, 0, "")
    return model(path, rows=20)._replace(picture=chart, texts=(text,))


def test_a_chart_comes_last_and_is_the_first_to_go() -> None:
    models = [drawn(f"{number:02}.onnx") for number in range(20)]
    whole = document(review(*models), limit=10**6)
    assert whole.count("```mermaid") == whole.count("chat_template") == whole.count("| added |") // 20 == 20
    assert whole.index("| added |") < whole.index("chat_template") < whole.index("```mermaid")
    tight = document(review(*models), limit=len(whole) - 400)
    assert 15 < tight.count("```mermaid") < 20
    assert tight.count("chat_template") == tight.count("| added |") // 20 == 20
    assert tight.count("```mermaid") * 2 == tight.count("```")


def test_the_worst_comes_first() -> None:
    models = [model("a", "none"), model("b", "major"), model("c", "patch", equivalent=True), model("d", "patch")]
    assert [one.path for one in worst_first(models)] == ["b", "d", "c", "a"]


def test_a_status_has_140_characters() -> None:
    assert len(description(review(*[model()] * 150, findings=400))) <= 140
    assert description(review()) == "no model changes"
