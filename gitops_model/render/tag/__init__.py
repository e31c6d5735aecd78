"""What `tag` did, what it found, or which tags there are."""

from typing import NamedTuple

from gitops_model.finding import Report
from gitops_model.release.block import Block


class Outcome(NamedTuple):
    """One tag: `state` is made, there (already, and the same), would (a dry run), refused, or verified.

    `commit` and `block` are None where they could not be found out.
    """

    state: str
    tag: str
    name: str
    version: str
    commit: str | None
    block: Block | None
    report: Report


class Row(NamedTuple):
    """One tag of a list."""

    tag: str
    scheme: str
    name: str
    version: str | None
    stage: str | None
    commit: str | None
    has_block: bool
