"""`record`, as a user meets it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo
from support.program import Program
from support.recording import NOTES, codes, note, recorded, weights

MakeRepo = Callable[..., GitRepo]


# --- no-op cases -----------------------------------------------------------------------------------------------------
def test_a_repository_without_models(cli: Program, git_repo: MakeRepo) -> None:
    repo = git_repo(files={"README": "x", "model.yaml": "name: x"})
    for words in ((), ("--staged",), ("--rev", "HEAD"), ("--all",)):
        assert recorded(cli, repo, *words) == []
    assert codes(cli, repo) == []
    assert repo.git("for-each-ref", NOTES) == ""


def test_nothing_is_committed_yet(cli: Program, git_repo: MakeRepo) -> None:
    repo = git_repo()
    assert recorded(cli, repo, "--all") == recorded(cli, repo, "--staged") == recorded(cli, repo) == []


def test_a_valid_note_is_not_made_again(cli: Program, git_repo: MakeRepo) -> None:
    repo = git_repo(files={"m.safetensors": weights(1)})
    assert recorded(cli, repo) == [("recorded", "m.safetensors")]
    before = repo.git("rev-parse", NOTES)
    for words in ((), ("--rev", "HEAD"), ("--all",), ("m.safetensors",), ("--jobs", "1", ".")):
        assert recorded(cli, repo, *words) == [("known", "m.safetensors")]
    assert repo.git("rev-parse", NOTES) == before


# --- record ----------------------------------------------------------------------------------------------------------
def test_the_line(cli: Program, git_repo: MakeRepo) -> None:
    repo = git_repo(files={"m.safetensors": weights(1, 2)})
    out = cli("record", cwd=repo.path, check=0).out
    blob = repo.git("rev-parse", "HEAD:m.safetensors")
    text = repo.git("notes", "--ref", NOTES, "show", blob)
    fields = json.loads(text)
    assert text == json.dumps(fields, sort_keys=True, separators=(",", ":"))
    assert set(fields) == {"v", "kind", "format", "source", "weights", "structure", "deps", "tensors", "facts", "model"}
    assert [fields[name] for name in ("v", "kind", "format", "source", "deps")] == [
        1,
        "fingerprint",
        "safetensors",
        "content",
        [],
    ]
    assert [tensor[:3] for tensor in fields["tensors"]] == [["w", "float32", [2]]]
    assert out == f"recorded  m.safetensors  {fields['weights']}\n"


def test_the_index_counts_not_the_work_tree(cli: Program, git_repo: MakeRepo) -> None:
    repo = git_repo(files={"m.safetensors": weights(1)})
    repo.write("m.safetensors", weights(2))
    recorded(cli, repo)
    assert note(repo, "HEAD:m.safetensors")
    assert codes(cli, repo) == []


def test_staged_are_those_that_the_commit_changes(cli: Program, git_repo: MakeRepo) -> None:
    repo = git_repo(files={name: weights(1) for name in ("same.safetensors", "gone.safetensors", "moved.safetensors")})
    repo.write("new.safetensors", weights(2))
    repo.write("not added.safetensors", weights(3))
    repo.git("add", "new.safetensors")
    repo.git("rm", "--quiet", "gone.safetensors")
    repo.git("mv", "moved.safetensors", "there.safetensors")
    assert recorded(cli, repo, "--staged") == [("recorded", "new.safetensors"), ("recorded", "there.safetensors")]
    assert recorded(cli, repo, "--staged", "new.safetensors") == [("known", "new.safetensors")]
    assert recorded(cli, repo, "--staged", "same.safetensors") == []


def test_paths_are_meant_from_where_the_user_stands(cli: Program, git_repo: MakeRepo) -> None:
    repo = git_repo(files={"a/m.safetensors": weights(1), "b/m.safetensors": weights(2), "b/*": weights(3)})
    below = GitRepo(repo.path / "a")
    assert recorded(cli, below, "../b") == [("recorded", "b/m.safetensors")]
    assert recorded(cli, below, "m.safetensors") == [("recorded", "a/m.safetensors")]
    assert recorded(cli, below, str(repo.path / "b/*")) == [("recorded", "b/*")], "named, whatever its name"
    for words, said in ((["nothing"], "a/nothing is not in the index"), (["../.."], "outside the repository")):
        result = cli("record", *words, cwd=below.path, check=2)
        assert said in result.err


def test_one_blob_at_two_paths_is_hashed_once(cli: Program, git_repo: MakeRepo) -> None:
    repo = git_repo(files={"a.safetensors": weights(1), "b.safetensors": weights(1)})
    assert recorded(cli, repo) == [("recorded", "a.safetensors"), ("known", "b.safetensors")]


def test_a_bad_file_does_not_keep_the_others_out(cli: Program, git_repo: MakeRepo) -> None:
    repo = git_repo(
        files={"a.safetensors": weights(1), "bad.safetensors": weights(1)[:-1], "c.safetensors": weights(2)}
    )
    (repo.path / "link.safetensors").symlink_to("a.safetensors")
    repo.git("add", ".")
    assert recorded(cli, repo, check=1) == [
        ("recorded", "a.safetensors"),
        ("failed", "bad.safetensors"),
        ("recorded", "c.safetensors"),
        ("failed", "link.safetensors"),
    ]
    assert [code for code, _ in codes(cli, repo, check=1)] == ["GM001", "GM203", "GM008", "GM203"]
    assert "GM001" in cli("record", "bad.safetensors", cwd=repo.path, check=1).out


def test_every_version_in_history(cli: Program, git_repo: MakeRepo) -> None:
    repo = git_repo(files={"m.safetensors": weights(0), "README": "x"})
    repo.git("checkout", "--quiet", "-b", "given-up")
    repo.commit("On a branch", {"m.safetensors": weights(1)})
    repo.git("checkout", "--quiet", "-b", "left", "main")
    repo.commit("Left", {"m.safetensors": weights(2)})
    repo.git("checkout", "--quiet", "-b", "right", "main")
    repo.commit("Right", {"m.safetensors": weights(3)})
    repo.git("merge", "left", check=False)
    repo.commit("Resolved by something new", {"m.safetensors": weights(4)})
    repo.git("rm", "--quiet", "m.safetensors")
    repo.commit("Gone", {"other.safetensors": weights(5)})
    repo.git("tag", "release")
    repo.git("checkout", "--quiet", "main")
    repo.git("branch", "-D", "right")
    done = recorded(cli, repo, "--all")
    assert sorted(done) == [("recorded", "m.safetensors")] * 5 + [("recorded", "other.safetensors")]
    assert len(repo.git("notes", "--ref", NOTES, "list").splitlines()) == 6
    assert repo.git("rev-list", "--count", NOTES) == "1"
    assert {state for state, _ in recorded(cli, repo, "--all")} == {"known"}
    assert {path for _, path in recorded(cli, repo, "--all", "other.safetensors")} == {"other.safetensors"}


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_bare_repository(cli: Program, git_repo: MakeRepo, tmp_path: Path, object_format: str) -> None:
    origin = git_repo(files={"m.safetensors": weights(1)}, object_format=object_format)
    origin.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    bare = GitRepo(tmp_path / "bare.git")
    assert "--rev" in cli("record", cwd=bare.path, check=2).err
    assert recorded(cli, bare, "--rev", "main") == [("recorded", "m.safetensors")]
    assert recorded(cli, bare, "--all") == [("known", "m.safetensors")]
    assert codes(cli, bare) == []
    assert cli("notes", "show", "main:m.safetensors", cwd=bare.path, check=0).out.count("\n") == 1


def test_a_partial_clone_records_what_is_here(cli: Program, git_repo: MakeRepo, tmp_path: Path) -> None:
    origin = git_repo(files={"m.safetensors": weights(1)})
    origin.git("config", "uploadpack.allowFilter", "true")
    origin.commit("Second", {"m.safetensors": weights(2)})
    origin.git("clone", "--quiet", "--filter=blob:none", f"file://{origin.path}", str(tmp_path / "partial"))
    repo = GitRepo(tmp_path / "partial")
    assert recorded(cli, repo) == [("recorded", "m.safetensors")]
    assert recorded(cli, repo, "--all", check=1) == [("failed", "m.safetensors"), ("known", "m.safetensors")]
    assert "?" in repo.git("rev-list", "--objects", "--all", "--missing=print"), "nothing was downloaded"
