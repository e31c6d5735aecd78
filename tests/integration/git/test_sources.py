"""The other files of a model: from inside the repository, through nothing but folders, regular files only."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo

from gitops_model.errors import BadFile
from gitops_model.git.entries import INDEX, WORKTREE
from gitops_model.git.repository import Repository
from gitops_model.git.source import FolderSource

Open = Callable[..., Repository]
MakeRepo = Callable[..., GitRepo]
PLACES = ["HEAD", INDEX, WORKTREE]


@pytest.fixture
def repo(git_repo: MakeRepo, tmp_path: Path) -> GitRepo:
    (tmp_path / "outside").write_bytes(b"secret")
    repo = git_repo(files={"models/w.bin": b"near", "shared/w.bin": b"far", "file": b"root"})
    links = {
        "models/link.bin": "w.bin",
        "models/out.bin": str(tmp_path / "outside"),
        "models/dir": "../shared",
        "models/broken": "nowhere",
    }
    for name, target in links.items():
        (repo.path / name).symlink_to(target)
    inner = git_repo("inner", files={"w.bin": b"inner"})
    repo.git("submodule", "--quiet", "add", str(inner.path), "models/sub")
    repo.commit()
    return repo


FINE = {"w.bin": b"near", "./w.bin": b"near", "../shared/w.bin": b"far", "../file": b"root"}

BAD = {
    "nothing": "GM010",
    "no/such/file": "GM010",
    "link.bin": "GM602",
    "out.bin": "GM602",
    "dir/w.bin": "GM602",
    "broken": "GM602",
    "../../outside": "GM601",
    "/etc/passwd": "GM601",
    "../.git/config": "GM601",
    "": "GM601",
}


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_files_inside(repo: GitRepo, opened: Open, place: object) -> None:
    source = opened(repo).source(place, "models")
    for path, content in FINE.items():
        with source.open(path) as blob:
            assert blob.head(99) == content


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("path, code", BAD.items(), ids=lambda word: word or "empty")
def test_refused(repo: GitRepo, opened: Open, place: object, path: str, code: str) -> None:
    with pytest.raises(BadFile) as caught:
        opened(repo).source(place, "models").open(path)
    assert caught.value.problem.code == code


@pytest.mark.parametrize("place", ["HEAD", INDEX], ids=str)
@pytest.mark.parametrize("path", ["sub", "sub/w.bin", "../shared", "w.bin/x"])
def test_neither_submodule_nor_folder_nor_below_a_file(repo: GitRepo, opened: Open, place: object, path: str) -> None:
    with pytest.raises(BadFile) as caught:
        opened(repo).source(place, "models").open(path)
    assert caught.value.problem.code in ("GM602", "GM010")


# --- on disk -------------------------------------------------------------------------------------------------------
def test_files_on_disk(repo: GitRepo) -> None:
    source = FolderSource(str(repo.path), "models")
    for path, content in FINE.items():
        with source.open(path) as blob:
            assert blob.head(99) == content
    for path, code in BAD.items():
        with pytest.raises(BadFile) as caught:
            source.open(path)
        assert caught.value.problem.code == code


def test_special_files_are_not_even_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")  # opening it would wait for a writer for ever
    (tmp_path / "folder").mkdir()
    (tmp_path / "zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        where = os.getcwd()
        os.chdir(tmp_path)
        listener.bind("socket")
        os.chdir(where)
        for name in ("fifo", "folder", "zero", "socket"):
            with pytest.raises(BadFile) as caught:
                FolderSource(str(tmp_path)).open(name)
            assert caught.value.problem.code == "GM602", name


def test_outside_a_repository_the_models_folder_is_the_border(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    (tmp_path / "inside").mkdir()
    with pytest.raises(BadFile) as caught:
        FolderSource(str(tmp_path / "inside")).open("../outside")
    assert caught.value.problem.code == "GM601"


def test_the_root_itself_may_be_reached_by_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/w").write_bytes(b"1")
    (tmp_path / "link").symlink_to("real")
    with FolderSource(str(tmp_path / "link")).open("w") as blob:
        assert blob.head(9) == b"1"


def test_a_file_may_become_a_symbolic_link_between_two_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """O_NOFOLLOW holds where the check came too early."""
    (tmp_path / "outside").write_bytes(b"secret")
    (tmp_path / "w").write_bytes(b"1")
    seen = os.stat

    def stat_then_swap(path: object, **how: object) -> os.stat_result:
        result = seen(path, **how)
        if path == b"w":
            (tmp_path / "w").unlink()
            (tmp_path / "w").symlink_to("outside")
        return result

    monkeypatch.setattr(os, "stat", stat_then_swap)
    with pytest.raises(BadFile) as caught:
        FolderSource(str(tmp_path)).open("w")
    assert caught.value.problem.code == "GM602"
