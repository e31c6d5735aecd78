"""A review as one HTML page that needs nothing else: no script, no font, nothing fetched; light and dark."""

from collections.abc import Iterator

from gitops_model.finding import Finding
from gitops_model.render import Look
from gitops_model.render.diff.svg import STYLE as GRAPH_STYLE
from gitops_model.render.diff.svg import figure
from gitops_model.render.diff.tables import KINDS, Table
from gitops_model.render.diff.texts import html
from gitops_model.render.inert import for_html
from gitops_model.render.report import place, tally
from gitops_model.render.review import ModelReview, Review

OPEN_ROWS = 12
"""Rows up to which a table stands open."""

STYLE = (
    """\
:root { color-scheme: light dark; --line: #d1d9e0; --soft: #59636e; --back: #fff; --text: #1f2328; --code: #818b981f }
@media (prefers-color-scheme: dark) {
  :root { --line: #3d444d; --soft: #9198a1; --back: #0d1117; --text: #f0f6fc; --code: #656c7633 } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
  background: var(--back); color: var(--text) }
h1 { font-size: 1.5rem }
h2 { font-size: 1.15rem; margin-top: 2rem; padding-top: 1rem; border-top: 1px solid var(--line) }
code { font: 85% ui-monospace, monospace; background: var(--code); padding: .15em .4em; border-radius: 5px;
  overflow-wrap: break-word; white-space: pre-wrap }
h2, li, p { overflow-wrap: anywhere }
pre { font: 85%/1.45 ui-monospace, monospace; border: 1px solid var(--line); border-radius: 6px; padding: .6rem;
  overflow-x: auto } pre .added { background: #2da44e2e } pre .removed { background: #f851492e }
table { border-collapse: collapse; margin: .5rem 0 1rem; display: block; overflow-x: auto }
th, td { border: 1px solid var(--line); padding: .3rem .7rem;
  text-align: left; vertical-align: top }
summary { cursor: pointer; font-weight: 600 } .soft, footer { color: var(--soft) }
.badge { padding: .1em .6em; border-radius: 1em; color: #fff; font-size: .85em; white-space: nowrap }
.none { background: #1a7f37 } .patch, .note { background: #0969da } .minor, .warning { background: #9a6700 }
.major, .error { background: #cf222e }
"""
    + GRAPH_STYLE
)


def render(review: Review, _look: Look) -> str:
    body = "\n".join(_body(review))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>Model review</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _body(review: Review) -> Iterator[str]:
    count = f"{review.models_total:,} model{'s' if review.models_total != 1 else ''} changed"
    bump = f'<span class="badge {review.bump}">{review.bump}</span>'
    yield f"<h1>{count}, version bump {bump}</h1>" if review.models else "<h1>No model changes</h1>"
    yield f"<p>{for_html(tally(review.report))}</p>"
    for trouble in review.troubles:
        yield f"<p>⚠️ {for_html(trouble, 1000)}</p>"
    if review.manifests:
        yield f"<p>manifests changed: {', '.join(_code(path) for path in review.manifests)}</p>"
    if review.report.findings:
        yield "<h2>Findings</h2>"
        yield "<table><tr><th></th><th>Where</th><th>What</th><th>Fix</th></tr>"
        yield from map(_finding, sorted(review.report.findings, key=lambda finding: -finding.severity))
        yield "</table>"
    for model in review.models:
        yield from model_part(model)
    yield f"<footer>Compared {_code(review.merge_base[:10])} with {_code(review.head[:10])} · gitops-model</footer>"


def _finding(finding: Finding) -> str:
    label = finding.severity.label
    what = f"<b>{for_html(finding.code)} {for_html(finding.name)}</b>: {for_html(finding.message, 1000)}"
    for name, text in (("expected", finding.expected), ("found", finding.found)):
        what += f"<br>{name} {_code(text)}" if text is not None else ""
    fix = _code(finding.hint) if finding.hint else ""
    badge = f'<span class="badge {label}">{label}</span>'
    return f"<tr><td>{badge}</td><td>{_code(place(finding))}</td><td>{what}</td><td>{fix}</td></tr>"


def model_part(model: ModelReview) -> Iterator[str]:
    name = _code(model.path)
    if model.old_path is not None and model.old_path != model.path:
        name = f"{_code(model.old_path)} → {name}"
    proved = ", equivalent" if model.equivalent else ""
    bump = f'<span class="badge {model.bump}">{model.bump}</span>'
    yield f"<h2>{name}: {for_html(model.kind)}{proved} {bump}</h2>"
    yield f"<ul>{''.join(f'<li>{for_html(reason, 1000)}</li>' for reason in model.said)}</ul>"
    if model.sizes:
        yield f'<p class="soft">{" · ".join(for_html(size) for size in model.sizes)}</p>'
    if model.picture is not None:
        yield figure(model.picture)
    for table in model.tables:
        yield from _table(table)
    yield from map(html, model.texts)


def _table(table: Table) -> Iterator[str]:
    kind = KINDS[table.kind]
    opened = " open" if len(table.rows) <= OPEN_ROWS else ""
    yield f"<details{opened}><summary>{kind.title} ({table.total:,})</summary>"
    yield f"<table><tr>{''.join(f'<th>{head}</th>' for head in kind.head)}</tr>"
    for row in table.rows:
        cells = (
            "" if cell is None else for_html(cell) if number in kind.words else _code(cell)
            for number, cell in enumerate(row)
        )
        yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    if len(table.rows) < table.total:
        yield f'<tr><td colspan="{len(kind.head)}">{table.total - len(table.rows):,} more</td></tr>'
    yield "</table></details>"


def _code(text: str) -> str:
    return f"<code>{for_html(text)}</code>"
