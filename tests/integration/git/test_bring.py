"""What a review fetches into a checkout of one commit: the history it needs, and the contents of changed files."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo

from gitops_model.errors import CouldNotRun
from gitops_model.git.bring import Remote
from gitops_model.git.command import Result
from gitops_model.git.repository import Repository

COMMITS = 70
"""More than the first step of deepening brings."""


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> GitRepo:
    """A branch of one commit, and a main that went on for 70 more, each with a file of its own."""
    from support import gitrepo

    repo = gitrepo.init(tmp_path_factory.mktemp("bring") / "origin")
    for name in ("allowAnySHA1InWant", "allowFilter"):
        repo.git("config", f"uploadpack.{name}", "true")
    lines = []
    for number in range(COMMITS + 1):
        parent = "" if number == 0 else f"from :{number}\n"
        content = f"version {number}\n" * 50
        lines.append(
            f"commit refs/heads/main\nmark :{number + 1}\ncommitter A <a@b> {number} +0000\ndata 1\nx\n{parent}"
            f"M 100644 inline m.onnx\ndata {len(content)}\n{content}\n"
        )
    lines.append(
        "commit refs/heads/change\ncommitter A <a@b> 99 +0000\ndata 1\nx\nfrom :1\n"
        "M 100644 inline m.onnx\ndata 7\nchanged\n"
    )
    repo.git("fast-import", "--quiet", stdin="".join(lines).encode())
    return repo


@pytest.fixture
def clone(origin: GitRepo, tmp_path: Path) -> Callable[..., GitRepo]:
    def make(*options: str) -> GitRepo:
        words = ("clone", "--quiet", *options, "--branch=change", origin.path.as_uri(), str(tmp_path / "clone"))
        origin.git(*words)
        return GitRepo(tmp_path / "clone")

    return make


def ends(origin: GitRepo) -> tuple[str, str, str]:
    """(base, head, the commit where they parted)"""
    return tuple(origin.git("rev-parse", name) for name in ("main", "change", "change~1"))  # type: ignore[return-value]


def test_a_full_clone_needs_nothing(
    origin: GitRepo, clone: Callable[..., GitRepo], monkeypatch: pytest.MonkeyPatch
) -> None:
    base, head, fork = ends(origin)
    with Repository.open(str(clone().path), os.environ) as repository:
        remote = Remote(repository, "origin")
        monkeypatch.setattr(remote, "_fetch", lambda *_: pytest.fail("fetched"))
        assert remote.commit(base) == base
        assert remote.merge_base(base, head) == fork
        remote.blobs([origin.git("rev-parse", f"{base}:m.onnx")])


@pytest.mark.parametrize("options", [("--depth=1",), ("--filter=blob:none", "--depth=1")], ids=["shallow", "partial"])
def test_history_is_deepened_without_contents(
    origin: GitRepo, clone: Callable[..., GitRepo], options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    base, head, fork = ends(origin)
    repo = clone(*options)
    with Repository.open(str(repo.path), os.environ) as repository:
        remote = Remote(repository, "origin")
        fetched: list[tuple[str, ...]] = []
        fetch = remote._fetch

        def watched(*words: str, stdin: bytes = b"") -> Result:
            fetched.append(words)
            return fetch(*words, stdin=stdin)

        monkeypatch.setattr(remote, "_fetch", watched)
        assert remote.commit(base) == base
        assert remote.merge_base(base, head) == fork
        assert [word for words in fetched for word in words if "deepen" in word] == ["--deepen=50", "--deepen=250"]
        wanted = [origin.git("rev-parse", f"{commit}:m.onnx") for commit in (fork, head)]
        remote.blobs(wanted)
        assert [repository.objects().read(oid) for oid in wanted] == [b"version 0\n" * 50, b"changed"]
    missing = repo.git("rev-list", "--objects", "--missing=print", "--all", base)
    assert len([line for line in missing.splitlines() if line.startswith("?")]) >= COMMITS - 2


def test_without_a_remote_it_says_what_to_do(origin: GitRepo, clone: Callable[..., GitRepo]) -> None:
    base, head, _ = ends(origin)
    repo = clone("--depth=1")
    with Repository.open(str(repo.path), os.environ) as repository:
        remote = Remote(repository, None)
        with pytest.raises(CouldNotRun, match="names no commit here"):
            remote.commit(base)
        repo.git("fetch", "--quiet", "--depth=1", "origin", base)
        with pytest.raises(CouldNotRun, match="no common history") as error:
            remote.merge_base(base, head)
        assert error.value.hint == "git fetch --unshallow"


def test_two_histories_that_never_met(origin: GitRepo, clone: Callable[..., GitRepo]) -> None:
    repo = clone()
    repo.git("checkout", "--quiet", "--orphan", "other")
    other = repo.commit("Alone")
    with (
        Repository.open(str(repo.path), os.environ) as repository,
        pytest.raises(CouldNotRun, match="have no common history here"),
    ):
        Remote(repository, "origin").merge_base(ends(origin)[0], other)


def test_a_commit_that_nobody_has(clone: Callable[..., GitRepo]) -> None:
    with (
        Repository.open(str(clone().path), os.environ) as repository,
        pytest.raises(CouldNotRun, match="is not here and cannot be fetched"),
    ):
        Remote(repository, "origin").commit("e" * 40)
