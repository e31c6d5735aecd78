"""The versions of a model (`Log`), each with its verdict against the one before it."""

from typing import NamedTuple

from gitops_model.diff.result import Verdict


class Row(NamedTuple):
    """One commit. `state`: first, changed, removed, or unrecorded (no note says what is in this version, or in the one
    that it would be compared with); `verdict` is that against the version before. `path` where it was then."""

    commit: str
    date: str
    author: str
    subject: str
    path: str
    state: str
    weights: str | None
    verdict: Verdict | None = None


class Log(NamedTuple):
    """Newest first. `unrecorded` versions have no valid note."""

    path: str
    rows: tuple[Row, ...]
    unrecorded: int = 0
