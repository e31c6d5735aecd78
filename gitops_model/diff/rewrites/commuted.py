"""Inputs that changed places

Add, Mul, Max and the like give the same whichever input comes first. Counted are the operations that take the same
inputs in another order.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops_model.diff.rewrites import Rules

PATTERN = "commuted-inputs"
NUMERIC = "exact"

RULES: "Rules" = {}
"""Their order is that of one form for sums and products (arithmetic); where nodes are matched, they are counted."""
