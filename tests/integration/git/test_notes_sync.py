"""Notes and remotes: a plain clone brings none, sync brings all, and nobody's push is lost."""

import os
import select
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo

import gitops_model
from gitops_model.errors import CouldNotRun
from gitops_model.git import sync as _sync
from gitops_model.git.notes import REF, TRACKING, Notes
from gitops_model.git.repository import Repository
from gitops_model.git.sync import sync

Open = Callable[..., Repository]
MakeRepo = Callable[..., GitRepo]
A, B, C = "a" * 40, "b" * 40, "c" * 40
TREE = str(Path(gitops_model.__file__).parent.parent)


@pytest.fixture
def hub(git_repo: MakeRepo, tmp_path: Path) -> GitRepo:
    git_repo("seed", files={"m.onnx": b"1", "n.onnx": b"2"}).git(
        "clone", "--quiet", "--bare", ".", f"{tmp_path}/hub.git"
    )
    return GitRepo(tmp_path / "hub.git")


def clone(hub: GitRepo, name: str, *options: str) -> GitRepo:
    hub.git("clone", "--quiet", *options, f"file://{hub.path}", f"../{name}")
    return GitRepo(hub.path.parent / name)


def notes_at(repo: GitRepo) -> dict[str, str]:
    listed = repo.git("notes", "--ref", REF, "list").split("\n") if repo.git("for-each-ref", REF) else []
    return {line[41:]: repo.git("cat-file", "blob", line[:40]) for line in listed}


# --- no-op cases ---------------------------------------------------------------------------------------------------
def test_nothing_here_and_nothing_there(hub: GitRepo, opened: Open) -> None:
    repo = clone(hub, "one")
    outcome = sync(opened(repo), "origin")
    assert (outcome.received, outcome.pushed, outcome.warning) == (0, False, None)
    assert repo.git("for-each-ref", "refs/notes", TRACKING) == ""


def test_twice_is_once(hub: GitRepo, opened: Open) -> None:
    repository = opened(clone(hub, "one"))
    Notes(repository).add({A: ["1"]})
    assert sync(repository, "origin").pushed
    before = hub.git("rev-parse", REF)
    outcome = sync(repository, "origin")
    assert (outcome.received, outcome.pushed) == (0, False)
    assert hub.git("rev-parse", REF) == before


# --- exchange ------------------------------------------------------------------------------------------------------
def test_both_sides_hold_the_union(hub: GitRepo, opened: Open) -> None:
    one, two = opened(clone(hub, "one")), opened(clone(hub, "two"))
    Notes(one).add({A: ["one"], B: ["one"]})
    Notes(two).add({A: ["two"], C: ["two"]})
    assert sync(one, "origin").pushed
    outcome = sync(two, "origin")
    assert (outcome.received, outcome.pushed) == (2, True)
    assert sync(one, "origin").received == 2
    expected = {A: "one\ntwo", B: "one", C: "two"}
    for repo in (hub, GitRepo(hub.path.parent / "one"), GitRepo(hub.path.parent / "two")):
        assert notes_at(repo) == expected
        repo.git("fsck", "--strict")


def test_a_new_clone_gets_the_notes_as_they_are(hub: GitRepo, opened: Open) -> None:
    one = opened(clone(hub, "one"))
    Notes(one).add({A: ["1"]})
    sync(one, "origin")
    two = clone(hub, "two")
    assert notes_at(two) == {}
    assert sync(opened(two), "origin").received == 1
    assert two.git("rev-parse", REF) == hub.git("rev-parse", REF), "no merge commit where there is nothing to merge"


def test_what_differs_in_form_only_is_not_counted_as_new(hub: GitRepo, opened: Open) -> None:
    one, two = opened(clone(hub, "one")), opened(clone(hub, "two"))
    Notes(one).add({A: ["x", "y"]})
    sync(one, "origin")
    Notes(two).add({A: ["y"]})
    Notes(two).add({A: ["x"]})
    outcome = sync(two, "origin")
    assert (outcome.received, outcome.warning) == (0, None)
    assert notes_at(hub) == {A: "x\ny"}


def test_fetch_only(hub: GitRepo, opened: Open) -> None:
    one, two = opened(clone(hub, "one")), opened(clone(hub, "two"))
    Notes(one).add({A: ["1"]})
    sync(one, "origin")
    Notes(two).add({B: ["2"]})
    assert sync(two, "origin", push=False) == ("origin", 1, False, None)
    assert notes_at(hub) == {A: "1"}


def test_a_remote_that_lost_its_notes_gets_them_back(hub: GitRepo, opened: Open) -> None:
    repository = opened(clone(hub, "one"))
    Notes(repository).add({A: ["1"]})
    sync(repository, "origin")
    hub.git("update-ref", "-d", REF)
    assert sync(repository, "origin").pushed
    assert notes_at(hub) == {A: "1"}


@pytest.mark.parametrize("options", [["--depth=1"], ["--filter=blob:none"], ["--bare"], ["--filter=tree:0"]])
def test_from_any_clone(hub: GitRepo, opened: Open, options: list[str]) -> None:
    hub.git("config", "uploadpack.allowFilter", "true")
    other = opened(clone(hub, "other"))
    Notes(other).add({A: ["other"], C: ["other"]})
    sync(other, "origin")
    repo = clone(hub, "special", *options)
    repository = opened(repo)
    Notes(repository).add({A: ["special"], B: ["special"]})
    outcome = sync(repository, "origin")
    assert (outcome.received, outcome.pushed, outcome.warning) == (2, True, None)
    assert notes_at(hub) == {A: "other\nspecial", B: "special", C: "other"}


