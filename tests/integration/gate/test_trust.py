"""What a merge queue believes, and what the report on a runner's verdict says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.fake_github import FakeGitHub
from support.gitrepo import GitRepo
from support.machines import MACHINE, RELEASE
from support.program import Program

from gitops_model.pipeline.gpu.report import outcome_of, read

CONTEXT = "gitops-model/gpu"
MANIFEST = "name: a\nversion: 1.0.0\narchitecture: amd64\nchecksums:\n  w.npy: {{sha256: {}}}\n"


def files(content: bytes) -> dict[str, str | bytes]:
    import hashlib

    return {"m/w.npy": content, "m/model.yaml": MANIFEST.format(hashlib.sha256(content).hexdigest())}


def npy(number: int) -> bytes:
    import io

    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.full(3, number, dtype=np.int64))
    return stream.getvalue()


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo], cli: Program) -> GitRepo:
    made = git_repo(files={"README": "x"})
    made.commit("Add", files(npy(1)))
    cli("tag", "a", "1.0.0-rc.1", cwd=made.path, check=0)
    return made


@pytest.fixture
def trust(cli: Program, repo: GitRepo, github: FakeGitHub) -> Callable[..., tuple[int, str]]:
    env = {"GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": github.repository, "GITHUB_TOKEN": github.token}

    def run(*words: str) -> tuple[int, str]:
        result = cli("gpu", "trust", *words, cwd=repo.path, env=env)
        return result.code, result.out + result.err

    return run


def test_only_the_newest_status_of_the_expected_source_counts(
    trust: Callable[..., tuple[int, str]], repo: GitRepo, github: FakeGitHub
) -> None:
    sha = repo.git("rev-parse", "HEAD")
    assert trust()[0] == 1
    github.add_status(sha, "success", CONTEXT, creator="mallory")
    github.add_status(sha, "success", "gitops-model/other")
    assert trust()[0] == 1, "anybody with push rights can set a status of that name"
    github.add_status(sha, "success", CONTEXT)
    assert trust() == (0, trust()[1])
    assert "a: passed as model/a/v1.0.0-rc.1" in trust()[1]
    github.add_status(sha, "failure", CONTEXT, creator="mallory")
    assert trust()[0] == 0
    assert trust("--source", "mallory")[0] == 1
    github.add_status(sha, "failure", CONTEXT)
    assert trust()[0] == 1


def test_blob_ids_are_recomputed(trust: Callable[..., tuple[int, str]], repo: GitRepo, github: FakeGitHub) -> None:
    github.add_status(repo.git("rev-parse", "HEAD"), "success", CONTEXT)
    repo.commit("Elsewhere", {"README": "y"})
    assert trust("--publish")[0] == 0, "the commit is another one, the files are the same"
    assert github.statuses[-1]["sha"] == repo.git("rev-parse", "HEAD")
    repo.commit("Retrain", files(npy(2)))
    code, said = trust("--publish")
    assert (code, "GM510" in said) == (1, True)
    assert github.statuses[-1]["state"] == "failure"
    assert trust("--base", "HEAD")[0] == 0, "what is the same as before needs nothing"
    assert trust("--base", "HEAD~1")[0] == 1


def test_a_tag_that_is_no_candidate_is_no_passing(
    trust: Callable[..., tuple[int, str]], repo: GitRepo, github: FakeGitHub
) -> None:
    github.add_status(repo.git("rev-parse", "HEAD"), "success", CONTEXT)
    message = repo.git("for-each-ref", "--format=%(contents)", "refs/tags/model/a/v1.0.0-rc.1")
    repo.git("tag", "-d", "model/a/v1.0.0-rc.1")
    for name in ("model/a/v1.0.0-rc.1", "a@v1.0.0-rc.1", "model/b/v1.0.0-rc.1"):
        repo.git("tag", name)
    assert trust()[0] == 1, "no annotated tag"
    repo.git("tag", "-a", "-m", message, "model/a/v1.0.0")
    assert trust()[0] == 1, "a final tag was not checked"


def test_a_manifest_that_cannot_be_read_does_not_pass(
    trust: Callable[..., tuple[int, str]], repo: GitRepo, github: FakeGitHub
) -> None:
    github.add_status(repo.git("rev-parse", "HEAD"), "success", CONTEXT)
    repo.commit("Break", {"m/model.yaml": "name: ["})
    assert trust("--base", "HEAD~1")[0] == 1
    assert trust("--model", "a")[0] == 2
    assert trust("--head", "HEAD~1", "--model", "a")[0] == 0
    assert trust("--head", "HEAD~1", "--model", "${{ x }}")[0] == 2


def test_outside_a_job_nobody_is_asked(cli: Program, repo: GitRepo) -> None:
    assert "for jobs" in cli("gpu", "trust", cwd=repo.path, check=2).err


# --- the report ----------------------------------------------------------------------------------------------------
@pytest.fixture
def verdict(cli: Program, tmp_path: Path) -> Callable[..., str]:
    def make(**changes: Any) -> str:
        (tmp_path / "needs.json").write_text(json.dumps({**RELEASE, **changes}))
        (tmp_path / "node.json").write_text(json.dumps(MACHINE))
        words = ("--requirements", "needs.json", "--target", "node.json", "--format", "json", "--output", "v.json")
        cli("gpu", "check", *words, cwd=tmp_path)
        return str(tmp_path / "v.json")

    return make


def test_how_a_check_ended(verdict: Callable[..., str]) -> None:
    tag = "model/a/v1.0.0-rc.1"
    assert outcome_of(tag, "success", None, None).state == "pending"
    good = verdict()
    assert outcome_of(tag, "success", "success", good).state == "success"
    assert outcome_of(tag, "failure", "skipped", good).state == "error"
    assert outcome_of(tag, "success", "failure", good).state == "error", "the job failed after its verdict"
    assert outcome_of(tag, "success", "cancelled", None).state == "error"
    assert outcome_of(tag, "success", "success", None).state == "error", "success without a verdict is none"
    assert outcome_of(tag, "success", "skipped", "nowhere.json").state == "error"
    bad = outcome_of(tag, "success", "failure", verdict(memory_mib=90000))
    assert (bad.state, "GM418" in bad.summary) == ("failure", True)
    assert outcome_of(tag, "success", "failure", verdict(memory_mib=None)).state == "failure", "unknown is no pass"


def test_a_verdict_that_contradicts_itself_is_none(verdict: Callable[..., str], tmp_path: Path) -> None:
    path = verdict(memory_mib=90000)
    document = json.loads(Path(path).read_text())
    assert read(path) is not None
    for change in (
        {"verdict": "allow"},
        {"targets": []},
        {"extra": 1},
        {"verdict": "fine"},
        {"smoke": [{"verdict": "allow"}]},
    ):
        Path(path).write_text(json.dumps(document | change))
        assert read(path) is None, change
    for text in ("", "[" * 100_000, "null", "\xff"):
        Path(path).write_text(text)
        assert read(path) is None
    assert read(str(tmp_path)) is None


def test_text_of_the_runner_is_inert(verdict: Callable[..., str]) -> None:
    path = verdict(memory_mib=90000)
    document = json.loads(Path(path).read_text())
    evil = "@team <!-- x --> | [a](b) \n::error::x ##[y]"
    document["targets"][0]["target"] = evil
    for reason in (*document["reasons"], *document["targets"][0]["reasons"]):
        reason |= {"message": evil, "fix": evil, "error": evil}
    Path(path).write_text(json.dumps(document))
    summary = outcome_of("model/a/v1.0.0-rc.1", "success", "failure", path).summary
    assert not [word for word in ("@team", "<!--", "](b)", "\n::") if word in summary]
