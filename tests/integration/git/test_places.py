"""What a commit, the index and the work tree hold, and what changed between them."""

import os
from collections.abc import Callable

import pytest
from support.gitrepo import GitRepo

from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.git.changes import Change, staged
from gitops_model.git.command import Git
from gitops_model.git.entries import INDEX, WORKTREE, Entry
from gitops_model.git.lookup import Lookup
from gitops_model.git.repository import Repository

Open = Callable[..., Repository]
MakeRepo = Callable[..., GitRepo]

ODD_NAMES = [
    "a b.onnx",
    "a\tb\nc.onnx",
    '"q".onnx',
    "größe.onnx",
    "*.onnx",
    ":(top)x.onnx",
    "-x.onnx",
    "back\\slash.onnx",
]


def test_nothing_is_committed_yet(git_repo: MakeRepo, opened: Open) -> None:
    repo = git_repo()
    repository = opened(repo)
    assert repository.changes(staged=True) == []
    assert list(repository.entries(INDEX)) == []
    repo.write("m.onnx", "x")
    repo.git("add", ".")
    assert [(change.status, change.path) for change in repository.changes(staged=True)] == [("A", "m.onnx")]
    with pytest.raises(CouldNotRun, match="'HEAD' names no"):
        list(repository.entries("HEAD"))


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name(git_repo: MakeRepo, opened: Open, name: str) -> None:
    repo = git_repo(files={name: b"1", "other.onnx": b"2"})
    repository = opened(repo)
    for place in ("HEAD", INDEX, WORKTREE):
        assert [entry.path for entry in repository.entries(place, [name])] == [name]
        assert repository.blob(repository.entry(place, name), place).head(9) == b"1"
    repo.write(name, b"3")
    assert [change.path for change in repository.changes(paths=[name])] == [name]


def test_a_name_that_is_no_utf_8(git_repo: MakeRepo, opened: Open) -> None:
    repo = git_repo()
    (repo.path / os.fsdecode(b"\xff.onnx")).write_bytes(b"1")
    repo.commit()
    repository = opened(repo)
    for place in ("HEAD", INDEX, WORKTREE):
        (entry,) = repository.entries(place)
        assert entry.path == "\udcff.onnx"
        assert repository.blob(entry, place).head(9) == b"1"


def test_the_work_tree_is_what_is_on_disk(git_repo: MakeRepo, opened: Open) -> None:
    repo = git_repo(files={"same": b"1", "edited": b"1", "deleted": b"1", "typed": b"1", ".gitignore": b"ignored\n"})
    repo.write("edited", b"2")
    repo.write("new", b"3")
    repo.write("ignored", b"4")
    (repo.path / "deleted").unlink()
    (repo.path / "typed").unlink()
    (repo.path / "typed").symlink_to("same")
    found = {entry.path: entry for entry in opened(repo).entries(WORKTREE)}
    assert set(found) == {".gitignore", "same", "edited", "new", "typed"}
    assert found["same"].oid == repo.git("rev-parse", "HEAD:same")
    assert [found[name].oid for name in ("edited", "new", "typed")] == [None] * 3
    assert found["typed"].is_symlink


def test_repositories_inside_are_not_entered(git_repo: MakeRepo, opened: Open) -> None:
    inner = git_repo("inner", files={"x.onnx": b"1"})
    repo = git_repo()
    repo.git("submodule", "--quiet", "add", str(inner.path), "sub")
    repo.commit()
    repo.git("clone", "--quiet", str(inner.path), "loose")
    GitRepo(repo.path / "sub").commit("Moved on")
    found = {entry.path: entry for entry in opened(repo).entries(WORKTREE)}
    assert set(found) == {".gitmodules", "sub"}
    assert found["sub"] == Entry(0o160000, None, "sub")


@pytest.mark.parametrize("place", ["HEAD", INDEX, WORKTREE], ids=str)
def test_many_lookups_ask_git_few_times(
    git_repo: MakeRepo, opened: Open, place: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"a/{number % 7}/{number}.bin" for number in range(60)]
    repo = git_repo(files={name: name for name in names})
    repository = opened(repo)
    started: list[object] = []
    spawn = Git._spawn
    monkeypatch.setattr(Git, "_spawn", lambda self, *rest, **more: started.append(rest) or spawn(self, *rest, **more))
    lookup = Lookup(repository, place)
    for name in names:
        assert lookup.entry(name).oid == repo.git("rev-parse", f"HEAD:{name}")
    assert lookup.entry("a/0") is lookup.entry("nothing") is None
    source = repository.source(place, "a/0")
    for name in names:
        assert source.open("../" + name[2:]).head(99) == name.encode()
    assert len(started) <= 30


