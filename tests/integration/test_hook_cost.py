"""What a hook costs: processes and imports are counted, since seconds depend on the machine."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo
from support.manifests import SWIFT, add_swift
from support.program import Program

ModelFile = Callable[[str, str], Path]
Factory = Callable[..., GitRepo]

QUIET = {"gitops_model", "gitops_model.hooks", "gitops_model.hooks.program", "gitops_model.hooks.touched"}


class CountingGit:
    """A git to put first on PATH; it keeps a list of its command lines."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        real = subprocess.check_output(["which", "git"], text=True).strip()
        self.log = folder / "log"
        script = folder / "git"
        script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> "{self.log}"\nexec {real} "$@"\n')
        script.chmod(0o755)
        self.environ = {"PATH": f"{folder}:{os.environ['PATH']}"}

    def count(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


@pytest.fixture
def with_model(git_repo: Factory, model_file: ModelFile) -> GitRepo:
    repo = git_repo(files={"README": "x"})
    add_swift(repo, model_file(*SWIFT))
    repo.commit("Add a model")
    return repo


def loaded(site: Path, repo: GitRepo, *words: str) -> set[str]:
    """The modules that one run of the hook has imported at its end."""
    code = f"""
import sys
before = set(sys.modules)
sys.path[:0] = {[str(site), *sys.path]!r}
from gitops_model.hooks import main
main({list(words)!r})
sys.stderr.write("\\n".join(set(sys.modules) - before))
"""
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, cwd=repo.path, capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines())


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({}, id="nothing staged"),
        pytest.param({"README": "new", "src/a.py": "x", "spaced name.md": "x", "-dash": "x"}, id="other files"),
    ],
)
def test_a_commit_without_models_is_cheap(
    with_model: GitRepo, hook: Program, site: Path, tmp_path: Path, files: dict[str, str]
) -> None:
    """One git process says what is staged, another whether a manifest lists any of it; no module of the program."""
    for name, content in files.items():
        with_model.write(name, content)
    with_model.git("add", "--all")
    git = CountingGit(tmp_path / "counting")
    for name in ("model-manifest", "pre-commit"):
        before = git.count()
        result = hook(name, cwd=with_model.path, env=git.environ, check=0)
        assert (result.out, result.err) == ("", "")
        assert git.count() - before == 1 + bool(files)
        own = {module for module in loaded(site, with_model, name) if module.startswith("gitops_model")}
        assert own - QUIET == {"gitops_model.hooks.suffixes", f"gitops_model.hooks.{name.replace('-', '_')}"}


def test_the_quick_way_imports_next_to_nothing(git_repo: Factory, site: Path) -> None:
    repo = git_repo(files={"README": "x"})
    repo.write("README", "y")
    repo.git("add", "--all")
    others = {name for name in loaded(site, repo, "model-manifest") if not name.startswith("gitops_model")}
    assert not others & {"argparse", "dataclasses", "inspect", "re", "subprocess", "typing", "json", "enum", "pathlib"}


def test_a_manifest_loads_no_more_than_it_needs(git_repo: Factory, site: Path, model_file: ModelFile) -> None:
    repo = git_repo(files={"README": "x"})
    add_swift(repo, model_file(*SWIFT))
    modules = loaded(site, repo, "model-manifest")
    assert {"yaml", "jsonschema"} <= modules
    heavy = {"argparse", "pygit2", "onnx", "numpy", "subprocess", "asyncio", "gitops_model.cli.check"}
    assert modules & heavy == set()


@pytest.mark.parametrize("files, rc", [({"README": "x"}, 0), ({"m.onnx": "<html>"}, 1)], ids=["nothing", "a bad model"])
def test_the_first_commit_of_all(git_repo: Factory, hook: Program, files: dict[str, str], rc: int) -> None:
    repo = git_repo()
    for name, content in files.items():
        repo.write(name, content)
    repo.git("add", "--all")
    hook("model-manifest", cwd=repo.path, check=rc)


def test_the_users_diff_settings_do_not_matter(git_repo: Factory, hook: Program) -> None:
    repo = git_repo(files={"README": "x"})
    settings = {"diff.relative": "true", "diff.noprefix": "true", "color.ui": "always", "diff.external": "false"}
    settings |= {"diff.orderFile": "nowhere", "diff.renames": "copies", "core.quotePath": "true"}
    for key, value in settings.items():
        repo.git("config", key, value)
    repo.write("sub/é.onnx", "<html>")
    repo.git("add", "--all")
    assert "GM004" in hook("model-manifest", cwd=repo.path / "sub", check=1).out


def test_outside_a_repository(hook: Program, tmp_path: Path) -> None:
    result = hook("model-manifest", cwd=tmp_path, check=2)
    assert "Traceback" not in result.err


def test_without_git(hook: Program, tmp_path: Path) -> None:
    result = hook("model-manifest", cwd=tmp_path, env={"PATH": str(tmp_path)}, check=2)
    assert "git cannot be started" in result.err


def test_an_unknown_hook_says_which_there_are(hook: Program) -> None:
    assert "model-manifest|model-check" in hook("model", check=2).err
    assert hook(check=2).out == ""


@pytest.mark.parametrize("name", ["model-check", "model-record"])
def test_no_files_is_nothing_to_do(hook: Program, tmp_path: Path, name: str) -> None:
    assert hook(name, cwd=tmp_path, check=0).err == ""


def test_notes_are_not_pushed_by_their_own_push(git_repo: Factory, hook: Program) -> None:
    repo = git_repo(files={"README": "x"})
    repo.git("notes", "--ref", "gitops-model", "add", "-m", "{}", repo.git("rev-parse", "HEAD:README"))
    repo.git("remote", "add", "origin", "../nowhere")
    oid = repo.git("rev-parse", "refs/notes/gitops-model")
    line = f"refs/notes/gitops-model {oid} refs/notes/gitops-model {'0' * 40}\n".encode()
    words = ("model-notes-push", "origin", "../nowhere")
    assert hook(*words, cwd=repo.path, stdin=line, check=0).err == ""
    assert hook(*words, cwd=repo.path, env={"GITOPS_MODEL_SYNC": "1"}, check=0).err == ""
    pre_commit = {"PRE_COMMIT": "1", "PRE_COMMIT_REMOTE_NAME": "origin", "PRE_COMMIT_REMOTE_BRANCH": "refs/notes/x"}
    assert hook("model-notes-push", cwd=repo.path, env=pre_commit, check=0).err == ""
    said = hook(*words, cwd=repo.path, stdin=line.replace(b"refs/notes/", b"refs/heads/"), check=0).err
    assert said.startswith("gitops-model: warning: ")
    assert said.count("\n") == 1
