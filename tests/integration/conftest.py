"""A GitHub on loopback that obeys GitHub's own description, and must have found nothing wrong at the end of a test."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from support import openapi
from support.fake_github import FakeGitHub, serve
from support.models import Unavailable


@pytest.fixture(scope="session")
def description() -> openapi.Description:
    try:
        return openapi.description()
    except Unavailable as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


@pytest.fixture
def fake(description: openapi.Description) -> Iterator[Callable[..., FakeGitHub]]:
    """`fake(prefix="/api/v3")` starts one."""
    started: list[FakeGitHub] = []
    with ExitStack() as stack:

        def start(repository: str = "octo/models", prefix: str = "") -> FakeGitHub:
            started.append(stack.enter_context(serve(FakeGitHub(description, repository, prefix))))
            return started[-1]

        yield start
    assert [problem for one in started for problem in one.violations] == []


@pytest.fixture
def github(fake: Callable[..., FakeGitHub]) -> FakeGitHub:
    return fake()