def test_types(git_repo: MakeRepo, opened: Open) -> None:
    inner = git_repo("inner", files={"x": b""})
    repo = git_repo(files={"run.onnx": b"1"})
    (repo.path / "run.onnx").chmod(0o755)
    (repo.path / "link.onnx").symlink_to("run.onnx")
    repo.git("submodule", "--quiet", "add", str(inner.path), "sub.onnx")
    repo.commit()
    repository = opened(repo)
    for place in ("HEAD", INDEX):
        found = {entry.path: entry for entry in repository.entries(place)}
        assert found["run.onnx"].is_regular
        assert found["link.onnx"].is_symlink
        assert found["sub.onnx"].is_gitlink
        for name in ("link.onnx", "sub.onnx"):
            with pytest.raises(BadFile) as caught:
                repository.blob(found[name], place)
            assert caught.value.problem.code == "GM008"


def test_a_conflict_has_no_entry(git_repo: MakeRepo, opened: Open) -> None:
    repo = git_repo(files={"m.onnx": b"0", "n.onnx": b"0"})
    repo.git("checkout", "--quiet", "-b", "side")
    repo.commit("Side", {"m.onnx": b"1"})
    repo.git("checkout", "--quiet", "main")
    repo.commit("Main", {"m.onnx": b"2"})
    repo.git("merge", "side", check=False)
    assert [entry.path for entry in opened(repo).entries(INDEX)] == ["n.onnx"]


def test_an_entry_is_exact(git_repo: MakeRepo, opened: Open) -> None:
    repository = opened(git_repo(files={"models/a/x": b"1"}))
    for place in ("HEAD", INDEX, WORKTREE):
        assert repository.entry(place, "models/a/x") is not None
        for path in ("models", "models/a", "models/a/", "models/a/x/y", "nothing", "models/../models/a/x"):
            assert repository.entry(place, path) is None, (place, path)


def test_files_of_one_folder(git_repo: MakeRepo, opened: Open) -> None:
    repository = opened(git_repo(files={"a": b"", "[x]/b": b"", "[x]/deep/c": b"", "x/d": b""}))
    for place in ("HEAD", INDEX):
        assert [entry.path for entry in repository.folder(place, "")] == ["a"]
        assert [entry.path for entry in repository.folder(place, "[x]")] == ["[x]/b"]
        assert repository.folder(place, "none") == []


@pytest.mark.parametrize("revision", ["", "--all", "-h", "nothing", "a\0b", "HEAD:m.onnx", "HEAD^5", "HEAD..HEAD"])
def test_no_commit(git_repo: MakeRepo, opened: Open, revision: str) -> None:
    repository = opened(git_repo(files={"m.onnx": b"1"}))
    assert repository.lookup(revision) is None
    with pytest.raises(CouldNotRun):
        list(repository.entries(revision))
    with pytest.raises(CouldNotRun):
        repository.changes(old=revision, new="HEAD")


# --- changes -------------------------------------------------------------------------------------------------------
@pytest.fixture
def moving(git_repo: MakeRepo) -> GitRepo:
    """Committed: keep, edit, drop, old. Staged: edit changed, drop deleted, old renamed to new, link added."""
    repo = git_repo(files={"keep": b"k", "edit": b"1\n", "drop": b"d", "old": b"a long enough content\n" * 4})
    repo.write("edit", b"2\n")
    (repo.path / "drop").unlink()
    (repo.path / "old").rename(repo.path / "new")
    (repo.path / "link").symlink_to("keep")
    repo.git("add", "--all")
    repo.write("edit", b"3\n")
    return repo


def short(changes: list[Change]) -> list[tuple[str, str]]:
    return [(change.status, change.path) for change in changes]


STAGED = [("D", "drop"), ("M", "edit"), ("A", "link"), ("A", "new"), ("D", "old")]


def test_changes(moving: GitRepo, opened: Open) -> None:
    repository = opened(moving)
    assert short(repository.changes(staged=True)) == STAGED
    assert short(staged(str(moving.path), os.environ)) == STAGED
    assert short(repository.changes()) == [("M", "edit")]
    assert repository.changes()[0].new_oid is None
    assert short(repository.changes(old="HEAD")) == STAGED
    assert [change for change in repository.changes(staged=True, renames=True) if change.status == "R"] == [
        Change("R", 0o100644, 0o100644, *[moving.git("rev-parse", ":new")] * 2, "new", "old")
    ]


