"""Commits and pushes, once under git's own hooks and once under the pre-commit framework: what is refused, what passes.

The framework is the real one. It builds its environment from a clone of this tree, once for all tests.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import gitrepo
from support.gitrepo import GitRepo
from support.manifests import SWIFT, SWIFT_NEXT, add_swift, swift_manifest
from support.program import Program
from support.wheel import ROOT, tracked_files

ModelFile = Callable[[str, str], Path]
CONFIG = """\
default_install_hook_types: [pre-commit, pre-push]
repos:
- repo: {repo}
  rev: {rev}
  hooks:
  - id: model-manifest
  - id: model-check
  - id: model-record
  - id: model-notes-push
"""


def attempt(repo: GitRepo, *words: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    """(exit code, everything that git and the hooks said)"""
    done = subprocess.run(
        ["git", *words],
        cwd=repo.path,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=os.environ | (env or {}),
    )
    return done.returncode, done.stdout + done.stderr


def pre_commit(*words: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pre_commit", *words]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="session")
def hooks_repo(shared_folder: Path) -> GitRepo:
    """This tree as a repository that the framework can clone."""
    path = shared_folder / "hooks"
    shared_folder.mkdir(parents=True, exist_ok=True)
    with (shared_folder / "hooks.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            repo = gitrepo.init(shared_folder / "hooks.draft")
            for name in tracked_files():
                target = repo.path / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target)
            repo.commit("The tree")
            repo.path.rename(path)
    return GitRepo(path)


@pytest.fixture
def framework(shared_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The framework's store: its environment is built by the first test and lives as long as the run."""
    monkeypatch.setenv("PRE_COMMIT_HOME", str(shared_folder / "pre-commit"))


@pytest.fixture(params=["native", "framework"])
def repo(request: pytest.FixtureRequest, git_repo: Callable[..., GitRepo], cli: Program) -> GitRepo:
    """A repository that is set up, one way or the other."""
    made = git_repo(files={"README": "models"})
    if request.param == "native":
        cli("init", "--hooks", cwd=made.path, check=0)
        made.commit("Show models")
    else:
        request.getfixturevalue("framework")
        hooks: GitRepo = request.getfixturevalue("hooks_repo")
        made.write(".pre-commit-config.yaml", CONFIG.format(repo=hooks.path, rev=hooks.git("rev-parse", "HEAD")))
        made.commit("Use the framework")
        pre_commit("install", "--install-hooks", cwd=made.path)
    return made


@pytest.fixture
def with_model(repo: GitRepo, model_file: ModelFile) -> GitRepo:
    add_swift(repo, model_file(*SWIFT))
    assert attempt(repo, "commit", "-m", "Add a model")[0] == 0
    return repo


def note(repo: GitRepo, path: str = "models/swift.onnx", revision: str = "HEAD") -> str:
    return repo.git("notes", "--ref", "gitops-model", "show", repo.git("rev-parse", f"{revision}:{path}"))


def test_a_right_model_passes_and_its_note_is_on_the_blob(with_model: GitRepo) -> None:
    assert '"weights":"gm1-weights:' in note(with_model)


def test_a_wrong_checksum_is_refused_and_the_fix_mends_it(
    with_model: GitRepo, model_file: ModelFile, cli: Program
) -> None:
    with_model.write("models/swift.onnx", model_file(*SWIFT_NEXT).read_bytes())
    with_model.git("add", "--all")
    code, said = attempt(with_model, "commit", "-m", "Forget the manifest")
    assert code == 1
    assert "models/model.yaml:6:24: error GM201" in said
    assert "fix:      gitops-model check --fix models/model.yaml" in said
    cli("check", "--fix", "models/model.yaml", cwd=with_model.path, check=0)
    with_model.git("add", "--all")
    assert attempt(with_model, "commit", "-m", "With the manifest")[0] == 0
    assert "# kept by hand" in (with_model.path / "models/model.yaml").read_text()


def test_deleting_a_listed_file_is_refused(with_model: GitRepo) -> None:
    with_model.git("rm", "--quiet", "models/swift.onnx")
    code, said = attempt(with_model, "commit", "-m", "Delete the model only")
    assert code == 1
    assert "GM111" in said
    with_model.git("rm", "--quiet", "models/model.yaml")
    assert attempt(with_model, "commit", "-m", "Delete both")[0] == 0


def test_renaming_a_listed_file_is_refused(with_model: GitRepo) -> None:
    with_model.git("mv", "models/swift.onnx", "models/fast.onnx")
    code, said = attempt(with_model, "commit", "-m", "Rename the model only")
    assert code == 1
    assert "GM111" in said
    assert "GM112" in said


@pytest.mark.parametrize("with_manifest", [False, True], ids=["alone", "under a manifest"])
def test_a_model_by_symlink_is_refused(repo: GitRepo, model_file: ModelFile, with_manifest: bool) -> None:
    source = model_file(*SWIFT)
    (repo.path / "models").mkdir()
    (repo.path / "models/swift.onnx").symlink_to(source)
    if with_manifest:
        repo.write("models/model.yaml", swift_manifest(source.read_bytes()))
    repo.git("add", "--all")
    code, said = attempt(repo, "commit", "-m", "Link a model")
    assert code == 1
    assert "GM116" in said
    assert "fix:" in said
    (repo.path / "models/swift.onnx").unlink()
    repo.write("models/swift.onnx", source.read_bytes())
    repo.git("add", "--all")
    assert attempt(repo, "commit", "-m", "Copy a model")[0] == 0


