"""One comment on a pull request, kept up to date: found again by its first line, and never put back by an older run.

    <!-- gitops-model:KEY v1 sha=HEAD run=RUN_ID.ATTEMPT -->

GitHub cannot compare and swap a comment. So every write is followed by a look: of several comments the one of the
newest run stays, and a comment that an older run wrote over ours is written again.
"""

import re
from typing import NamedTuple

from gitops_model.net.github import Comment, GitHub, Refused, Unclear

ROUNDS = 8
"""Looks and writes before others are left to it."""

_MARKER = re.compile(
    r"<!-- gitops-model:([a-z0-9-]{1,50}) v1 sha=([0-9a-f]{40,64}) run=([0-9]{1,20})\.([0-9]{1,6}) -->"
)
_KEY = re.compile(r"[a-z0-9-]{1,50}")


class Marker(NamedTuple):
    """Whose comment it is, on which commit, by which run: a run's id grows with time, its attempt with each re-run."""

    key: str
    sha: str
    run: tuple[int, int]

    @property
    def line(self) -> str:
        return f"<!-- gitops-model:{self.key} v1 sha={self.sha} run={self.run[0]}.{self.run[1]} -->"


class Outcome(NamedTuple):
    """What became of the comment: created, updated, kept, superseded (a newer run was here), or none."""

    action: str
    id: int | None = None


def is_key(text: str) -> bool:
    return _KEY.fullmatch(text) is not None


def marker_of(body: str) -> Marker | None:
    """The marker in the first line of a comment."""
    match = _MARKER.match(body)
    return Marker(match[1], match[2], (int(match[3]), int(match[4]))) if match else None


def publish(github: GitHub, number: int, marker: Marker, text: str, *, create: bool) -> Outcome:
    """Make `text` the comment; without `create` only if there is one already."""
    body = f"{marker.line}\n{text}"
    action = "kept"
    for _ in range(ROUNDS):
        ours = _ours(github, number, marker.key)
        ours.sort(key=lambda pair: (pair[0].run, -pair[1].id))
        newest = ours[-1] if ours else None
        for _, comment in ours[:-1]:
            github.delete_comment(comment)
        if newest is not None and newest[0].run > marker.run:
            return Outcome("superseded", newest[1].id)
        if newest is not None and newest[0] == marker:
            return Outcome(action, newest[1].id)
        try:
            if newest is None:
                if not create:
                    return Outcome("none")
                github.create_comment(number, body)
                action = "created"
            else:
                github.edit_comment(newest[1], body)
                action = "updated" if action == "kept" else action
        except Unclear:
            action = "created"  # the next look shows whether it is there
        except Refused as error:
            if error.status != 404 or newest is None:
                raise
            # somebody deleted the comment in between
    return Outcome("superseded")


def _ours(github: GitHub, number: int, key: str) -> list[tuple[Marker, Comment]]:
    found: list[tuple[Marker, Comment]] = []
    for comment in github.comments(number):
        marker = marker_of(comment.body)
        if marker is not None and marker.key == key and github.is_ours(comment):
            found.append((marker, comment))
    return found
