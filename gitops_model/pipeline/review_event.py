"""What a job of GitHub Actions says about itself: the event that started it, and where its results belong."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from gitops_model.errors import CouldNotRun

LIMIT = 32 << 20
"""Bytes of an event's payload; GitHub sends at most 25 MB."""


class Event(NamedTuple):
    """`base` and `head` are commit ids, None where the event names none; `number` is the pull request's.

    `run` is (run id, attempt) of the run whose result is published: for `workflow_run` the one that it follows.
    `head_owner` and `head_branch` say where the change of a `workflow_run` comes from.
    """

    name: str
    repository: str
    base: str | None = None
    head: str | None = None
    number: int | None = None
    from_fork: bool = False
    to_default: bool = False
    run: tuple[int, int] = (0, 1)
    run_url: str | None = None
    head_owner: str | None = None
    head_branch: str | None = None


def read_event(environ: Mapping[str, str]) -> Event:
    """The event of this job; CouldNotRun outside of one."""
    name, path = environ.get("GITHUB_EVENT_NAME"), environ.get("GITHUB_EVENT_PATH")
    repository = environ.get("GITHUB_REPOSITORY")
    if not name or not path or not repository:
        raise CouldNotRun("--publish is for a job of GitHub Actions: GITHUB_EVENT_NAME and its like are not set")
    payload = _payload(path)
    server = environ.get("GITHUB_SERVER_URL", "https://github.com")
    run = (_number(environ.get("GITHUB_RUN_ID")), _number(environ.get("GITHUB_RUN_ATTEMPT")) or 1)
    event = Event(name, repository, run=run, run_url=f"{server}/{repository}/actions/runs/{run[0]}")
    if name in ("pull_request", "pull_request_target"):
        return _of_pull_request(event, payload)
    if name == "push":
        before, after = _oid(payload.get("before")), _oid(payload.get("after"))
        default = _at(payload, "repository", "default_branch")
        to_default = bool(default) and payload.get("ref") == f"refs/heads/{default}"
        return event._replace(base=before, head=after, to_default=to_default)
    if name == "merge_group":
        base, head = (_oid(_at(payload, "merge_group", f"{side}_sha")) for side in ("base", "head"))
        return event._replace(base=base, head=head)
    if name == "workflow_run":
        return _of_workflow_run(event, payload)
    return event


def _of_pull_request(event: Event, payload: dict[str, Any]) -> Event:
    number = payload.get("number") or _at(payload, "pull_request", "number")
    source = _at(payload, "pull_request", "head", "repo", "full_name")
    return event._replace(
        base=_oid(_at(payload, "pull_request", "base", "sha")),
        head=_oid(_at(payload, "pull_request", "head", "sha")),
        number=number if isinstance(number, int) else None,
        from_fork=source != event.repository,  # a fork that was deleted has no name
    )


def _of_workflow_run(event: Event, payload: dict[str, Any]) -> Event:
    run, url = (_at(payload, "workflow_run", name) for name in ("id", "html_url"))
    owner = _at(payload, "workflow_run", "head_repository", "owner", "login")
    branch = _at(payload, "workflow_run", "head_branch")
    attempt = _at(payload, "workflow_run", "run_attempt")
    source = _at(payload, "workflow_run", "head_repository", "full_name")
    return event._replace(
        head=_oid(_at(payload, "workflow_run", "head_sha")),
        from_fork=source != event.repository,
        run=(run if isinstance(run, int) else 0, attempt if isinstance(attempt, int) else 1),
        run_url=url if isinstance(url, str) and url.startswith("https://") else event.run_url,
        head_owner=owner if isinstance(owner, str) else None,
        head_branch=branch if isinstance(branch, str) else None,
    )


def _payload(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as stream:
            document: object = json.loads(stream.read(LIMIT))
    except (OSError, ValueError, RecursionError) as error:
        raise CouldNotRun(f"the event in GITHUB_EVENT_PATH cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise CouldNotRun("the event in GITHUB_EVENT_PATH is no JSON object")
    return cast("dict[str, Any]", document)


def _at(value: Any, *path: str) -> Any:
    """What stands at a path of keys; None where the way ends early."""
    for key in path:
        value = cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None
    return value


def _oid(value: Any) -> str | None:
    """A commit id; None for anything else, and for the zeros that stand for no commit."""
    if isinstance(value, str) and len(value) in (40, 64) and not value.strip("0123456789abcdef") and value.strip("0"):
        return value
    return None


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0
