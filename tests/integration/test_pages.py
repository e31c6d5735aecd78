"""Pages and charts as a browser draws them: nothing fetched, nothing cut off, nothing run, in light and in dark."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import chromium, mermaid
from support.hostile import NAMES
from support.hostile_diff import compared
from support.models import Unavailable
from support.wheel import ROOT

from gitops_model.pipeline.diff import diff_files
from gitops_model.pipeline.diff_arguments import TwoFiles
from gitops_model.render import Look, render
from gitops_model.render.diff import Compared
from gitops_model.render.diff.mermaid import MOST_BOXES, chart, section
from gitops_model.render.diff.picture import Picture, cut, picture

PAIRS: list[dict[str, Any]] = json.loads((ROOT / "tests/data/pairs.json").read_text(encoding="utf-8"))
ModelFile = Callable[[str, str], Path]

LOOK = """
const about = (which) => [...document.querySelectorAll(which)];
const box = (element) => element.getBoundingClientRect();
const beside = (a, b) => a.right <= b.left + 1 || a.bottom <= b.top + 1;
const apart = (a, b) => beside(a, b) || beside(b, a);
const light = (colour) => {
  const [r, g, b] = colour.match(/[0-9.]+/g).map(Number).map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
const back = getComputedStyle(document.body).backgroundColor;
const boxes = about(".graph:not(.layers)").map((graph) => [...graph.querySelectorAll("g > rect")]);
report({
  fetched: performance.getEntriesByType("resource").length,
  scripts: document.scripts.length,
  strange: about("img, a, iframe, object, embed, link, form, [onload], [onerror], [onclick]").length,
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  graphs: about(".graph:not(.layers) svg").length,
  boxes: boxes.flat().length,
  overlaps: boxes.map((all) => all.map(box)).flatMap((all) =>
    all.flatMap((one, at) => all.slice(at + 1).filter((other) => !apart(one, other)))).length,
  outgrown: about(".graph g").flatMap((group) => [...group.querySelectorAll("text")]
    .filter((text) => box(text).width > box(group.querySelector("rect")).width + 1)).map((text) => text.textContent),
  outside: about("svg text, svg rect").filter((part) => {
    const all = box(part.closest("svg")), own = box(part);
    return own.left < all.left - 1 || own.right > all.right + 1 || own.top < all.top - 1 || own.bottom > all.bottom + 1;
  }).map((part) => part.outerHTML.slice(0, 200)),
  contrast: Math.min(21, ...about(".graph text, li, summary, .key").map((text) => {
    const style = getComputedStyle(text);
    return contrast(text.tagName === "text" ? style.fill : style.color, back);
  })),
  dark: light(back) < 0.2,
});
"""


@pytest.fixture(scope="session")
def browser(lacking: Callable[[str], None]) -> Callable[..., Any]:
    def ask(*words: Any, **options: Any) -> Any:
        try:
            return chromium.ask(*words, **options)
        except Unavailable as error:
            lacking(str(error))

    return ask


def pairs_compared(model_file: ModelFile) -> Iterator[Compared]:
    for pair in PAIRS:
        before, after = (str(model_file(pair[side]["package"], pair[side]["path"])) for side in ("before", "after"))
        yield diff_files(TwoFiles(before, after), ".", os.environ)


@pytest.fixture(scope="session")
def every_pair(model_file: ModelFile) -> Compared:
    """The differences of all pairs of releases, as of one repository."""
    return Compared(tuple(file for found in pairs_compared(model_file) for file in found.files), "before", "after")


@pytest.fixture(scope="session")
def every_name() -> Compared:
    return Compared(tuple(file for name in NAMES for file in compared(name).files), "before", "after")


def drawn(everything: Compared) -> list[Picture]:
    diffs = [file.diff for file in everything.files if file.diff is not None]
    found = (picture(diff.graph.neighbourhood, diff.formats[1]) for diff in diffs)
    return [cut(one, MOST_BOXES) for one in found if one is not None]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1100, 500])
def test_the_page_of_every_pair(
    every_pair: Compared, browser: Callable[..., Any], tmp_path: Path, dark: bool, width: int
) -> None:
    page = tmp_path / "diff.html"
    page.write_text(render("diff", "html", every_pair, Look()), encoding="utf-8")
    seen = browser(page, LOOK, dark=dark, width=width)
    assert seen["dark"] == dark
    assert (seen["fetched"], seen["scripts"], seen["strange"]) == (0, 1, 0), "the one script is the question itself"
    assert seen["graphs"] == sum(
        file.diff is not None and file.diff.graph.neighbourhood is not None for file in every_pair.files
    )
    assert seen["boxes"] > 300
    assert (seen["overlaps"], seen["outgrown"], seen["outside"]) == (0, [], [])
    assert seen["wide"] <= 0, "the page is as wide as the window; pictures and tables scroll by themselves"
    assert seen["contrast"] >= 4.5


def test_the_page_of_hostile_names(every_name: Compared, browser: Callable[..., Any], tmp_path: Path) -> None:
    page = tmp_path / "diff.html"
    page.write_text(render("diff", "html", every_name, Look()), encoding="utf-8")
    seen = browser(page, LOOK)
    assert (seen["fetched"], seen["scripts"], seen["strange"]) == (0, 1, 0)
    assert seen["graphs"] == len(NAMES)
    assert (seen["overlaps"], seen["outgrown"], seen["outside"]) == (0, [], [])


def test_mermaid_draws_every_chart(
    every_pair: Compared, every_name: Compared, lacking: Callable[[str], None], tmp_path: Path
) -> None:
    """Of real models and of hostile names: as many boxes, edges and groups as were written, and no other element."""
    pictures = [*drawn(every_pair), *drawn(every_name)]
    try:
        charts = mermaid.draw(["\n".join(chart(one)) for one in pictures], tmp_path)
    except Unavailable as error:
        lacking(str(error))
        raise
    assert len(charts) > len(NAMES)
    for one, found in zip(pictures, charts, strict=True):
        assert "error" not in found, found
        assert len(found["labels"]) == len(one.boxes)
        inner = [edge for edge in one.edges if one.boxes[edge.source].where == one.boxes[edge.target].where]
        assert found["edges"] == len(inner)
        assert len(found["groups"]) == len({box.where for box in one.boxes if box.where})
        assert found["strange"] == 0
        assert not [label for label in found["labels"] if "Unsupported markdown" in label]


def test_a_label_says_what_it_stands_for(every_name: Compared, lacking: Callable[[str], None], tmp_path: Path) -> None:
    """A short name, but for what steers terminals, is read in the chart as it is in the model."""
    plain = [name for name in NAMES if name.isprintable() and name == name.strip() and 0 < len(name) < 38]
    pictures = [drawn(compared(name))[0] for name in plain if "::" not in name and "##" not in name]
    try:
        charts = mermaid.draw(["\n".join(chart(one)) for one in pictures], tmp_path)
    except Unavailable as error:
        lacking(str(error))
        raise
    assert len(charts) > 20
    for one, found in zip(pictures, charts, strict=True):
        title, name = one.boxes[0].title, one.boxes[0].name
        assert found["labels"][0].replace("\u200b", "").startswith(f"~ {title}{name}"), found["labels"][0]


def test_small_charts_only(every_pair: Compared) -> None:
    """A chart has few boxes; where they would show too little of the change there is none."""
    texts = ["\n".join(section(one)) for one in drawn(every_pair)]
    assert [text.count("flowchart TD") for text in texts].count(1) >= 3
    assert "" in texts
    assert all(text.count('["') + text.count('(["') <= 2 * MOST_BOXES for text in texts)
