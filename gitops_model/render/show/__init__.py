"""A model's description (`Shown`): as lines that diff well, and as JSON."""

from typing import NamedTuple

from gitops_model.ir import Deflated, Joined, Locator, Model, Span, Sparse, Strided, Strings, Swapped, Varints

TEXTCONV = 1
"""Version of the text; git caches what a textconv command printed, so the command that `init` configures names it."""


class Shown(NamedTuple):
    """What `show` shows. `digests` has one entry per tensor, None where its bytes were not read.

    `weights`, `structure`, `signature`, `optimizer` are prefixed digests or None. `nodes`: list every operation.
    """

    path: str
    model: Model
    digests: tuple[str | None, ...]
    weights: str | None = None
    structure: str | None = None
    signature: str | None = None
    optimizer: str | None = None
    nodes: bool = False


class External(NamedTuple):
    """Bytes of a tensor that are in another file."""

    path: str
    offset: int
    length: int


def external(locator: Locator) -> External | None:
    """Where a tensor's bytes are, when they are not in the model's own file."""
    while not isinstance(locator, Span):
        if isinstance(locator, Strided | Swapped):
            locator = locator.base
        elif isinstance(locator, Sparse):
            locator = locator.values
        elif isinstance(locator, Deflated):
            locator = locator.packed
        elif isinstance(locator, Joined | Varints | Strings) and locator.pieces:
            locator = locator.pieces[0]
        else:
            return None
    return External(locator.file, locator.offset, locator.length) if locator.file else None
