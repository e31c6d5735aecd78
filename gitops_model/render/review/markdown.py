"""A review as GitHub flavoured Markdown: the verdict on top, findings, then the models, the worst first.

What does not fit is left out by whole sections, details before verdicts, and counted.
"""

from collections.abc import Iterator
from typing import NamedTuple

from gitops_model.finding import Finding, Severity
from gitops_model.render import Look
from gitops_model.render.diff import mermaid
from gitops_model.render.diff.markdown import SIGN, bullets, folded, heading, sizes
from gitops_model.render.diff.texts import markdown as text_lines
from gitops_model.render.inert import code, prose
from gitops_model.render.report import markdown as findings
from gitops_model.render.report import tally
from gitops_model.render.review import ModelReview, Review

LIMIT = 60_000
"""Characters of a comment; GitHub takes 65,536."""
FINDINGS_LIMIT = 20_000
"""Characters that the rows of findings may take."""
OPEN = 3
"""Findings that are shown without a click."""


class Section(NamedTuple):
    """Text that stands or goes as a whole; the sections of the lowest `rank` are placed first."""

    rank: int
    text: str


def render(review: Review, _look: Look) -> str:
    return document(review)


def document(review: Review, *, full_report: str | None = None, footer: str = "", limit: int = LIMIT) -> str:
    """At most `limit` characters. `full_report` is the address where all of it can be read; `footer` is Markdown."""
    return fit(list(sections(review)), tail(review, footer), full_report, limit)


def fit(parts: list[Section], end: str, full_report: str | None, limit: int) -> str:
    """As many sections as there is room for, by rank, shown in their order."""
    left = limit - len(end) - 300
    kept: set[int] = set()
    for number in sorted(range(len(parts)), key=lambda index: (parts[index].rank, index)):
        size = len(parts[number].text) + 1
        if size <= left:
            left -= size
            kept.add(number)
    out = [parts[number].text for number in sorted(kept)]
    if len(kept) < len(parts):
        where = f"the [full report]({full_report}) has them" if full_report else "`gitops-model review` prints them"
        missing = len(parts) - len(kept)
        out.append(f"\n*{missing:,} section{'s are' if missing > 1 else ' is'} left out for want of room; {where}.*\n")
    return "\n".join([*out, end]) if end else "\n".join(out)


def sections(review: Review) -> Iterator[Section]:
    yield Section(0, "\n".join(_head(review)) + "\n")
    if review.report.findings:
        yield Section(1, "\n".join(_findings(review)) + "\n")
    for model in review.models:
        alone = review.models_total == 1
        yield Section(2, "\n".join(_model(model, alone=alone)) + "\n")
        for table in model.tables:
            yield Section(3, "\n".join(folded(table)).lstrip("\n") + "\n")
        for text in model.texts:
            yield Section(3, "\n".join(text_lines(text)).lstrip("\n") + "\n")
        if model.picture is not None and (lines := list(mermaid.section(model.picture))):
            yield Section(4, "\n".join(lines).lstrip("\n") + "\n")
    if review.models_total > len(review.models):
        yield Section(2, f"… and {review.models_total - len(review.models):,} more models\n")


def _head(review: Review) -> Iterator[str]:
    if review.models_total == 1:
        model = review.models[0]
        yield heading(model.path, model.old_path, model.kind, model.bump, equivalent=model.equivalent)[1:]
    elif review.models:
        yield f"## {SIGN[review.bump]} {review.models_total:,} models changed, version bump **{review.bump}**"
    else:
        worst = review.report.worst()
        yield f"## {findings.SIGN[worst] if worst else '🟢'} No model changes"
    yield ""
    yield " · ".join([f"**{tally(review.report)}**", *_changed_manifests(review)])
    for trouble in review.troubles:
        yield from ("", f"> ⚠️ {prose(trouble, 1000)}")


def _changed_manifests(review: Review) -> Iterator[str]:
    names = [code(path, 100) for path in review.manifests[:3]]
    if names:
        more = len(review.manifests) - len(names)
        yield f"manifests changed: {', '.join(names)}{f' and {more:,} more' if more else ''}"


def _findings(review: Review) -> Iterator[str]:
    ordered = sorted(review.report.findings, key=lambda finding: -finding.severity)
    rows: list[str] = []
    size = 0
    for finding in ordered:
        row = findings.row(finding)
        size += len(row)
        if size > FINDINGS_LIMIT:
            break
        rows.append(row)
    more = review.findings_total - len(rows)
    fold = not _must_be_seen(ordered)
    if fold:
        yield f"<details><summary>Findings ({review.findings_total:,})</summary>"
        yield ""
    yield from findings.HEAD
    yield from rows
    if more:
        yield f"| … | {more:,} more | | |"
    if fold:
        yield from ("", "</details>")


def _must_be_seen(ordered: list[Finding]) -> bool:
    return ordered[0].severity is Severity.ERROR or len(ordered) <= OPEN


def _model(model: ModelReview, *, alone: bool) -> Iterator[str]:
    if not alone:
        yield heading(model.path, model.old_path, model.kind, model.bump, equivalent=model.equivalent)
        yield ""
    yield from bullets(model.said)
    yield from sizes(model.sizes)


def tail(review: Review, footer: str) -> str:
    span = f"Compared `{review.merge_base[:10]}` with `{review.head[:10]}`"
    return f"<sub>{span} · gitops-model{f' · {footer}' if footer else ''}</sub>\n"
