"""`verify` and `notes`, as a user meets them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo
from support.program import Program
from support.recording import NOTES, codes, note, recorded, valid, weights

MakeRepo = Callable[..., GitRepo]


# --- verify ----------------------------------------------------------------------------------------------------------
def test_a_note_that_lies(cli: Program, git_repo: MakeRepo) -> None:
    repo = git_repo(files={"m.safetensors": weights(1)})
    recorded(cli, repo)
    (line,) = note(repo, "HEAD:m.safetensors")
    forged = json.dumps({**line, "weights": "gm1-weights:" + "0" * 64})
    repo.git("notes", "--ref", NOTES, "add", "-f", "-m", forged, repo.git("rev-parse", "HEAD:m.safetensors"))
    assert codes(cli, repo, check=1) == [("GM202", "m.safetensors")]
    out = cli("verify", cwd=repo.path, check=1).out
    assert "0" * 64 in out
    assert line["weights"] in out


def test_what_is_not_recorded(cli: Program, git_repo: MakeRepo) -> None:
    repo = git_repo(files={"m.safetensors": weights(1)})
    assert codes(cli, repo) == [("GM203", "m.safetensors")]
    assert codes(cli, repo, "--fail-on", "warning", check=1) == [("GM203", "m.safetensors")]


@pytest.mark.parametrize(
    "line",
    [
        "by hand",
        '{"kind":"fingerprint","v":2}',
        '{"kind":"gpu","v":1}',
        '{"deps":7,"kind":"fingerprint","v":1}',
        '{"deps":[7],"kind":"fingerprint","v":1}',
        '{"deps":[{"blob":7,"path":"../../x"}],"kind":"fingerprint","v":1}',
        '{"deps":[{"blob":"00","path":"/etc/passwd"}],"kind":"fingerprint","v":1}',
    ],
)
def test_lines_of_others_do_no_harm_and_are_kept(cli: Program, git_repo: MakeRepo, line: str) -> None:
    repo = git_repo(files={"m.safetensors": weights(1)})
    blob = repo.git("rev-parse", "HEAD:m.safetensors")
    repo.git("notes", "--ref", NOTES, "add", "-m", line, blob)
    assert codes(cli, repo) == [("GM203", "m.safetensors")]
    assert recorded(cli, repo) == [("recorded", "m.safetensors")]
    assert recorded(cli, repo) == [("known", "m.safetensors")]
    assert line in repo.git("notes", "--ref", NOTES, "show", blob).splitlines()
    valid("notes", cli("notes", "show", "m.safetensors", "--format", "json", cwd=repo.path, check=0).json())


# --- notes -----------------------------------------------------------------------------------------------------------
def test_show(cli: Program, git_repo: MakeRepo) -> None:
    repo = git_repo(files={"a/m.safetensors": weights(1)})
    recorded(cli, repo)
    blob = repo.git("rev-parse", "HEAD:a/m.safetensors")
    line = repo.git("notes", "--ref", NOTES, "show", blob) + "\n"
    for word, folder in (
        ("a/m.safetensors", "."),
        ("m.safetensors", "a"),
        ("HEAD:a/m.safetensors", "a"),
        ("HEAD:./m.safetensors", "a"),
        (":a/m.safetensors", "."),
        (blob, "."),
    ):
        assert cli("notes", "show", word, cwd=repo.path / folder, check=0).out == line
    document = valid("notes", cli("notes", "show", "--format", "json", blob, cwd=repo.path, check=0).json())
    assert (document["path"], document["lines"][0]["valid"]) == (None, None)
    for word in ("nothing", "HEAD:nothing", "no-revision:a/m.safetensors"):
        cli("notes", "show", word, cwd=repo.path, check=2)
    nothing = cli("notes", "show", "0" * 40, cwd=repo.path, check=1)
    assert (nothing.out, "has no note" in nothing.err) == ("", True)


def test_a_hostile_line_is_inert(cli: Program, git_repo: MakeRepo) -> None:
    repo = git_repo(files={"m.safetensors": weights(1)})
    repo.git("notes", "--ref", NOTES, "add", "-m", "\x1b[2J\u202e", repo.git("rev-parse", "HEAD:m.safetensors"))
    assert cli("notes", "show", "m.safetensors", cwd=repo.path, check=0).out == "\\x1b[2J\\u202e\n"


def test_sync(cli: Program, git_repo: MakeRepo, tmp_path: Path) -> None:
    seed = git_repo("seed", files={"m.safetensors": weights(1)})
    assert "no remote" in cli("notes", "sync", cwd=seed.path, check=2).err
    for name, options in (("hub.git", ["--bare"]), ("one", []), ("two", [])):
        seed.git("clone", "--quiet", *options, str(tmp_path / ("seed" if options else "hub.git")), str(tmp_path / name))
    one, two = GitRepo(tmp_path / "one"), GitRepo(tmp_path / "two")
    recorded(cli, one)
    assert "ours were pushed" in cli("notes", "sync", cwd=one.path, check=0).err
    assert codes(cli, two) == [("GM203", "m.safetensors")]
    assert "1 note" in cli("notes", "sync", "origin", cwd=two.path, check=0).err
    assert codes(cli, two) == []
    two.git("remote", "set-url", "origin", str(tmp_path / "nowhere"))
    assert "could not be fetched" in cli("notes", "sync", cwd=two.path, check=2).err
