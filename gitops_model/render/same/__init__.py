"""How `same` reads."""

from typing import NamedTuple

from gitops_model.diff.same.result import Sameness


class Compared(NamedTuple):
    """Two files and what was measured between them."""

    before: str
    after: str
    before_format: str
    after_format: str
    sameness: Sameness
