"""A review of a change (`Review`): what the comment on a pull request says, as data, in several forms.

Everything is plain text and numbers, so that a report can be handed on as JSON and be drawn by somebody who does not
trust the one who wrote it.
"""

from typing import NamedTuple

from gitops_model.finding import Report
from gitops_model.render.diff import BUMPS, FileDiff, bump_of, kind_of
from gitops_model.render.diff.picture import Picture, picture
from gitops_model.render.diff.tables import Table, summary, tables
from gitops_model.render.diff.texts import Text, texts
from gitops_model.render.report import tally

MOST_MODELS = 200
"""Models that a report tells of one by one."""
MOST_FINDINGS = 500
MOST_REASONS = 50
MOST_SIZES = 20
MOST_TEXT = 1000
"""Characters of one text."""


class ModelReview(NamedTuple):
    """What changed in one model. `kind` and `bump` as the diff says them; `sizes` are sentences, `reasons` too."""

    path: str
    old_path: str | None
    status: str
    kind: str
    bump: str
    equivalent: bool
    reasons: tuple[str, ...]
    sizes: tuple[str, ...]
    tables: tuple[Table, ...]
    picture: Picture | None = None
    """Where the graph changed."""
    texts: tuple[Text, ...] = ()
    """Long texts of the metadata that changed."""

    @property
    def said(self) -> tuple[str, ...]:
        """The reasons; what became of the file where there is nothing to compare."""
        return self.reasons or ((f"the model was {self.status}",) if self.status != "modified" else ())


class Review(NamedTuple):
    """The change from `merge_base` to `head` (commit ids), as it would go into `base`.

    `models` are the worst of `models_total`, the worst first; `manifests` the manifests that changed; `report` what the
    checks found on all of them at `head`; `troubles` are sentences about what could not be done.
    """

    base: str
    merge_base: str
    head: str
    models: tuple[ModelReview, ...] = ()
    models_total: int = 0
    manifests: tuple[str, ...] = ()
    report: Report = Report(())
    findings_total: int = 0
    troubles: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the change touches a model or a manifest at all, or there is something to say nevertheless."""
        return bool(self.models or self.manifests or self.report.findings or self.troubles)

    @property
    def bump(self) -> str:
        return max((model.bump for model in self.models), key=BUMPS.index, default="none")

    @property
    def kind(self) -> str:
        """The kind of the one model that changed, `several`, or `unchanged`."""
        kinds = {model.kind for model in self.models}
        return "unchanged" if not kinds else kinds.pop() if len(kinds) == 1 else "several"


def model_review(file: FileDiff) -> ModelReview:
    diff = file.diff
    reasons = [f"{side}: {problem.code} {problem.message}" for side, problem in file.problems]
    reasons += diff.verdict.reasons if diff is not None else ()
    return ModelReview(
        file.path,
        file.old_path,
        file.status,
        kind_of(file),
        bump_of(file),
        diff is not None and diff.verdict.equivalent,
        tuple(reason[:MOST_TEXT] for reason in reasons[:MOST_REASONS]),
        summary(diff)[:MOST_SIZES] if diff is not None else (),
        tables(diff) if diff is not None else (),
        picture(diff.graph.neighbourhood, diff.formats[1]) if diff is not None else None,
        texts(diff) if diff is not None else (),
    )


def worst_first(models: list[ModelReview]) -> list[ModelReview]:
    return sorted(models, key=lambda model: (-BUMPS.index(model.bump), model.equivalent, model.path))


def description(review: Review, limit: int = 140) -> str:
    """One line for a commit status, which holds 140 characters; it names no file."""
    if not review.changed:
        return "no model changes"
    models = f"{review.models_total} model{'s' if review.models_total != 1 else ''} changed"
    parts = [f"{models}, version bump {review.bump}"] if review.models else ["no model changed"]
    parts.append(tally(review.report))
    return "; ".join(parts)[:limit]
