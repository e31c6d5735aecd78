"""Repositories of every kind, opened."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.gitrepo import GitRepo

from gitops_model.git.repository import Repository

Open = Callable[..., Repository]


@pytest.fixture
def opened() -> Iterator[Open]:
    """`opened(path, environ=…)` opens a repository and closes it after the test."""
    repositories: list[Repository] = []

    def open_it(path: Path | GitRepo, **environ: str) -> Repository:
        folder = path.path if isinstance(path, GitRepo) else path
        repositories.append(Repository.open(str(folder), {**os.environ, **environ}))
        return repositories[-1]

    yield open_it
    for repository in repositories:
        repository.close()