@pytest.mark.parametrize(
    "setting",
    [
        "diff.noprefix=true",
        "diff.renames=copies",
        "diff.relative=true",
        "diff.external=false",
        "diff.orderFile=order",
        "color.ui=always",
        "core.quotePath=true",
        "diff.ignoreSubmodules=all",
        "core.abbrev=4",
    ],
)
def test_no_setting_of_the_user_changes_them(moving: GitRepo, opened: Open, setting: str) -> None:
    moving.write("order", b"old\nedit\n")
    (moving.path / "folder").mkdir()
    moving.git("config", *setting.split("="))
    assert short(staged(str(moving.path / "folder"), os.environ)) == STAGED
    assert all(len(change.old_oid or "a" * 40) == 40 for change in opened(moving).changes(staged=True))


def test_between_commits(git_repo: MakeRepo, opened: Open) -> None:
    repo = git_repo(files={"base": b"1"})
    repo.git("checkout", "--quiet", "-b", "side")
    repo.commit("Side", {"side": b"1"})
    repo.git("checkout", "--quiet", "main")
    repo.commit("Main", {"main": b"1"})
    repository = opened(repo)
    assert short(repository.changes(old="main", new="side")) == [("D", "main"), ("A", "side")]
    assert short(repository.changes(old="main", new="side", merge_base=True)) == [("A", "side")]
    with pytest.raises(CouldNotRun, match="two sides"):
        repository.changes(staged=True, old="main", new="side")


# --- under a hook --------------------------------------------------------------------------------------------------
HOOK = """#!/bin/sh
"{python}" - <<'EOF'
import os, sys
sys.path.insert(0, {tree!r})
from gitops_model.git.changes import staged
from gitops_model.git.entries import INDEX
from gitops_model.git.repository import Repository
with open({log!r}, "a") as log, Repository.open(".", os.environ) as repository:
    entry = repository.entry(INDEX, "m.onnx")
    content = repository.blob(entry, INDEX).head(99).decode()
    paths = [change.path for change in repository.changes(staged=True)]
    assert paths == [change.path for change in staged(".", os.environ)]
    print(content, *paths, file=log)
EOF
"""


def install(repo: GitRepo, log: str) -> None:
    import sys
    from pathlib import Path

    import gitops_model

    tree = str(Path(gitops_model.__file__).parent.parent)
    hooks = Path(repo.git("rev-parse", "--path-format=absolute", "--git-path", "hooks"))
    hooks.mkdir(exist_ok=True)
    (hooks / "pre-commit").write_text(HOOK.format(python=sys.executable, tree=tree, log=log))
    (hooks / "pre-commit").chmod(0o755)


@pytest.mark.parametrize("linked", [False, True], ids=["main work tree", "linked work tree"])
def test_commit_a_and_commit_path_have_an_index_of_their_own(git_repo: MakeRepo, linked: bool) -> None:
    repo = git_repo(files={"m.onnx": b"0", "n.onnx": b"0"})
    if linked:
        repo.git("worktree", "add", "--quiet", "../linked")
        repo = GitRepo(repo.path.parent / "linked")
    log = repo.path.parent / "log"
    install(repo, str(log))
    repo.write("m.onnx", b"all")
    repo.write("n.onnx", b"all")
    repo.git("commit", "--quiet", "-a", "-m", "All")
    repo.write("m.onnx", b"staged")
    repo.write("n.onnx", b"staged")
    repo.git("add", "n.onnx")
    repo.git("commit", "--quiet", "-m", "Path", "m.onnx")
    repo.git("commit", "--quiet", "-m", "Rest")
    repo.git("commit", "--quiet", "--amend", "--allow-empty", "-m", "Amended")
    assert log.read_text().splitlines() == ["all m.onnx n.onnx", "staged m.onnx", "staged n.onnx", "staged"]


def test_a_relative_index_file_is_meant_from_the_callers_folder(git_repo: MakeRepo, opened: Open) -> None:
    repo = git_repo(files={"m.onnx": b"0", "sub/x": b""})
    (repo.path / "other").write_bytes((repo.path / ".git/index").read_bytes())
    repo.commit("Gone", {})
    repo.git("rm", "--quiet", "m.onnx")
    assert opened(repo).entry(INDEX, "m.onnx") is None
    assert opened(repo, GIT_INDEX_FILE="other").entry(INDEX, "m.onnx") is not None


def test_another_repository_is_reached_without_the_hooks_environment(git_repo: MakeRepo) -> None:
    from gitops_model.git.environment import for_other

    here, there = git_repo("here", files={"m.onnx": b"here"}), git_repo("there", files={"m.onnx": b"there"})
    hook = {**os.environ, "GIT_DIR": str(here.path / ".git"), "GIT_INDEX_FILE": str(here.path / ".git/index")}
    with Repository.open(str(there.path), for_other(hook)) as repository:
        assert repository.blob(Entry(0o100644, there.git("rev-parse", ":m.onnx"), "m.onnx"), INDEX).head(9) == b"there"
        assert repository.root == str(there.path)
