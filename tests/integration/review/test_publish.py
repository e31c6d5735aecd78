"""`review --publish` in a job: what is missing, refused or broken is a clear line, and never half a comment."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support import events
from support.fake_github import FakeGitHub, Fault
from support.gitrepo import GitRepo
from support.program import Program, Result
from support.recording import weights
from support.small_models import manifest

from gitops_model.render.report.github import LIMIT

BAD = b"<!DOCTYPE html><html></html>"


class Done(NamedTuple):
    result: Result
    summary: str
    outputs: dict[str, str]

    @property
    def log(self) -> str:
        return self.result.out + self.result.err


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    """Two commits: the base, tagged so, and a change of a model."""
    repo = git_repo(files={"m.safetensors": weights(1.0), ".gitops-model.toml": 'fail-on = "error"\n'})
    repo.git("tag", "base")
    repo.commit("Change", {"m.safetensors": weights(2.0)})
    return repo


@pytest.fixture
def publish(cli: Program, repo: GitRepo, github: FakeGitHub, tmp_path: Path) -> Callable[..., Done]:
    """Run in the repository as a job on pull request 7; `at` is its head now, as GitHub has it.

    A keyword in capitals replaces a variable; None takes it away.
    """

    def run(
        *words: str,
        payload: dict[str, Any] | None = None,
        event: str = "pull_request",
        at: str | None = None,
        code: int = 0,
        **more: str | None,
    ) -> Done:
        head = repo.git("rev-parse", "HEAD")
        github.add_pull(7, at or head)
        payload = payload or events.pull_request(repo.git("rev-parse", "base"), head)
        files = {name: tmp_path / name for name in ("event.json", "summary", "outputs")}
        for path in files.values():
            path.unlink(missing_ok=True)
        files["event.json"].write_text(json.dumps(payload))
        env = {
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(files["event.json"]),
            "GITHUB_REPOSITORY": "octo/models",
            "GITHUB_RUN_ID": "12",
            "GITHUB_RUN_ATTEMPT": "2",
            "GITHUB_API_URL": github.url,
            "GITHUB_STEP_SUMMARY": str(files["summary"]),
            "GITHUB_OUTPUT": str(files["outputs"]),
            "GITHUB_TOKEN": github.token,
        } | more
        given = {name: value for name, value in env.items() if value is not None}
        result = cli("review", "--publish", *words, cwd=repo.path, env=given, check=code)
        texts = [path.read_text() if path.exists() else "" for path in files.values()]
        pairs = [line.split("=", 1) for line in texts[2].splitlines()]
        return Done(result, texts[1], {name: value for name, value in pairs})  # noqa: C416 - for its type

    return run


def test_all_of_it(publish: Callable[..., Done], github: FakeGitHub, tmp_path: Path) -> None:
    report, page, sarif = (str(tmp_path / name) for name in ("out/r.json", "out/r.html", "out/r.sarif"))
    done = publish(f"--report-json={report}", f"--report-html={page}", f"--sarif-file={sarif}")
    (comment,) = github.ours(7)
    assert comment.splitlines()[1] == "## 🔵 `m.safetensors`: weights-only, version bump **patch**"
    assert done.summary.startswith("## 🔵 `m.safetensors`")
    assert done.outputs == {
        "changed": "true",
        "verdict": "weights-only",
        "bump": "patch",
        "report-json": report,
        "report-html": page,
        "comment-id": str(github.comments[7][0]["id"]),
    }
    assert json.loads(Path(report).read_text())["models"][0]["path"] == "m.safetensors"
    assert Path(page).read_text().startswith("<!DOCTYPE html>")
    assert json.loads(Path(sarif).read_text())["version"] == "2.1.0"
    assert "run=12.2" in comment
    assert "/actions/runs/12" in github.statuses[0]["target_url"]
    assert len(github.statuses[0]["description"]) <= 140


# --- what is missing --------------------------------------------------------------------------------------------------
def test_no_token(publish: Callable[..., Done], github: FakeGitHub) -> None:
    done = publish(GITHUB_TOKEN=None)
    assert "no comment: there is no github-token" in done.log
    assert "there is no github-token" in done.summary
    assert done.outputs["bump"] == "patch"
    assert github.seen == []


def test_a_token_that_may_only_read(publish: Callable[..., Done], github: FakeGitHub) -> None:
    github.read_only = True
    done = publish()
    assert "the token may not do this (Resource not accessible by integration)" in done.log
    assert "pull-requests: write" in done.log
    assert github.ours(7) == []


def test_a_pull_request_that_is_gone(publish: Callable[..., Done], github: FakeGitHub) -> None:
    github.faults.append(Fault("GET", "/pulls/7", 404, 99))
    done = publish()
    assert "is pull request 7 gone?" in done.log
    assert github.ours(7) == []


def test_a_pull_request_that_moved_on(publish: Callable[..., Done], github: FakeGitHub) -> None:
    assert "has moved on to cccccccccccc" in publish(at="c" * 40).summary
    assert github.ours(7) == []


def test_github_is_down(publish: Callable[..., Done], github: FakeGitHub) -> None:
    github.faults.append(Fault("*", ".", 403, 99, {"Retry-After": "9999"}))
    done = publish()
    assert "no comment: GitHub answers 403 and asks to wait for 9,999 seconds" in done.log
    assert done.outputs["verdict"] == "weights-only"


@pytest.mark.parametrize("base", ["nowhere", "e" * 40], ids=["name", "id"])
def test_an_unknown_base(publish: Callable[..., Done], github: FakeGitHub, base: str) -> None:
    done = publish("--base", base, code=2)
    assert "The models were not reviewed" in done.summary
    assert base in done.summary
    assert "::error title=gitops-model::" in done.log
    assert github.ours(7) == []
    assert github.statuses[0]["state"] == "error"


def test_an_event_without_a_base(publish: Callable[..., Done]) -> None:
    done = publish(event="workflow_dispatch", payload={}, code=2)
    assert "the event workflow_dispatch says no base" in done.log
    assert "says no base" in done.summary


@pytest.mark.parametrize("before", ["0" * 40, "e" * 40], ids=["first", "forced"])
def test_a_push_whose_past_is_gone(
    publish: Callable[..., Done], repo: GitRepo, github: FakeGitHub, before: str
) -> None:
    done = publish(event="push", payload=events.push(before, repo.git("rev-parse", "HEAD"), "refs/heads/other"))
    assert done.outputs["verdict"] == "weights-only"
    assert github.comments[7] == []
    assert repo.git("for-each-ref", "refs/notes") == ""


def test_outside_of_a_job(publish: Callable[..., Done]) -> None:
    assert "--publish is for a job of GitHub Actions" in publish(GITHUB_EVENT_NAME=None, code=2).log


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_an_event_that_is_no_object(publish: Callable[..., Done], tmp_path: Path, text: str) -> None:
    (tmp_path / "bad").write_text(text)
    assert "the event in GITHUB_EVENT_PATH" in publish(GITHUB_EVENT_PATH=str(tmp_path / "bad"), code=2).log


# --- what is wrong with the change ------------------------------------------------------------------------------------
def test_a_corrupt_model(publish: Callable[..., Done], repo: GitRepo, github: FakeGitHub) -> None:
    repo.commit("Break", {"m.safetensors": BAD})
    done = publish(code=1)
    assert "::error file=m.safetensors,title=GM004" in done.log
    assert "GM004" in done.summary
    assert "unreadable" in github.ours(7)[0].splitlines()[1]
    assert github.statuses[0]["state"] == "failure"
    publish("--fail-on=none", code=0)


def test_the_rules_are_those_of_the_base(publish: Callable[..., Done], repo: GitRepo) -> None:
    repo.commit("Be lenient", {"m.safetensors": BAD, ".gitops-model.toml": 'fail-on = "none"\nignore = ["GM"]\n'})
    publish(code=1)
    repo.commit("Break the configuration", {".gitops-model.toml": "nonsense"})
    publish(code=1)


def test_a_model_in_lfs_that_is_not_here(publish: Callable[..., Done], repo: GitRepo, github: FakeGitHub) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize {5 * 10**9}\n"
    repo.commit("Point", {"m.safetensors": pointer})
    done = publish(code=0)
    assert "GM003" in done.summary
    assert "git lfs pull" in done.summary
    assert len(github.ours(7)) == 1


def test_more_findings_than_annotations(publish: Callable[..., Done], repo: GitRepo, github: FakeGitHub) -> None:
    repo.commit("Break many", {f"bad{number}.onnx": BAD for number in range(40)})
    done = publish(code=1)
    assert done.log.count("\n::error ") + done.log.startswith("::error ") == LIMIT
    assert all(f"bad{number}.onnx" in done.summary for number in range(40))
    (comment,) = github.ours(7)
    assert comment.splitlines()[1].startswith("## 🔴 41 models changed")
    assert len(comment) <= 60_200


def test_nothing_of_ours_changed(publish: Callable[..., Done], repo: GitRepo, github: FakeGitHub) -> None:
    repo.git("tag", "-f", "base")
    repo.commit("Write", {"README": "x"})
    done = publish()
    assert done.outputs["changed"] == "false"
    assert github.ours(7) == []
    assert publish("--comment=always").outputs["comment-id"]
    assert "No model changes" in github.ours(7)[0]


def test_never_a_comment(publish: Callable[..., Done], github: FakeGitHub) -> None:
    assert publish("--comment=never").outputs["comment-id"] == ""
    assert github.count("GET", "comments") == 0


def test_only_some_paths(publish: Callable[..., Done], repo: GitRepo) -> None:
    repo.commit("Elsewhere", {"a/x.safetensors": weights(1.0), "b/x.onnx": BAD})
    done = publish("--", "a/")
    assert done.outputs["verdict"] == "added"
    assert "b/x.onnx" not in done.summary


def test_a_note_that_lies(publish: Callable[..., Done], repo: GitRepo, cli: Program) -> None:
    cli("record", cwd=repo.path, check=0)
    blob = repo.git("rev-parse", "HEAD:m.safetensors")
    line = json.loads(repo.git("notes", "--ref=gitops-model", "show", blob))
    line["weights"] = "gm1-weights:" + "0" * 64
    forged = json.dumps(line, sort_keys=True, separators=(",", ":"))
    repo.git("notes", "--ref=gitops-model", "add", "-f", "-m", forged, blob)
    assert "GM202" in publish(code=1).summary


def test_a_version_that_moved_too_little(publish: Callable[..., Done], repo: GitRepo) -> None:
    def add(value: float, version: str) -> None:
        model = weights(value)
        text = manifest(m_dot_safetensors=model).replace("version: 1.0.0", f"version: {version}")
        repo.commit("Version", {"v/m.safetensors": model, "v/model.yaml": text})

    add(1.0, "1.2.3")
    repo.git("tag", "-f", "base")
    add(2.0, "1.2.3")
    assert "::error file=v/model.yaml,line=2,col=10,title=GM305 version-bump::" in publish(code=1).log
    add(2.0, "1.2.4")
    publish(code=0)
