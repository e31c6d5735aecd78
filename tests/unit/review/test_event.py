"""What is taken from an event, and what is not."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from support import events

from gitops_model.errors import CouldNotRun
from gitops_model.git.environment import with_token
from gitops_model.pipeline.review_event import Event, read_event
from gitops_model.sinks import job

BASE, HEAD, NOTHING = "a" * 40, "b" * 40, "0" * 40


@pytest.fixture
def event(tmp_path: Path) -> Any:
    def read(name: str, payload: Any, **more: str) -> Event:
        path = tmp_path / "event.json"
        path.write_text(json.dumps(payload))
        environ = {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path), "GITHUB_REPOSITORY": "octo/models"}
        return read_event(environ | {"GITHUB_RUN_ID": "12", "GITHUB_RUN_ATTEMPT": "3"} | more)

    return read


@pytest.mark.parametrize(
    "source, fork", [("octo/models", False), ("fork/models", True), (None, True)], ids=["own", "fork", "deleted"]
)
def test_a_pull_request(event: Any, source: str | None, fork: bool) -> None:
    found = event("pull_request", events.pull_request(BASE, HEAD, source=source))
    assert (found.base, found.head, found.number, found.from_fork) == (BASE, HEAD, 7, fork)
    assert found.run == (12, 3)
    assert found.run_url == "https://github.com/octo/models/actions/runs/12"


@pytest.mark.parametrize(
    "ref, default", [("refs/heads/main", True), ("refs/heads/x", False), ("refs/tags/main", False)]
)
def test_a_push(event: Any, ref: str, default: bool) -> None:
    found = event("push", events.push(NOTHING, HEAD, ref))
    assert (found.base, found.head, found.to_default, found.number) == (None, HEAD, default, None)


def test_the_run_before(event: Any) -> None:
    found = event("workflow_run", events.workflow_run(HEAD, run=99))
    assert (found.head, found.run, found.head_owner, found.head_branch) == (HEAD, (99, 1), "fork", "change")
    assert found.from_fork
    assert found.number is None


@pytest.mark.parametrize("name", ["pull_request", "push", "merge_group", "workflow_run", "schedule"])
@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"pull_request": [], "workflow_run": "x", "merge_group": 1, "before": {}, "after": None},
        {"pull_request": {"base": {"sha": "--upload-pack=x"}, "head": {"sha": HEAD + "\n"}}, "number": "7"},
        {"before": "main", "after": "$(id)", "merge_group": {"base_sha": "x;y", "head_sha": ["z"]}},
    ],
)
def test_what_is_no_commit_id_is_not_taken(event: Any, name: str, payload: Any) -> None:
    found = event(name, payload)
    assert (found.base, found.head, found.number) == (None, None, None)


def test_another_server(event: Any) -> None:
    found = event("push", {}, GITHUB_SERVER_URL="https://github.example.com")
    assert found.run_url == "https://github.example.com/octo/models/actions/runs/12"


def test_outside_of_a_job() -> None:
    with pytest.raises(CouldNotRun, match="for a job of GitHub Actions"):
        read_event({})


# --- the token, for git -----------------------------------------------------------------------------------------------
def test_the_token_goes_to_one_server_and_replaces_what_a_checkout_left() -> None:
    environ = with_token({"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b"}, "https://github.example.com/", "secret")
    assert environ["GIT_CONFIG_COUNT"] == "3"
    assert environ["GIT_CONFIG_KEY_0"] == "a.b"
    assert {environ[f"GIT_CONFIG_KEY_{n}"] for n in (1, 2)} == {"http.https://github.example.com/.extraheader"}
    assert environ["GIT_CONFIG_VALUE_1"] == ""
    kind, scheme, secret = environ["GIT_CONFIG_VALUE_2"].split()
    assert (kind, scheme, b64decode(secret)) == ("AUTHORIZATION:", "basic", b"x-access-token:secret")


# --- summary and outputs ----------------------------------------------------------------------------------------------
def test_an_output_is_one_line_whatever_it_is_made_from(tmp_path: Path) -> None:
    path = tmp_path / "outputs"
    job.write_outputs(str(path), {"verdict": "a\nbump=major\r\u2028<<EOF", "bump": "none"})
    assert path.read_text(encoding="utf-8") == "verdict=a bump=major  <<EOF\nbump=none\n"


def test_a_summary_that_would_be_too_long_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    job.append_summary(str(path), "first\n")
    job.append_summary(str(path), "x" * (1 << 20))
    job.append_summary(str(path), "last\n")
    assert path.read_text() == "first\nlast\n"
