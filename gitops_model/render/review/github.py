"""The findings of a review as annotations of a job; the verdict as a plain line of its log."""

from gitops_model.render import Look
from gitops_model.render.report import github
from gitops_model.render.review import Review, description


def render(review: Review, look: Look) -> str:
    return github.render(review.report, look) + description(review, 1000) + "\n"
