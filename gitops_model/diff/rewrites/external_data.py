"""Tensors in files of their own

The bytes of a tensor may stand in the model's file or in one beside it (external data). They are read where they are;
only what they say counts. Counted are the tensors that changed their place.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.tally import moved

if TYPE_CHECKING:
    from gitops_model.diff.proof.tally import Tally
    from gitops_model.diff.rewrites import Rules

PATTERN = "external-data"
NUMERIC = "exact"


def count(one: "Tally", other: "Tally") -> int:
    return moved(one, other, "outside")


RULES: "Rules" = {}
"""The reader says where the bytes are."""
