"""Notes belong to blobs: whatever happens to commits, they stay."""

from collections.abc import Callable

import pytest
from support.gitrepo import GitRepo

from gitops_model.git.notes import REF, Notes
from gitops_model.git.repository import Repository

Open = Callable[..., Repository]
MakeRepo = Callable[..., GitRepo]


def amend(repo: GitRepo) -> None:
    repo.git("commit", "--quiet", "--amend", "-m", "Other words")


def rebase(repo: GitRepo) -> None:
    repo.git("checkout", "--quiet", "main")
    repo.commit("Main goes on", {"other": b"1"})
    repo.git("checkout", "--quiet", "topic")
    repo.git("rebase", "--quiet", "main")


def squash(repo: GitRepo) -> None:
    repo.commit("More", {"more": b"1"})
    repo.git("checkout", "--quiet", "main")
    repo.git("merge", "--quiet", "--squash", "topic")
    repo.git("commit", "--quiet", "-m", "Squashed")


def cherry_pick(repo: GitRepo) -> None:
    repo.git("checkout", "--quiet", "main")
    repo.git("cherry-pick", "topic")


def rename(repo: GitRepo) -> None:
    repo.git("mv", "m.onnx", "models.onnx")
    repo.git("commit", "--quiet", "-m", "Renamed")
    repo.git("mv", "models.onnx", "m.onnx")
    repo.git("commit", "--quiet", "-m", "And back")


def collect_garbage(repo: GitRepo) -> None:
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "--quiet", "--prune=now")


@pytest.mark.parametrize("change", [amend, rebase, squash, cherry_pick, rename, collect_garbage])
def test_the_note_stays(git_repo: MakeRepo, opened: Open, change: Callable[[GitRepo], None]) -> None:
    repo = git_repo(files={"base": b"1"})
    repo.git("checkout", "--quiet", "-b", "topic")
    repo.write("m.onnx", b"weights")
    repo.git("add", ".")
    blob = repo.git("rev-parse", ":m.onnx")
    Notes(opened(repo)).add({blob: ["line"]})  # before the commit exists, as in the hook
    repo.git("commit", "--quiet", "-m", "Add a model")
    change(repo)
    assert repo.git("rev-parse", "HEAD:m.onnx") == blob
    assert Notes(opened(repo)).lines(blob) == ["line"]
    assert repo.git("notes", "--ref", REF, "show", "HEAD:m.onnx") == "line"
