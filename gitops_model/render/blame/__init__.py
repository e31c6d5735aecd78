"""Who last changed which layer (`Blame`)."""

from typing import NamedTuple


class Line(NamedTuple):
    """A layer, or a tensor, and the version that last changed its weights.

    `bytes_` is their size. `gap` versions before that one are not recorded: one of them may have changed them instead.
    `since_first`: nothing changed it since the first recorded version.
    """

    name: str
    tensors: int
    bytes_: int
    commit: str
    date: str
    author: str
    subject: str
    gap: int = 0
    since_first: bool = False


class Blame(NamedTuple):
    """In the order of the model. `unrecorded` of `versions` versions have no valid note."""

    path: str
    lines: tuple[Line, ...]
    versions: int
    unrecorded: int = 0
