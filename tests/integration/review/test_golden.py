"""The comments on real successive releases of models, as they are written and as GitHub's Markdown shows them."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from support.wheel import ROOT

from gitops_model.finding import Report
from gitops_model.pipeline.diff import diff_files
from gitops_model.pipeline.diff_arguments import TwoFiles
from gitops_model.pipeline.review_report import parse
from gitops_model.render import Look
from gitops_model.render.review import Review, model_review
from gitops_model.render.review import json as report
from gitops_model.render.review.markdown import document

PAIRS: list[dict[str, Any]] = json.loads((ROOT / "tests/data/pairs.json").read_text(encoding="utf-8"))
GFM = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
ModelFile = Callable[[str, str], Path]


@pytest.fixture(params=[pytest.param(pair, id=pair["id"]) for pair in PAIRS])
def pair(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.param


@pytest.fixture
def review(pair: dict[str, Any], model_file: ModelFile) -> Review:
    """The review of a pull request that replaces one release by the next, under the name of the later one."""
    before, after = (str(model_file(pair[side]["package"], pair[side]["path"])) for side in ("before", "after"))
    (file,) = diff_files(TwoFiles(before, after), ".", os.environ).files
    path = pair["after"]["path"]
    model = model_review(file._replace(path=path, old_path=None, status="modified"))
    return Review("a" * 40, "b" * 40, "c" * 40, (model,), 1, (), Report((), 0, 1), 0, ())


def test_the_comment(pair: dict[str, Any], review: Review, golden: Callable[[str, str], None]) -> None:
    text = document(review, full_report="https://github.com/octo/models/actions/runs/1")
    golden(f"{pair['id']}.md", text)
    assert len(text) <= 60_000
    headline = text.splitlines()[0]
    assert review.kind in headline
    assert "version bump **" in headline
    page = GFM.render(text)
    assert page.startswith("<h2>")
    folded = len(review.models[0].tables) + len(review.models[0].texts) + text.count("```mermaid")
    assert page.count("<details>") == page.count("</details>") == folded
    assert page.count("<table>") == len(review.models[0].tables)
    assert page.count("<td>") == page.count("</td>")


def test_the_report_gives_the_same_comment(review: Review) -> None:
    """A report that was handed on as JSON says what the review said."""
    again = parse(report.render(review, Look()).encode())
    assert document(again) == document(review)
    assert again == review
