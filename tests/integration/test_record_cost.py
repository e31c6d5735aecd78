"""What `record` of one model costs beside the hashing: git processes are counted; seconds depend on the machine."""

import struct
from collections.abc import Callable
from pathlib import Path

from support.gitrepo import GitRepo
from support.program import Program
from support.recording import recorded

from .test_hook_cost import CountingGit

MakeRepo = Callable[..., GitRepo]

LARGE = 9 << 20
"""Bytes above which the work-tree file stands for its blob, and git is asked whether it may."""


def large(repo: GitRepo, name: str, seed: int) -> None:
    header = b'{"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (LARGE, LARGE)
    repo.write(name, struct.pack("<Q", len(header)) + header + bytes([seed]) * LARGE)


def test_ten_git_processes_record_a_model(cli: Program, git_repo: MakeRepo, tmp_path: Path) -> None:
    """Which repository, which notes, what of the path, its folder's manifests, who, then the objects and the ref."""
    repo = git_repo(files={"README": "x"})
    large(repo, "m.safetensors", 1)
    repo.commit("Add a model")
    git = CountingGit(tmp_path / "counting")
    cli("record", "m.safetensors", cwd=repo.path, env=git.environ, check=0)
    words = git.log.read_text()
    assert git.count() <= 10
    assert "fast-import" not in words
    assert words.count("rev-parse") == 1
    assert repo.git("fsck", "--strict", "--no-dangling") == ""


def test_the_answers_belong_to_this_run(cli: Program, git_repo: MakeRepo) -> None:
    """What git said ahead of time is used once: the next run, and a changed file, are seen as they are."""
    repo = git_repo(files={"README": "x"})
    large(repo, "m.safetensors", 1)
    repo.commit("Add a model")
    assert recorded(cli, repo, "m.safetensors") == [("recorded", "m.safetensors")]
    assert recorded(cli, repo, "m.safetensors") == [("known", "m.safetensors")]
    large(repo, "m.safetensors", 2)
    assert recorded(cli, repo, "m.safetensors") == [("known", "m.safetensors")], "the index has not changed"
    repo.git("add", "--all")
    assert recorded(cli, repo, "m.safetensors") == [("recorded", "m.safetensors")]
    notes = repo.git("notes", "--ref", "gitops-model", "list").splitlines()
    assert len(notes) == 2
