"""Constants computed beforehand

Simplifiers compute what does not depend on the inputs: arithmetic on weights, shapes put together from numbers. What
one model computes and the other stores is compared by its value: computed here and equal, or equal within rounding
(then it is `rounded`), or it is a change. Where rounding could have taken the whole value, or decides on which side of
a jump it falls (Floor, a Cast to integers), nothing is proved. Counted are the nodes that compute constants.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops_model.diff.rewrites import Rules

PATTERN = "constant-folding"
NUMERIC = "exact"
FOLDS = True

RULES: "Rules" = {}
"""The builder notes them; gitops_model.diff.proof.evaluate computes their values."""
