"""Differences as GitHub flavoured Markdown: the verdict in the first line of each model, details folded below."""

from collections.abc import Iterator

from gitops_model.diff.result import ModelDiff
from gitops_model.render import Look
from gitops_model.render.diff import Compared, FileDiff, bump_of, change_text, kind_of, value_text
from gitops_model.render.inert import code, prose

SIGN = {"none": "🟢", "patch": "🔵", "minor": "🟡", "major": "🔴"}
MOST_ROWS = 100
"""Rows of one table; the rest is counted. A comment holds 65,536 characters."""


def render(compared: Compared, _look: Look) -> str:
    if not compared.files:
        return "🟢 **No model changes**\n"
    ordered = sorted(compared.files, key=lambda file: -list(SIGN).index(bump_of(file)))
    return "\n".join("\n".join(_file(file)) + "\n" for file in ordered)


def _file(file: FileDiff) -> Iterator[str]:
    bump = bump_of(file)
    name = code(file.path, 400)
    if file.old_path is not None and file.old_path != file.path:
        name = f"{code(file.old_path, 400)} → {name}"
    proved = ", equivalent" if file.diff is not None and file.diff.verdict.equivalent else ""
    yield f"### {SIGN[bump]} {name}: {kind_of(file)}{proved}, version bump **{bump}**"
    yield ""
    reasons = [f"{side}: {problem.code} {problem.message}" for side, problem in file.problems]
    reasons += file.diff.verdict.reasons if file.diff is not None else ()
    yield from (f"- {prose(reason)}" for reason in reasons)
    if file.diff is not None:
        yield from _model(file.diff)


def _model(diff: ModelDiff) -> Iterator[str]:
    values = [("input", change) for change in diff.signature.inputs]
    values += [("output", change) for change in diff.signature.outputs]
    yield from _table(
        "Interface",
        ("", "Name", "Change", "Type", "Bump"),
        [
            (role, code(change.name), f"{change.change} ({change.grade})", code(value_text(change)), change.bump)
            for role, change in values
        ],
    )
    facts = [("opset", diff.opset), ("properties", diff.properties), ("metadata", diff.metadata)]
    yield from _table(
        "Facts",
        ("", "Name", "Before", "After"),
        [
            (kind, code(name), *("" if side is None else code(str(side)) for side in sides))
            for kind, entries in facts
            for name, sides in entries.items()
        ],
    )
    graph = diff.graph
    nodes = [("added", node) for node in graph.added] + [("removed", node) for node in graph.removed]
    nodes += [("changed", node) for node in graph.changed]
    yield from _table(
        "Operations", ("", "Operation", "Count"), [(fate, code(node.op_type), str(node.number)) for fate, node in nodes]
    )
    weights = diff.weights
    fates = (("changed", weights.changed), ("removed", weights.removed), ("added", weights.added))
    tensors = [(fate, code(change.name), code(change_text(change))) for fate, changes in fates for change in changes]
    for change in weights.renamed:
        was = code(change.before.name) if change.before is not None else ""
        tensors.append(("renamed", f"{was} → {code(change.name)}", code(change_text(change))))
    yield from _table("Tensors", ("", "Name", "Type"), tensors)


def _table(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield f"<details><summary>{title} ({len(rows):,})</summary>"
    yield ""
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    yield from (f"| {' | '.join(row)} |" for row in rows[:MOST_ROWS])
    if len(rows) > MOST_ROWS:
        yield f"| … | {len(rows) - MOST_ROWS:,} more |" + " |" * (len(head) - 2)
    yield ""
    yield "</details>"
