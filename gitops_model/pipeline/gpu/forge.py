"""What the GPU gate tells GitHub and asks it: the commit status `gitops-model/gpu`, and a check run with the matrix."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gitops_model.errors import CouldNotRun

if TYPE_CHECKING:
    from gitops_model.net.github import GitHub

CONTEXT = "gitops-model/gpu"
SOURCE = "github-actions[bot]"
"""Who sets the status: the token of a job. A status with the same name from anybody else is not believed."""


def github(environ: Mapping[str, str]) -> "GitHub":
    """The repository that the job is of. CouldNotRun outside a job."""
    from gitops_model.net.github import API, GitHub

    repository, token = environ.get("GITHUB_REPOSITORY", ""), environ.get("GITHUB_TOKEN", "")
    if not repository or not token:
        raise CouldNotRun("this is for jobs: GITHUB_REPOSITORY and GITHUB_TOKEN are not set")
    return GitHub(repository, token, environ.get("GITHUB_API_URL", API))


def run_url(environ: Mapping[str, str]) -> str | None:
    """The page of the job's run."""
    server, repository, run = (environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else None


def commit_id(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text, re.ASCII):
        raise CouldNotRun(f"{text[:80]!r} is no whole commit id")
    return text
