"""One constant that is stored several times

Constants of the same type, shape and bytes are one, however often they are stored. Counted are those that one model has
more of than the other.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops_model.diff.proof.tally import Tally
    from gitops_model.diff.rewrites import Rules

PATTERN = "duplicate-initializers"
NUMERIC = "exact"


def count(one: "Tally", other: "Tally") -> int:
    both = one.stored.keys() & other.stored.keys()
    return sum(abs(one.stored[content].times - other.stored[content].times) for content in both)


RULES: "Rules" = {}
"""The builder makes one expression of all of them."""
