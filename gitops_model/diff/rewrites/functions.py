"""Model-local functions and their bodies

A call of a function that the model itself defines is its body with the arguments in place. Inliners put the body there,
exporters take it out; the builder always looks through the call.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops_model.diff.rewrites import Rules

PATTERN = "function-inlining"
NUMERIC = "exact"

RULES: "Rules" = {}