def test_a_listed_file_of_any_name_counts(with_model: GitRepo) -> None:
    """A manifest lists a file whose ending says nothing; the commit that changes only that file is checked."""
    manifest = (with_model.path / "models/model.yaml").read_text()
    words = b"one two\n"
    with_model.write("models/vocabulary.txt", words)
    digest = hashlib.sha256(words).hexdigest()
    listed = manifest.replace("inputs:", f"  vocabulary.txt: {{sha256: {digest}}}\ninputs:")
    with_model.write("models/model.yaml", listed)
    with_model.git("add", "--all")
    assert attempt(with_model, "commit", "-m", "Add a vocabulary")[0] == 0
    with_model.write("models/vocabulary.txt", "three\n")
    with_model.git("add", "--all")
    code, said = attempt(with_model, "commit", "-m", "Change it")
    assert code == 1
    assert "GM201" in said


def test_the_index_counts_and_not_the_work_tree(with_model: GitRepo, model_file: ModelFile) -> None:
    with_model.write("models/swift.onnx", model_file(*SWIFT_NEXT).read_bytes())
    with_model.write("notes.txt", "something else")
    with_model.git("add", "notes.txt")
    assert attempt(with_model, "commit", "-m", "Only the text")[0] == 0
    code, said = attempt(with_model, "commit", "-am", "Everything")
    assert code == 1
    assert "GM201" in said


@pytest.mark.parametrize("how", ["amend", "rebase", "squash"])
def test_the_note_outlives_rewritten_commits(with_model: GitRepo, how: str) -> None:
    before = note(with_model)
    if how == "amend":
        with_model.git("commit", "--quiet", "--amend", "-m", "Other words")
    elif how == "rebase":
        with_model.git("switch", "--quiet", "-c", "topic", "HEAD~1")
        with_model.commit("Something else", {"other": "x"})
        with_model.git("rebase", "--quiet", "topic", "main")
    else:
        with_model.git("switch", "--quiet", "-c", "topic", "HEAD~1")
        with_model.git("merge", "--quiet", "--squash", "main")
        with_model.git("commit", "--quiet", "-m", "Squashed")
    assert note(with_model) == before


def test_a_push_carries_the_notes(with_model: GitRepo, git_repo: Callable[..., GitRepo], cli: Program) -> None:
    remote = git_repo("remote", bare=True)
    with_model.git("remote", "add", "origin", str(remote.path))
    assert attempt(with_model, "push", "--quiet", "origin", "main")[0] == 0
    assert note(remote, revision="main") == note(with_model)
    other = git_repo("other")
    other.git("remote", "add", "origin", str(remote.path))
    cli("init", "--hooks", cwd=other.path, check=0)
    other.git("fetch", "--quiet", "origin")
    cli("notes", "sync", cwd=other.path, check=0)
    assert note(other, revision="origin/main") == note(with_model)


def test_a_remote_that_takes_no_notes_costs_one_warning(with_model: GitRepo, git_repo: Callable[..., GitRepo]) -> None:
    remote = git_repo("remote", bare=True)
    refuse = remote.write("hooks/update", '#!/bin/sh\ncase "$1" in refs/notes/*) exit 1;; esac\n')
    refuse.chmod(0o755)
    with_model.git("remote", "add", "origin", str(remote.path))
    code, said = attempt(with_model, "push", "--quiet", "origin", "main")
    assert code == 0
    assert [line for line in said.splitlines() if "gitops-model" in line and "warning" in line]
    assert remote.git("rev-parse", "main") == with_model.git("rev-parse", "HEAD")


# --- the framework alone ----------------------------------------------------------------------------------------------
def test_try_repo(git_repo: Callable[..., GitRepo], hooks_repo: GitRepo, model_file: ModelFile) -> None:
    """What somebody does who looks at the hooks for the first time: everything is checked, nothing installed."""
    repo = git_repo(files={"README": "models"})
    add_swift(repo, model_file(*SWIFT))
    repo.write("models/other.onnx", b"<html>")
    repo.git("add", "--all")
    done = pre_commit("try-repo", str(hooks_repo.path), "--all-files", cwd=repo.path, check=False)
    assert done.returncode == 1
    for title in ("Check model manifests", "Check model files", "Record model digests in git notes"):
        assert title in done.stdout
    assert "models/other.onnx: error GM004" in done.stdout
    assert "GM112" in done.stdout


@pytest.mark.usefixtures("framework")
@pytest.mark.parametrize("repo", ["framework"], indirect=True)
def test_all_files_by_hand_checks_every_manifest(with_model: GitRepo, model_file: ModelFile) -> None:
    """As in CI: nothing is staged, and everything is looked at."""
    assert pre_commit("run", "--all-files", cwd=with_model.path).returncode == 0
    with_model.write("models/swift.onnx", model_file(*SWIFT_NEXT).read_bytes())
    with_model.git("commit", "--quiet", "--no-verify", "-am", "Past the hooks")
    done = pre_commit("run", "--all-files", cwd=with_model.path, check=False)
    assert done.returncode == 1
    assert "GM201" in done.stdout


def test_the_hooks_manifest_is_valid(hooks_repo: GitRepo) -> None:
    pre_commit("validate-manifest", ".pre-commit-hooks.yaml", cwd=hooks_repo.path)
