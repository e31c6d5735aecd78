"""`log`: every version of a model, each with the verdict against the version before it, from notes."""

from gitops_model.git.repository import Repository
from gitops_model.pipeline.recorded import compare
from gitops_model.pipeline.versions import Told, versions
from gitops_model.render.log import Log, Row


def log(repository: Repository, word: str, revision: str = "HEAD", most: int | None = None) -> Log:
    """The newest `most` versions, all of them without. CouldNotRun where no commit has the file."""
    path, told = versions(repository, word, revision)
    shown = told if most is None else told[:most]
    rows = [_row(one, told[number + 1] if number + 1 < len(told) else None, path) for number, one in enumerate(shown)]
    return Log(path, tuple(rows), sum(one.is_unrecorded for one in shown))


def _row(one: Told, before: Told | None, path: str) -> Row:
    version = one.version
    row = Row(
        version.commit,
        version.date,
        version.author,
        version.subject,
        version.entry.path if version.entry is not None else path,
        "unrecorded",
        str(one.line["weights"]) if one.line is not None and "weights" in one.line else None,
    )
    if version.entry is None:
        return row._replace(state="removed")
    if before is None or before.version.entry is None:
        return row._replace(state="first") if one.line is not None else row
    if one.line is None or before.line is None:
        return row
    try:
        compared = compare(before.line, one.line)
    except (TypeError, KeyError, AttributeError):  # whoever may push may write any line
        compared = None
    return row if compared is None else row._replace(state="changed", verdict=compared.verdict)
