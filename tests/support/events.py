"""Payloads of GitHub's events, as far as a review reads them."""

from typing import Any

REPOSITORY: dict[str, Any] = {
    "full_name": "octo/models",
    "name": "models",
    "owner": {"login": "octo"},
    "default_branch": "main",
}


def pull_request(base: str, head: str, *, source: str | None = "octo/models", draft: bool = False) -> dict[str, Any]:
    """`source` is the repository that the change comes from; None where it was deleted."""
    return {
        "action": "synchronize",
        "number": 7,
        "pull_request": {
            "number": 7,
            "draft": draft,
            "base": {"ref": "main", "sha": base, "repo": REPOSITORY},
            "head": {"ref": "change", "sha": head, "repo": None if source is None else {"full_name": source}},
        },
        "repository": REPOSITORY,
    }


def push(before: str, after: str, ref: str = "refs/heads/main") -> dict[str, Any]:
    return {"ref": ref, "before": before, "after": after, "repository": REPOSITORY}


def merge_group(base: str, head: str) -> dict[str, Any]:
    group = {"base_sha": base, "head_sha": head, "base_ref": "refs/heads/main", "head_ref": "refs/heads/queue"}
    return {"action": "checks_requested", "merge_group": group, "repository": REPOSITORY}


def workflow_run(head: str, *, run: int, source: str = "fork/models") -> dict[str, Any]:
    return {
        "action": "completed",
        "workflow_run": {
            "id": run,
            "run_attempt": 1,
            "event": "pull_request",
            "head_sha": head,
            "head_branch": "change",
            "head_repository": {"full_name": source, "owner": {"login": source.partition("/")[0]}},
            "html_url": f"https://github.com/octo/models/actions/runs/{run}",
            "pull_requests": [],
        },
        "repository": REPOSITORY,
    }
