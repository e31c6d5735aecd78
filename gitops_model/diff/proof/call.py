"""What a rewrite rule is given: an operation with its arguments already known as expressions."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gitops_model.diff.proof.table import NONE

Attr = Any
"""A hashable value of an attribute."""


class Call(NamedTuple):
    """A node as rules see it: `args` are expressions (NONE for an omitted one), `attrs` with defaults filled in.

    `version` is the first version of the operator that means the same; `outputs` how many results are named.
    """

    op: str
    domain: str
    version: int
    args: tuple[int, ...]
    attrs: Mapping[str, Attr]
    outputs: int
    given: frozenset[str] = frozenset()
    """Attributes that the file itself sets."""

    def arg(self, index: int) -> int:
        return self.args[index] if index < len(self.args) else NONE
