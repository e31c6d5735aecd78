"""The findings of a review as SARIF."""

from gitops_model.render import Look
from gitops_model.render.report import sarif
from gitops_model.render.review import Review


def render(review: Review, look: Look) -> str:
    return sarif.render(review.report, look)
