"""Repositories in the middle of a merge, without a work tree, and paths that a shell would take apart."""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo
from support.program import Program
from support.small_models import OTHER_SAFETENSORS, SAFETENSORS, manifest

Factory = Callable[..., GitRepo]
GOOD = {"w.safetensors": SAFETENSORS, "model.yaml": manifest(w_dot_safetensors=SAFETENSORS)}


@pytest.fixture
def conflict(git_repo: Factory) -> GitRepo:
    """A merge stopped: both sides changed the manifest's version, each to another."""
    repo = git_repo(files=GOOD)
    text = repo.path.joinpath("model.yaml").read_text()
    repo.git("switch", "--quiet", "--create", "side")
    repo.commit("Side", {"model.yaml": text.replace("version: ", "version: 1")})
    repo.git("switch", "--quiet", "main")
    repo.commit("Main", {"model.yaml": text.replace("version: ", "version: 2")})
    subprocess.run(["git", "merge", "--quiet", "side"], cwd=repo.path, capture_output=True, check=False)
    assert "<<<<<<<" in repo.path.joinpath("model.yaml").read_text()
    return repo


def test_a_manifest_in_conflict_is_checked_as_it_lies_there(conflict: GitRepo, cli: Program) -> None:
    findings = cli("check", "--format", "json", cwd=conflict.path, check=1).json()["findings"]
    assert [(finding["code"], finding["path"]) for finding in findings] == [("GM101", "model.yaml")]


def test_a_bare_repository_compares_its_commits(git_repo: Factory, cli: Program, tmp_path: Path) -> None:
    repo = git_repo(files=GOOD)
    repo.commit("Other", {"w.safetensors": OTHER_SAFETENSORS})
    bare = tmp_path / "bare.git"
    repo.git("clone", "--quiet", "--bare", ".", str(bare))
    assert bare.joinpath("HEAD").exists()  # git's own file, which is no model
    document = cli("diff", "--format", "json", "HEAD~", "HEAD", cwd=bare, check=0).json()
    assert document.get("files", [document])[0]["path"] == "w.safetensors"


def test_doctor_of_a_bare_repository_names_a_command_that_works_there(
    git_repo: Factory, cli: Program, tmp_path: Path
) -> None:
    repo = git_repo(files=GOOD)
    bare = tmp_path / "bare.git"
    repo.git("clone", "--quiet", "--bare", ".", str(bare))
    document = cli("doctor", "--format", "json", cwd=bare, check=0).json()
    fact = next(fact for fact in document["facts"] if fact["part"] == "notes refspec")
    assert fact["state"] == "optional"
    subprocess.run(shlex.split(fact["command"]), cwd=bare, check=True)
    again = cli("doctor", "--format", "json", cwd=bare, check=0).json()
    assert next(fact for fact in again["facts"] if fact["part"] == "notes refspec")["state"] == "ok"


@pytest.mark.parametrize("folder", ["plain", "a folder; with $(signs) and 'quotes'"])
def test_the_command_after_init_can_be_pasted(git_repo: Factory, cli: Program, folder: str) -> None:
    repo = git_repo(files={f"{folder}/w.safetensors": SAFETENSORS})
    said = cli("init", f"{folder}/w.safetensors", cwd=repo.path, check=0).stderr.decode()
    hint = next(line for line in said.splitlines() if "git add" in line).partition("hint: ")[2]
    subprocess.run(["sh", "-c", hint], cwd=repo.path, check=True)
    assert repo.git("diff", "--cached", "--name-only", "-z").rstrip("\0") == f"{folder}/model.yaml"


def test_the_command_for_an_unknown_path_is_right_below_the_top(git_repo: Factory, cli: Program) -> None:
    repo = git_repo(files={"sub dir/w.safetensors": SAFETENSORS})
    repo.write("sub dir/new one.safetensors", OTHER_SAFETENSORS)
    folder = repo.path / "sub dir"
    said = cli("record", "--rev", "HEAD", "new one.safetensors", cwd=folder, check=2).stderr.decode()
    hint = next(line for line in said.splitlines() if "git add" in line).partition("hint: ")[2]
    subprocess.run(["sh", "-c", hint], cwd=folder, check=True)
    assert repo.git("diff", "--cached", "--name-only") == "sub dir/new one.safetensors"
