"""Under Git LFS: content where it already is, nothing downloaded unless asked. With the real git-lfs, and no server."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo

from gitops_model.blob import Pointer
from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.git import repository as _repository
from gitops_model.git.entries import INDEX, WORKTREE
from gitops_model.git.repository import Repository

Open = Callable[..., Repository]
MakeRepo = Callable[..., GitRepo]

CONTENT = bytes(range(256)) * 16
POINTER = Pointer("lfs", "sha256", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
PLACES = ["HEAD", INDEX, WORKTREE]


@pytest.fixture
def repo(git_repo: MakeRepo, require_tool: Callable[[str], Path]) -> GitRepo:
    """m.onnx is an LFS file, and everything about it is here."""
    require_tool("git-lfs")
    repo = git_repo()
    repo.git("lfs", "install", "--local")
    repo.commit("First", {".gitattributes": "*.onnx filter=lfs diff=lfs merge=lfs -text\n", "m.onnx": CONTENT})
    assert repo.git("cat-file", "-s", "HEAD:m.onnx") == "129"
    return repo


def objects(repo: GitRepo) -> Path:
    return repo.path / ".git/lfs/objects"


def forget_content(repo: GitRepo) -> None:
    """As after `GIT_LFS_SKIP_SMUDGE=1 git clone`."""
    for path in objects(repo).rglob("*"):
        if path.is_file():
            path.unlink()
    (repo.path / "m.onnx").unlink()
    os.environ["GIT_LFS_SKIP_SMUDGE"] = "1"
    try:
        repo.git("checkout", "m.onnx")
    finally:
        del os.environ["GIT_LFS_SKIP_SMUDGE"]
    assert (repo.path / "m.onnx").stat().st_size == 129


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_content_comes_from_the_local_store(repo: GitRepo, opened: Open, place: object) -> None:
    (repo.path / "m.onnx").unlink() if place is not WORKTREE else None
    repository = opened(repo)
    entry = repository.entry(place, "m.onnx")
    assert entry is not None
    with repository.blob(entry, place) as blob:
        assert blob.head(9999) == CONTENT
        assert blob.content_is_local
        assert blob.oid == repo.git("rev-parse", "HEAD:m.onnx")
        assert blob.pointer == (None if place is WORKTREE else POINTER)


def test_a_smudged_work_tree_file_has_the_pointers_id(repo: GitRepo, opened: Open) -> None:
    assert opened(repo).entry(WORKTREE, "m.onnx").oid == repo.git("rev-parse", "HEAD:m.onnx")


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_only_the_pointer_is_here(repo: GitRepo, opened: Open, place: object) -> None:
    forget_content(repo)
    repository = opened(repo)
    with repository.blob(repository.entry(place, "m.onnx"), place) as blob:
        assert not blob.content_is_local
        assert blob.pointer == POINTER
        assert blob.size == 129
    with pytest.raises(BadFile) as caught:
        repository.source(place).open("m.onnx")
    assert caught.value.problem.code == "GM003"
    assert caught.value.problem.hint == "git lfs pull --include='m.onnx'"


@pytest.mark.parametrize("place", ["HEAD", INDEX], ids=str)
def test_the_store_may_be_empty_when_the_work_tree_is_not(repo: GitRepo, opened: Open, place: object) -> None:
    for path in objects(repo).rglob(POINTER.digest):
        path.unlink()
    repository = opened(repo)
    with repository.blob(repository.entry(place, "m.onnx"), place) as blob:
        assert blob.head(9999) == CONTENT
        assert blob.pointer == POINTER


def test_a_work_tree_file_of_the_same_size_is_not_the_content(repo: GitRepo, opened: Open) -> None:
    for path in objects(repo).rglob(POINTER.digest):
        path.unlink()
    repo.write("m.onnx", b"x" * len(CONTENT))
    repository = opened(repo)
    with repository.blob(repository.entry(INDEX, "m.onnx"), INDEX) as blob:
        assert not blob.content_is_local


def test_a_work_tree_file_whose_time_is_wrong_is_hashed(repo: GitRepo, opened: Open) -> None:
    for path in objects(repo).rglob(POINTER.digest):
        path.unlink()
    os.utime(repo.path / "m.onnx", (1, 1))
    repository = opened(repo)
    with repository.blob(repository.entry(INDEX, "m.onnx"), INDEX) as blob:
        assert blob.content_is_local


def test_a_stored_object_of_the_wrong_size_is_not_the_content(repo: GitRepo, opened: Open) -> None:
    (stored,) = objects(repo).rglob(POINTER.digest)
    stored.chmod(0o644)
    stored.write_bytes(CONTENT[:-1])
    (repo.path / "m.onnx").unlink()
    repository = opened(repo)
    with repository.blob(repository.entry(INDEX, "m.onnx"), INDEX) as blob:
        assert not blob.content_is_local


def test_a_stored_object_that_is_a_link_is_not_followed(repo: GitRepo, opened: Open) -> None:
    (stored,) = objects(repo).rglob(POINTER.digest)
    stored.rename(stored.with_suffix(".moved"))
    stored.symlink_to(stored.with_suffix(".moved"))
    (repo.path / "m.onnx").unlink()
    repository = opened(repo)
    with repository.blob(repository.entry(INDEX, "m.onnx"), INDEX) as blob:
        assert not blob.content_is_local


def test_a_linked_work_tree_shares_the_store(repo: GitRepo, opened: Open, tmp_path: Path) -> None:
    repo.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    (tmp_path / "linked/m.onnx").unlink()
    repository = opened(tmp_path / "linked")
    with repository.blob(repository.entry(INDEX, "m.onnx"), INDEX) as blob:
        assert blob.head(9999) == CONTENT


@pytest.mark.parametrize("absolute", [True, False])
def test_the_store_may_be_elsewhere(repo: GitRepo, opened: Open, tmp_path: Path, absolute: bool) -> None:
    elsewhere = tmp_path / "store" if absolute else repo.path / ".git/store"
    (repo.path / ".git/lfs").rename(elsewhere)
    repo.git("config", "lfs.storage", str(elsewhere) if absolute else "store")
    (repo.path / "m.onnx").unlink()
    repository = opened(repo)
    with repository.blob(repository.entry(INDEX, "m.onnx"), INDEX) as blob:
        assert blob.head(9999) == CONTENT


def test_a_bare_repository_has_a_store_too(repo: GitRepo, opened: Open, tmp_path: Path) -> None:
    repo.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    (repo.path / ".git/lfs").rename(tmp_path / "bare.git/lfs")
    repository = opened(tmp_path / "bare.git")
    with repository.blob(repository.entry("HEAD", "m.onnx"), "HEAD") as blob:
        assert blob.head(9999) == CONTENT


@pytest.fixture
def clone(repo: GitRepo, tmp_path: Path) -> GitRepo:
    """A clone without content whose remote, a folder, could give it."""
    os.environ["GIT_LFS_SKIP_SMUDGE"] = "1"
    try:
        repo.git("clone", "--quiet", f"file://{repo.path}", str(tmp_path / "clone"))
    finally:
        del os.environ["GIT_LFS_SKIP_SMUDGE"]
    clone = GitRepo(tmp_path / "clone")
    clone.git("lfs", "install", "--local")
    return clone


def test_nothing_is_downloaded_unless_asked(clone: GitRepo, opened: Open) -> None:
    repository = opened(clone)
    entry = repository.entry(INDEX, "m.onnx")
    with repository.blob(entry, INDEX) as blob:
        assert not blob.content_is_local
    assert not list((clone.path / ".git/lfs").rglob(POINTER.digest))
    with repository.blob(entry, INDEX, fetch=True) as blob:
        assert blob.head(9999) == CONTENT
        assert blob.pointer == POINTER


def test_a_download_that_fails_says_so(clone: GitRepo, repo: GitRepo, opened: Open) -> None:
    for path in objects(repo).rglob(POINTER.digest):
        path.unlink()
    repository = opened(clone)
    with pytest.raises(CouldNotRun, match="git lfs could not download"):
        repository.blob(repository.entry(INDEX, "m.onnx"), INDEX, fetch=True)


def test_a_large_blob_that_begins_like_a_pointer_is_no_pointer(
    git_repo: MakeRepo, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_repository, "SMALL", 64)
    data = b"version https://git-lfs.github.com/spec/v1\n" + bytes(4096)
    repository = opened(git_repo(files={"m.onnx": data}))
    with repository.blob(repository.entry(INDEX, "m.onnx"), INDEX) as blob:
        assert blob.pointer is None
        assert blob.size == len(data)
