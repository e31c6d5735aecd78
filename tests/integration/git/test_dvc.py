"""Models under DVC, laid out as DVC 3.67 does: git has `m.onnx.dvc`, the content is in the cache or the work tree."""

import hashlib
from collections.abc import Callable

import pytest
from support.gitrepo import GitRepo
from support.program import Program
from support.recording import codes, note, recorded, weights

from gitops_model.blob import Pointer
from gitops_model.errors import BadFile
from gitops_model.git.dvc import Cache, Out, parse
from gitops_model.git.entries import INDEX, WORKTREE
from gitops_model.git.repository import Repository

Open = Callable[..., Repository]
MakeRepo = Callable[..., GitRepo]

CONTENT = weights(1, 2)
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
POINTER = Pointer("dvc", "md5", MD5, len(CONTENT))
NAME = "models/m.safetensors"
PLACES = ["HEAD", INDEX, WORKTREE]


def dvc_file(name: str, content: bytes) -> str:
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return f"outs:\n- md5: {md5}\n  size: {len(content)}\n  hash: md5\n  path: {name}\n"


@pytest.fixture
def repo(git_repo: MakeRepo) -> GitRepo:
    """The pointer is committed; no content is here."""
    repo = git_repo()
    repo.commit(
        "Model",
        {
            f"{NAME}.dvc": dvc_file("m.safetensors", CONTENT),
            "models/.gitignore": "/m.safetensors\n",
            ".dvc/.gitignore": "/cache\n",
        },
    )
    return repo


def cache(repo: GitRepo, content: bytes, base: str = ".dvc/cache/files/md5", suffix: str = "") -> None:
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    repo.write(f"{base}/{md5[:2]}/{md5[2:]}{suffix}", content)


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_only_the_pointer_is_here(repo: GitRepo, opened: Open, place: object) -> None:
    repository = opened(repo)
    with repository.blob(repository.entry(place, f"{NAME}.dvc"), place) as blob:
        assert (blob.pointer, blob.content_is_local, blob.path) == (POINTER, False, NAME)
    with pytest.raises(BadFile) as caught:
        repository.source("HEAD", "models").open("m.safetensors")
    assert (caught.value.problem.code, caught.value.problem.hint) == ("GM003", "dvc pull 'm.safetensors'")


@pytest.mark.parametrize("base", [".dvc/cache/files/md5", ".dvc/cache", "models/.dvc/cache/files/md5"])
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_content_comes_from_the_cache(repo: GitRepo, opened: Open, place: object, base: str) -> None:
    cache(repo, CONTENT, base)
    repository = opened(repo)
    with repository.blob(repository.entry(place, f"{NAME}.dvc"), place) as blob:
        assert (blob.pointer, blob.content_is_local, blob.path) == (POINTER, True, NAME)
        assert blob.head(999) == CONTENT
        assert blob.oid == repo.git("rev-parse", f"HEAD:{NAME}.dvc")
    if place is not WORKTREE:
        assert repository.source(place, "models").open("m.safetensors").head(999) == CONTENT


def test_or_from_the_work_tree_if_it_is_that_content(repo: GitRepo, opened: Open) -> None:
    repo.write(NAME, CONTENT)
    repository = opened(repo)
    entry = repository.entry(INDEX, f"{NAME}.dvc")
    with repository.blob(entry, INDEX) as blob:
        assert blob.head(999) == CONTENT
    repo.write(NAME, weights(2, 1))
    with repository.blob(entry, INDEX) as blob:
        assert not blob.content_is_local


def test_a_cache_that_is_a_link_is_not_followed(repo: GitRepo, opened: Open) -> None:
    cache(repo, CONTENT, "../elsewhere/files/md5")
    (repo.path / ".dvc/cache").symlink_to("../../elsewhere")
    repository = opened(repo)
    with repository.blob(repository.entry(INDEX, f"{NAME}.dvc"), INDEX) as blob:
        assert not blob.content_is_local


@pytest.mark.parametrize("name", ["dvc.lock", "two.dvc", "folder.dvc", "data.dvc"])
def test_what_stands_for_no_single_file_is_itself(git_repo: MakeRepo, opened: Open, name: str) -> None:
    one, two = dvc_file("a.onnx", b"1"), dvc_file("b.onnx", b"2").removeprefix("outs:\n")
    text = {"dvc.lock": one, "two.dvc": one + two, "folder.dvc": one.replace("\n  size", ".dir\n  size")}.get(
        name, "x: 1"
    )
    repository = opened(git_repo(files={name: text}))
    with repository.blob(repository.entry(INDEX, name), INDEX) as blob:
        assert (blob.path, blob.pointer, blob.head(999)) == (name, None, text.encode())


def test_the_files_of_a_folder(git_repo: MakeRepo, opened: Open) -> None:
    md5 = [hashlib.md5(content, usedforsecurity=False).hexdigest() for content in (b"a", b"b")]
    listing = (
        f'[{{"md5": "{md5[0]}", "relpath": "a.bin"}}, {{"md5": "{md5[1]}", "relpath": "sub/b.bin"}}, 7, {{"md5": 1}}]'
    )
    text = dvc_file("d", listing.encode()).replace("\n  size", ".dir\n  size")
    repo = git_repo(files={"d.dvc": text})
    repository = opened(repo)
    (out,) = parse(text.encode(), "d.dvc")
    assert Cache(repository).listing(out) == ()
    cache(repo, listing.encode(), suffix=".dir")
    assert Cache(repository).listing(out) == (Out("d/a.bin", md5[0], None), Out("d/sub/b.bin", md5[1], None))
    cache(repo, b"a")
    fd = Cache(repository).open(Out("d/a.bin", md5[0], None))
    assert fd is not None


# --- record --------------------------------------------------------------------------------------------------------
def test_record_keys_by_the_dvc_file(cli: Program, repo: GitRepo) -> None:
    assert recorded(cli, repo) == [("pointer", f"{NAME}.dvc")]
    assert note(repo, f"HEAD:{NAME}.dvc") == [
        {
            "v": 1,
            "kind": "fingerprint",
            "format": "safetensors",
            "source": "pointer",
            "deps": [],
            "files": {"md5": MD5},
        }
    ]
    cache(repo, CONTENT)
    assert recorded(cli, repo) == [("recorded", f"{NAME}.dvc")]
    assert recorded(cli, repo) == [("known", f"{NAME}.dvc")]
    assert codes(cli, repo) == []
    lines = note(repo, f"HEAD:{NAME}.dvc")
    repo.write("plain.safetensors", CONTENT)
    repo.git("add", "plain.safetensors")
    recorded(cli, repo)
    (plain,) = note(repo, ":plain.safetensors")
    assert plain["weights"] in [line.get("weights") for line in lines], "the same model, wherever it is stored"
