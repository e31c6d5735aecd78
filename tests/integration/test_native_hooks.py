"""Commits and pushes under git's own hooks, as `init --hooks` installs them: what is refused, and what passes."""

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo
from support.manifests import SWIFT, SWIFT_NEXT, add_swift, swift_manifest
from support.program import Program

ModelFile = Callable[[str, str], Path]


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


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo], cli: Program) -> GitRepo:
    made = git_repo(files={"README": "models"})
    cli("init", "--hooks", cwd=made.path, check=0)
    made.commit("Show models")
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
    assert attempt(with_model, "push", "--quiet", "origin", "main") == (0, "")
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