@pytest.mark.parametrize("options", [[], ["--depth=1"], ["--filter=blob:none"]])
def test_notes_that_a_plain_fetch_brought(hub: GitRepo, opened: Open, options: list[str]) -> None:
    """`init --hooks` adds a refspec for that. A partial clone fetches the tree of the notes and not the notes."""
    hub.git("config", "uploadpack.allowFilter", "true")
    other = opened(clone(hub, "other"))
    Notes(other).add({A: ["other"], C: ["other"]})
    sync(other, "origin")
    repo = clone(hub, "special", *options)
    repo.git("config", "--add", "remote.origin.fetch", f"+{REF}*:{TRACKING}origin*")
    repo.git("fetch", "--quiet")
    repository = opened(repo)
    assert Notes(repository).lines(A) == ([] if "--filter=blob:none" in options else ["other"])
    Notes(repository).add({A: ["special"]})
    outcome = sync(repository, "origin")
    assert (outcome.received, outcome.pushed, outcome.warning) == (2, True, None)
    assert notes_at(hub) == {A: "other\nspecial", C: "other"}
    assert Notes(repository).lines(A) == ["other", "special"]


def test_a_remote_given_by_address(hub: GitRepo, opened: Open) -> None:
    repo = clone(hub, "one")
    repository = opened(repo)
    Notes(repository).add({A: ["1"]})
    assert sync(repository, str(hub.path)).pushed
    assert repo.git("for-each-ref", "--format=%(refname)", TRACKING).startswith(f"{TRACKING}address-")


@pytest.mark.parametrize("name", ["", "-x", "--upload-pack=touch x"])
def test_no_remote(hub: GitRepo, opened: Open, name: str) -> None:
    with pytest.raises(CouldNotRun, match="is no remote"):
        sync(opened(clone(hub, "one")), name)


# --- trouble is a warning ------------------------------------------------------------------------------------------
def test_a_remote_that_is_not_there(hub: GitRepo, opened: Open) -> None:
    repository = opened(clone(hub, "one"))
    Notes(repository).add({A: ["1"]})
    hub.path.rename(hub.path.parent / "gone.git")
    outcome = sync(repository, "origin", interactive=False)
    assert outcome.warning is not None
    assert "could not be fetched" in outcome.warning
    assert "\n" not in outcome.warning


def test_a_remote_that_refuses(hub: GitRepo, opened: Open) -> None:
    (hub.path / "hooks").mkdir(exist_ok=True)
    hook = hub.path / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'notes are not welcome' >&2\nexit 1\n")
    hook.chmod(0o755)
    repository = opened(clone(hub, "one"))
    Notes(repository).add({A: ["1"]})
    outcome = sync(repository, "origin")
    assert outcome.warning is not None
    assert outcome.warning.startswith("notes could not be pushed to origin")
    assert not outcome.pushed


def test_a_remote_that_never_answers(hub: GitRepo, opened: Open) -> None:
    repo = clone(hub, "one")
    fifo = repo.path.parent / "fifo"
    os.mkfifo(fifo)
    repo.git("config", "remote.origin.uploadpack", f"exec 3>{fifo}; sleep 60; git-upload-pack")
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    outcome = sync(opened(repo), "origin", timeout=0.5)
    assert outcome.warning is not None
    assert "did not answer within 0.5 seconds" in outcome.warning
    hung_up = select.poll()
    hung_up.register(reader, 0)
    assert hung_up.poll(10_000), "git's helper still runs"
    os.close(reader)


def test_our_push_runs_no_hook_and_says_who_it_is(hub: GitRepo, opened: Open) -> None:
    repo = clone(hub, "one")
    for name, folder in (("pre-push", repo.path / ".git/hooks"), ("update", hub.path / "hooks")):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(f'#!/bin/sh\necho "{name} ${_sync.GUARD}" >> {hub.path}/log\n')
        (folder / name).chmod(0o755)
    repository = opened(repo)
    Notes(repository).add({A: ["1"]})
    assert sync(repository, "origin").pushed
    assert (hub.path / "log").read_text() == "update 1\n"


def test_tags_and_branches_stay_at_home(hub: GitRepo, opened: Open) -> None:
    repo = clone(hub, "one")
    repo.commit("Not yet ready", {"secret": b"1"})
    repo.git("tag", "-a", "-m", "x", "later")
    repo.git("config", "push.followTags", "true")
    before = hub.git("for-each-ref", "refs/heads", "refs/tags")
    repository = opened(repo)
    Notes(repository).add({A: ["1"]})
    assert sync(repository, "origin").pushed
    assert hub.git("for-each-ref", "refs/heads", "refs/tags") == before


# --- several at once -----------------------------------------------------------------------------------------------
PUSHER = """
    import os, sys
    from gitops_model.git.notes import Notes
    from gitops_model.git.repository import Repository
    from gitops_model.git.sync import sync
    sys.stdin.read()
    with Repository.open(".", os.environ) as repository:
        for number in range(2):
            Notes(repository).add({f"{number:040x}": [os.path.basename(os.getcwd())]})
            outcome = sync(repository, "origin")
            assert outcome.warning is None, outcome
"""


def test_several_pushers_lose_nothing(hub: GitRepo) -> None:
    clones = [clone(hub, f"clone{number}") for number in range(4)]
    pushers = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PUSHER)],
            cwd=repo.path,
            env={**os.environ, "PYTHONPATH": TREE},
            stdin=subprocess.PIPE,
        )
        for repo in clones
    ]
    for pusher in pushers:
        assert pusher.stdin is not None
        pusher.stdin.close()
    assert [pusher.wait(120) for pusher in pushers] == [0] * 4
    lines = "\n".join(f"clone{number}" for number in range(4))
    assert notes_at(hub) == {f"{number:040x}": lines for number in range(2)}
