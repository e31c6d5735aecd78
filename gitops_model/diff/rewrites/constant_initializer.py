"""Constant nodes and initializers

A constant may be stored in a `Constant` node or as an initializer of the graph, and is the same. Exporters write nodes,
optimisers lift them. Counted are the constants that changed their place.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.tally import moved

if TYPE_CHECKING:
    from gitops_model.diff.proof.tally import Tally
    from gitops_model.diff.rewrites import Rules

PATTERN = "constant-initializer"
NUMERIC = "exact"


def count(one: "Tally", other: "Tally") -> int:
    return moved(one, other, "nodes")


RULES: "Rules" = {}
"""The builder makes one expression of both."""
