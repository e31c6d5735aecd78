"""The reusable workflows and action.yml, run by act as a user's repository calls them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support import events
from support.act import Act
from support.fake_github import BOT, FakeGitHub
from support.gitrepo import GitRepo

SWIFT = "swift_f0/model.onnx"
ModelFile = Callable[[str, str], Path]


@pytest.fixture
def act(tmp_path: Path, scripts: Path, require_tool: Callable[[str], Path]) -> Act:
    folder = tmp_path / "act"
    folder.mkdir()
    return Act(folder, scripts, require_tool("act"))


@pytest.fixture
def models(model_file: ModelFile) -> list[bytes]:
    return [model_file(f"swift-f0=={version}", SWIFT).read_bytes() for version in ("0.1.0", "0.2.0", "0.3.0")]


@pytest.fixture
def origin(git_repo: Callable[..., GitRepo], models: list[bytes]) -> GitRepo:
    """What GitHub has: main, with a model."""
    repo = git_repo("origin", files={"models/m.onnx": models[1], "README": "x"})
    for name in ("allowAnySHA1InWant", "allowFilter"):  # as GitHub's servers are configured
        repo.git("config", f"uploadpack.{name}", "true")
    return repo


def change(origin: GitRepo, files: dict[str, str | bytes]) -> tuple[str, str]:
    """(base, head): a branch on top of main, which has moved on since."""
    origin.git("checkout", "--quiet", "-B", "change", "main")
    head = origin.commit("Change", files)
    origin.git("checkout", "--quiet", "main")
    for number in range(3):
        base = origin.commit("Elsewhere", {"README": f"{number}"})
    return base, head


def test_a_pull_request_from_its_first_push_to_a_later_one(
    act: Act, github: FakeGitHub, origin: GitRepo, models: list[bytes]
) -> None:
    github.add_comment(7, "a question", None)
    base, head = change(origin, {"models/m.onnx": models[2]})
    github.add_pull(7, head)
    run = act("pull_request", events.pull_request(base, head, draft=True), github, origin, head, run=100)
    assert run.code == 0, run.log
    (first,) = github.ours(7)
    marker, headline = first.splitlines()[:2]
    assert marker == f"<!-- gitops-model:models v1 sha={head} run=100.1 -->"
    assert headline == "## 🟡 `models/m.onnx`: graph-only, version bump **minor**"
    assert headline in run.summary
    assert run.report()["verdict"] == {"kind": "graph-only", "bump": "minor"}
    assert {s["sha"]: (s["context"], s["state"]) for s in github.statuses} == {head: ("gitops-model/review", "success")}
    assert github.token not in run.log
    calls = (act.folder / "uv" / "calls").read_text()
    assert "--require-hashes" in calls
    assert "--no-index" in calls

    origin.git("checkout", "--quiet", "change")
    later = origin.commit("Break it", {"models/m.onnx": models[2][:5000]})
    github.add_pull(7, later)
    run = act("pull_request", events.pull_request(base, later), github, origin, later, run=101)
    assert run.code == 1
    (second,) = github.ours(7)
    assert "🔴 `models/m.onnx`: unreadable, version bump **major**" in second.splitlines()[1]
    assert "::error file=models/m.onnx,title=GM001 truncated::" in run.log
    assert github.statuses[-1]["state"] == "failure"

    run = act("pull_request", events.pull_request(base, head), github, origin, head, run=100)
    assert "has moved on" in run.summary
    assert github.ours(7) == [second]


def test_the_models_are_run_where_that_is_asked_for(
    act: Act, github: FakeGitHub, origin: GitRepo, models: list[bytes]
) -> None:
    base, head = change(origin, {"models/m.onnx": models[2]})
    github.add_pull(7, head)
    payload = events.pull_request(base, head)
    run = act("pull_request", payload, github, origin, head, inputs={"run-probe": True})
    assert run.code == 0, run.log
    (comment,) = github.ours(7)
    assert "<summary>Numeric probe (2)</summary>" in comment
    (table,) = [table for table in run.report()["models"][0]["tables"] if table["kind"] == "probe"]
    assert {row[0]: row[2].partition(";")[0] for row in table["rows"]}["confidence"] == "differs"
    assert act("pull_request", payload, github, origin, head, run=101).code == 0
    assert "Numeric probe" not in github.ours(7)[0]


def test_a_pull_request_of_a_fork(act: Act, github: FakeGitHub, origin: GitRepo, models: list[bytes]) -> None:
    base, head = change(origin, {"models/m.onnx": models[2], ".gitops-model.toml": 'fail-on = "none"\n'})
    github.add_pull(7, head, head="fork:change")
    github.read_only = True
    run = act("pull_request", events.pull_request(base, head, source="fork/models"), github, origin, head, run=50)
    assert run.code == 0, run.log
    assert "model-review-comment.yml comments in its place" in run.summary
    assert github.ours(7) == []
    assert github.statuses == []

    github.read_only = False
    run = act("workflow_run", events.workflow_run(head, run=50), github, origin, "nothing", job="comment", run=51)
    assert run.code == 0, run.log
    (comment,) = github.ours(7)
    assert comment.startswith(f"<!-- gitops-model:models v1 sha={head} run=50.1 -->\n## 🟡 `models/m.onnx`: graph-only")
    assert "git fetch" not in run.log
    assert github.statuses == []


def test_a_forged_report_of_a_fork(act: Act, github: FakeGitHub, origin: GitRepo, models: list[bytes]) -> None:
    base, head = change(origin, {"models/m.onnx": models[2]})
    github.add_pull(7, head, head="fork:change")
    act("pull_request", events.pull_request(base, head, source="fork/models"), github, origin, head)
    github.comments[7].clear()
    path = act.artifacts / "model-review-models/report.json"
    honest = json.loads(path.read_text())
    path.write_text(json.dumps(honest | {"models": [honest["models"][0] | {"path": "x", "html": "<h1>"}]}))
    run = act("workflow_run", events.workflow_run(head, run=50), github, origin, "nothing", job="comment")
    assert run.code == 1
    assert "report.json is no report of a review" in run.summary
    path.write_text(json.dumps(honest | {"head": base}))
    run = act("workflow_run", events.workflow_run(head, run=50), github, origin, "nothing", job="comment")
    assert run.code == 1
    assert "the run before was on" in run.summary
    assert github.ours(7) == []


def test_no_model_touched(act: Act, github: FakeGitHub, origin: GitRepo) -> None:
    base, head = change(origin, {"src/main.py": "print()\n"})
    github.add_pull(7, head)
    run = act("pull_request", events.pull_request(base, head), github, origin, head)
    assert run.code == 0, run.log
    assert github.ours(7) == []
    assert github.statuses[0]["description"] == "no model changes"
    github.add_comment(7, f"<!-- gitops-model:models v1 sha={base} run=3.1 -->\nold news", BOT, bot=True)
    act("pull_request", events.pull_request(base, head), github, origin, head)
    (updated,) = github.ours(7)
    assert "## 🟢 No model changes" in updated


def test_a_merge_group(act: Act, github: FakeGitHub, origin: GitRepo, models: list[bytes]) -> None:
    base, head = change(origin, {"models/m.onnx": models[2]})
    run = act("merge_group", events.merge_group(base, head), github, origin, head)
    assert run.code == 0, run.log
    assert run.report()["verdict"]["bump"] == "minor"
    assert [(s["sha"], s["state"]) for s in github.statuses] == [(head, "success")]
    assert github.count("GET", "comments") == 0


def test_a_push_to_the_default_branch_records_notes(
    act: Act, github: FakeGitHub, origin: GitRepo, models: list[bytes]
) -> None:
    before = origin.git("rev-parse", "main")
    after = origin.commit("Better", {"models/m.onnx": models[2], "models/other.onnx": models[0]})
    run = act("push", events.push(before, after), github, origin, after, job="notes")
    assert run.code == 0, run.log
    notes = origin.git("notes", "--ref=gitops-model", "list").splitlines()
    assert {line.split()[1] for line in notes} == {
        origin.git("rev-parse", f"{after}:models/{name}.onnx") for name in ("m", "other")
    }
    tip = origin.git("rev-parse", "refs/notes/gitops-model")
    assert origin.git("rev-list", "--count", tip) == "1"
    assert github.comments == {}
    again = act("push", events.push(before, after), github, origin, after, job="notes")
    assert again.code == 0
    assert origin.git("rev-parse", "refs/notes/gitops-model") == tip


def test_models_in_lfs(
    act: Act, github: FakeGitHub, origin: GitRepo, models: list[bytes], require_tool: Callable[[str], Path]
) -> None:
    require_tool("git-lfs")
    origin.git("lfs", "install", "--local")
    origin.commit("LFS", {".gitattributes": "*.onnx filter=lfs diff=lfs merge=lfs -text\n"})
    origin.git("add", "--renormalize", ".")
    origin.commit("Renormalise")
    base, head = change(origin, {"models/m.onnx": models[2]})
    github.add_pull(7, head)
    payload = events.pull_request(base, head)
    run = act("pull_request", payload, github, origin, head, inputs={"lfs-fetch": "never"})
    assert run.code == 0, run.log  # a note, not an error: nobody asked for the content
    assert "GM003" in run.summary
    assert run.report()["verdict"] == {"kind": "unreadable", "bump": "major"}
    assert "git lfs pull --include=models/m.onnx" in run.summary
    run = act("pull_request", payload, github, origin, head, run=101)
    assert run.code == 0, run.log
    assert run.report()["verdict"] == {"kind": "graph-only", "bump": "minor"}
