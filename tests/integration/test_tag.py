"""`tag` as a user runs it: what it makes, what it refuses, what it believes."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from onnx import helper
from support.gitrepo import GitRepo
from support.onnx_models import model, value, weight
from support.program import Program, Result
from support.wheel import ROOT

TAG = "model/dense/v1.2.0-rc.1"


def dense(scale: float = 1.0) -> bytes:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["v"]), helper.make_node("Relu", ["v"], ["y"])]
    data = model(nodes, [value("x", ["n", 8])], [value("y", ["n", 8])], (weight("w", 8, 8),))
    return (
        data
        if scale == 1.0
        else model(nodes, [value("x", ["n", 8])], [value("y", ["n", 8])], (weight("w", 8, 8),), ir_version=9)
    )


def manifest(version: str, content: bytes, name: str = "dense") -> str:
    return f"""\
name: {name}
version: {version}
architecture: amd64
checksums:
  model.onnx: {{sha256: {hashlib.sha256(content).hexdigest()}}}
inputs:
  x: {{dtype: float32, shape: [n, 8]}}
outputs:
  y: {{dtype: float32, shape: [n, 8]}}
"""


def files(version: str, content: bytes) -> dict[str, str | bytes]:
    return {"m/model.onnx": content, "m/model.yaml": manifest(version, content)}


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    return git_repo(files={"README": "x", **files("1.2.0", dense())})


def tag(cli: Program, repo: GitRepo, *words: str, code: int = 0) -> Any:
    document = cli("tag", *words, "--format", "json", cwd=repo.path, check=code).json()
    schema = json.loads((ROOT / "gitops_model/render/tag.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    return document


def codes(document: Any, severity: str = "error") -> list[str]:
    return [finding["code"] for finding in document["findings"] if finding["severity"] == severity]


def test_a_candidate_is_an_annotated_tag_that_says_what_it_is(cli: Program, repo: GitRepo) -> None:
    made = tag(cli, repo, "dense", "1.2.0-rc.1")
    assert (made["state"], made["tag"], made["commit"]) == ("made", TAG, repo.git("rev-parse", "HEAD"))
    assert repo.git("cat-file", "-t", TAG) == "tag"
    rows = repo.git("for-each-ref", "--format=%(contents:trailers:key=Gitops-Model-File,valueonly)", f"refs/tags/{TAG}")
    (file,) = (json.loads(row) for row in rows.splitlines() if row)
    assert file["blob"] == repo.git("rev-parse", "HEAD:m/model.onnx")
    assert file["weights"] == cli("show", "m/model.onnx", "--format", "json", cwd=repo.path).json()["weights"]
    sha = hashlib.sha256((repo.path / "m/model.yaml").read_bytes()).hexdigest()
    assert made["manifest"] == {"path": "m/model.yaml", "sha256": sha}
    verified = tag(cli, repo, "--verify", TAG, "--commit", made["commit"], "--was", "0" * 40)
    assert (verified["state"], verified["files"]) == ("verified", made["files"])


def test_the_same_again_changes_nothing(cli: Program, repo: GitRepo) -> None:
    tag(cli, repo, "dense", "v1.2.0-rc.1")
    before = repo.git("rev-parse", TAG)
    assert tag(cli, repo, "dense", "1.2.0-rc.1")["state"] == "there"
    assert repo.git("rev-parse", TAG) == before
    assert tag(cli, repo, "dense", "1.2.0-rc.2", "--dry-run")["state"] == "would"
    assert repo.git("tag", "--list") == TAG


def test_it_works_from_a_folder_and_on_another_commit(cli: Program, repo: GitRepo) -> None:
    first = repo.git("rev-parse", "HEAD")
    repo.commit("Other", {"README": "y"})
    made = cli("tag", "dense", "1.2.0-rc.1", "--rev", "HEAD~1", "--format", "json", cwd=repo.path / "m", check=0).json()
    assert made["commit"] == first


# --- refusals ------------------------------------------------------------------------------------------------------
def refused(cli: Program, repo: GitRepo, *words: str) -> list[str]:
    before = repo.git("tag", "--list")
    document = tag(cli, repo, *words, code=1)
    assert document["state"] == "refused"
    assert repo.git("tag", "--list") == before
    return codes(document)


def test_a_dirty_tree(cli: Program, repo: GitRepo) -> None:
    repo.write("untracked", "x")
    repo.write("README", "changed")
    assert refused(cli, repo, "dense", "1.2.0-rc.1") == ["GM503"]
    repo.git("add", "README")
    assert refused(cli, repo, "dense", "1.2.0-rc.1") == ["GM503"]


@pytest.mark.parametrize("there", ["model/dense/v1.2.0", "model/dense/v2.0.0-rc.1", "dense@v1.3.0", "dense-v1.2.0"])
def test_a_version_that_is_not_newer(cli: Program, repo: GitRepo, there: str) -> None:
    repo.git("tag", "-a", "-m", "x", there)
    assert refused(cli, repo, "dense", "1.2.0-rc.3") == ["GM501"]


@pytest.mark.parametrize(
    "there", ["model/other/v9.0.0", "model/dense/v1.1.9", "dense#prod#1", "other@v9.0.0", "v9.0.0"]
)
def test_other_tags_do_not_count(cli: Program, repo: GitRepo, there: str) -> None:
    repo.git("tag", "-a", "-m", "x", there)
    tag(cli, repo, "dense", "1.2.0-rc.3")


def test_a_tag_on_another_commit(cli: Program, repo: GitRepo) -> None:
    tag(cli, repo, "dense", "1.2.0-rc.1")
    repo.commit("Other", {"README": "y"})
    assert refused(cli, repo, "dense", "1.2.0-rc.1") == ["GM502"]


def test_a_tag_where_a_folder_must_be(cli: Program, repo: GitRepo) -> None:
    repo.git("tag", "model/dense")
    assert refused(cli, repo, "dense", "1.2.0-rc.1") == ["GM507"]


def test_a_manifest_of_another_version_or_with_errors(cli: Program, repo: GitRepo) -> None:
    assert refused(cli, repo, "dense", "1.3.0-rc.1") == ["GM506"]
    repo.commit("Break", {"m/model.onnx": dense(2.0)})
    assert refused(cli, repo, "dense", "1.2.0-rc.1") == ["GM201"]
    repo.commit("Break more", {"m/model.yaml": manifest("1.2.0", dense()) + "extra: 1\n"})
    assert "GM103" in cli("tag", "dense", "1.2.0-rc.1", cwd=repo.path, check=1).err


@pytest.mark.parametrize(
    "words, said",
    [
        (("dense",), "a model and a version"),
        (("nobody", "1.0.0"), "no manifest"),
        (("dense", "1.2"), "no version"),
        (("dense", "1.2.0-beta.1"), "no version"),
        (("a/b", "1.2.0"), "no name"),
        (("dense", "1.2.0", "--rev", "nowhere"), "no commit"),
        (("--verify", TAG), "there is no tag"),
    ],
)
def test_what_cannot_be_done(cli: Program, repo: GitRepo, words: tuple[str, ...], said: str) -> None:
    result: Result = cli("tag", *words, cwd=repo.path, check=2)
    assert said in result.err


# --- finals --------------------------------------------------------------------------------------------------------
def test_a_release_has_the_files_of_its_candidate_on_any_commit(cli: Program, repo: GitRepo) -> None:
    tag(cli, repo, "dense", "1.2.0-rc.1")
    repo.git("checkout", "-q", "--orphan", "merged")
    repo.commit("Squashed", {"README": "merged"})
    assert tag(cli, repo, "dense", "1.2.0")["state"] == "made"
    assert tag(cli, repo, "--verify", "refs/tags/model/dense/v1.2.0")["state"] == "verified"


def test_a_release_with_other_files_is_refused(cli: Program, repo: GitRepo) -> None:
    tag(cli, repo, "dense", "1.2.0-rc.1")
    repo.commit("Retrain", files("1.2.0", dense(2.0)))
    assert refused(cli, repo, "dense", "1.2.0") == ["GM504"]
    tag(cli, repo, "dense", "1.2.0-rc.2")
    tag(cli, repo, "dense", "1.2.0")


def test_a_release_without_a_candidate_is_warned_of_and_not_believed(cli: Program, repo: GitRepo) -> None:
    assert codes(tag(cli, repo, "dense", "1.2.0"), "warning") == ["GM505"]
    assert codes(tag(cli, repo, "--verify", "model/dense/v1.2.0", code=1)) == ["GM505"]


def test_a_fix_of_an_older_line(cli: Program, repo: GitRepo) -> None:
    tag(cli, repo, "dense", "1.2.0")
    repo.commit("Next", files("1.3.0", dense(2.0)))
    tag(cli, repo, "dense", "1.3.0")
    repo.git("checkout", "-q", "HEAD~1")
    repo.commit("Fix", files("1.2.1", dense(2.0)))
    assert refused(cli, repo, "dense", "1.2.1") == ["GM501"]
    tag(cli, repo, "dense", "1.2.1", "--maintenance")


# --- tags that lie -------------------------------------------------------------------------------------------------
def test_a_tag_that_was_moved_is_not_believed(cli: Program, repo: GitRepo) -> None:
    made = tag(cli, repo, "dense", "1.2.0-rc.1")
    message = repo.git("for-each-ref", "--format=%(contents)", f"refs/tags/{TAG}")
    repo.commit("Retrain", files("1.2.0", dense(2.0)))
    repo.git("tag", "-f", "-a", "--cleanup=verbatim", "-m", message, TAG)
    assert codes(tag(cli, repo, "--verify", TAG, "--commit", made["commit"], code=1)) == ["GM502"] * 3
    assert codes(tag(cli, repo, "--verify", TAG, "--was", "1" * 40, code=1))[0] == "GM502"


def test_a_plain_tag_is_not_believed(cli: Program, repo: GitRepo) -> None:
    repo.git("tag", TAG)
    assert codes(tag(cli, repo, "--verify", TAG, code=1)) == ["GM508"]
    repo.git("tag", "-f", "-a", "-m", "words", TAG)
    assert codes(tag(cli, repo, "--verify", TAG, code=1)) == ["GM508"]


@pytest.mark.parametrize("text", ["model/dense/v1.2.0-beta.1", "x\ny=z", "$(id)", "dense@v1.2.0", "", "--help"])
def test_the_text_of_a_tag_is_hostile(cli: Program, repo: GitRepo, text: str) -> None:
    result = cli("tag", f"--verify={text}", "--format", "outputs", cwd=repo.path, check=1)
    assert "GM507" in result.err
    assert result.out == "state=disbelieved\ntag=\nname=\nrelease=\ncommit=\nmanifest=\ncandidate=false\n"


def test_outputs_are_lines(cli: Program, repo: GitRepo, tmp_path: Path) -> None:
    made = tag(cli, repo, "dense", "1.2.0-rc.1")
    cli("tag", "--verify", TAG, "--format", "outputs", "--output", tmp_path / "out", cwd=repo.path, check=0)
    assert dict(line.split("=") for line in (tmp_path / "out").read_text().splitlines()) == {
        "state": "verified",
        "tag": TAG,
        "name": "dense",
        "release": "1.2.0-rc.1",
        "commit": made["commit"],
        "manifest": "m/model.yaml",
        "candidate": "true",
    }


def test_the_list_reads_every_scheme(cli: Program, repo: GitRepo) -> None:
    tag(cli, repo, "dense", "1.2.0-rc.1")
    for name in ("dense@v1.0.0", "dense#prod#1", "dense-v1.1.0", "other@v1.0.0", "unrelated"):
        repo.git("tag", name)
    rows = cli("tag", "--list", "dense", "--format", "json", cwd=repo.path, check=0).json()["tags"]
    assert [row["tag"] for row in rows] == ["dense#prod#1", "dense@v1.0.0", "dense-v1.1.0", TAG]
    assert cli("tag", "--list", cwd=repo.path, check=0).out.count("\n") == 5
