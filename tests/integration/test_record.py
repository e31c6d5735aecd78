"""`record`, `verify` and `notes`, as a user meets them."""

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.gitrepo import GitRepo
from support.program import Program
from support.wheel import ROOT

MakeRepo = Callable[..., GitRepo]
NOTES = "refs/notes/gitops-model"


def weights(*values: float) -> bytes:
    """A safetensors file with one tensor."""
    data = struct.pack(f"<{len(values)}f", *values)
    header = json.dumps({"w": {"dtype": "F32", "shape": [len(values)], "data_offsets": [0, len(data)]}}).encode()
    return struct.pack("<Q", len(header)) + header + data


def external(folder: Path, value: float) -> dict[str, bytes]:
    """An ONNX file and its external data; the ONNX file is the same for every value."""
    value_info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy"]
    tensor = numpy_helper.from_array(np.full(4, value, np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])], "g", value_info[:1], value_info[1:], [tensor]
    )
    folder.mkdir(exist_ok=True)
    (folder / "m.bin").unlink(missing_ok=True)
    onnx.save(
        helper.make_model(graph), folder / "m.onnx", save_as_external_data=True, location="m.bin", size_threshold=0
    )
    return {name: (folder / name).read_bytes() for name in ("m.onnx", "m.bin")}


def valid(kind: str, document: Any) -> Any:
    schema = json.loads((ROOT / "gitops_model/render" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    return document


def recorded(cli: Program, repo: GitRepo, *words: str, check: int = 0) -> list[tuple[str, str]]:
    document = valid("record", cli("record", *words, "--format", "json", cwd=repo.path, check=check).json())
    return [(file["state"], file["path"]) for file in document["files"]]


def note(repo: GitRepo, name: str) -> list[dict[str, Any]]:
    text = repo.git("notes", "--ref", NOTES, "show", repo.git("rev-parse", name))
    return [json.loads(line) for line in text.splitlines()]


def codes(cli: Program, repo: GitRepo, *words: str, check: int = 0) -> list[tuple[str, str]]:
    document = valid("report", cli("verify", *words, "--format", "json", cwd=repo.path, check=check).json())
    return [(finding["code"], finding["path"]) for finding in document["findings"]]


# --- no-op cases ---------------------------------------------------------------------------------------------------
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


# --- record --------------------------------------------------------------------------------------------------------
def test_the_line(cli: Program, git_repo: MakeRepo) -> None:
    repo = git_repo(files={"m.safetensors": weights(1, 2)})
    out = cli("record", cwd=repo.path, check=0).out
    blob = repo.git("rev-parse", "HEAD:m.safetensors")
    text = repo.git("notes", "--ref", NOTES, "show", blob)
    fields = json.loads(text)
    assert text == json.dumps(fields, sort_keys=True, separators=(",", ":"))
    assert set(fields) == {"v", "kind", "format", "source", "weights", "structure", "deps", "tensors"}
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


# --- external data -------------------------------------------------------------------------------------------------
def test_changed_external_data_makes_a_changed_model(cli: Program, git_repo: MakeRepo, tmp_path: Path) -> None:
    one, two = external(tmp_path / "make", 1), external(tmp_path / "make", 2)
    assert one["m.onnx"] == two["m.onnx"]
    repo = git_repo(files={f"models/{name}": content for name, content in one.items()})
    assert recorded(cli, repo) == [("recorded", "models/m.onnx")]
    (line,) = note(repo, "HEAD:models/m.onnx")
    assert line["deps"] == [{"path": "m.bin", "blob": repo.git("rev-parse", "HEAD:models/m.bin")}]
    assert codes(cli, repo) == []

    repo.write("models/m.bin", two["m.bin"])
    assert recorded(cli, repo) == [("known", "models/m.onnx")], "the index is what it was"
    repo.git("add", ".")
    assert codes(cli, repo) == [("GM203", "models/m.onnx")]
    shown = cli("notes", "show", "models/m.onnx", cwd=repo.path, check=0).out
    assert shown.startswith("# other external data: {")
    assert recorded(cli, repo, "--staged") == [("recorded", "models/m.onnx")]
    assert codes(cli, repo) == codes(cli, repo, "--rev", "HEAD") == codes(cli, repo, "--staged") == []
    lines = note(repo, "HEAD:models/m.onnx")
    assert len(lines) == 2
    assert lines[0]["structure"] == lines[1]["structure"]
    assert lines[0]["weights"] != lines[1]["weights"]


def test_history_of_external_data(cli: Program, git_repo: MakeRepo, tmp_path: Path) -> None:
    repo = git_repo(files=external(tmp_path / "make", 1))
    repo.commit("Second", external(tmp_path / "make", 2))
    repo.commit("Unrelated", {"README": "x"})
    repo.commit("Third", external(tmp_path / "make", 3))
    assert recorded(cli, repo, "--all") == [("recorded", "m.onnx")] * 3
    assert len({line["weights"] for line in note(repo, "HEAD:m.onnx")}) == 3
    assert all(codes(cli, repo, "--rev", revision) == [] for revision in ("HEAD", "HEAD~2", "HEAD~3"))


def test_external_data_that_is_not_there(cli: Program, git_repo: MakeRepo, tmp_path: Path) -> None:
    repo = git_repo(files={"m.onnx": external(tmp_path / "make", 1)["m.onnx"]})
    repo.write("m.bin", external(tmp_path / "make", 1)["m.bin"])  # on disk, but the commit would lack it
    assert recorded(cli, repo, check=1) == [("failed", "m.onnx")]
    assert ("GM010", "m.onnx") in codes(cli, repo, check=1)


# --- whole-file digests --------------------------------------------------------------------------------------------
def test_file_digests_are_added_without_hashing_weights_again(cli: Program, git_repo: MakeRepo) -> None:
    repo = git_repo(files={"m.safetensors": weights(1)})
    recorded(cli, repo)
    assert recorded(cli, repo, "--file-digests") == [("recorded", "m.safetensors")]
    assert recorded(cli, repo, "--file-digests") == recorded(cli, repo) == [("known", "m.safetensors")]
    plain, full = sorted(note(repo, "HEAD:m.safetensors"), key=len)
    assert full.pop("files")["sha256"] == hashlib.sha256(weights(1)).hexdigest()
    assert full == plain
    assert codes(cli, repo) == []


def test_digests_that_a_manifest_lists_are_recorded(cli: Program, git_repo: MakeRepo) -> None:
    manifest = f"checksums:\n  sub/m.safetensors:\n    sha512: {'0' * 128}\n"
    repo = git_repo(
        files={
            "a/model.yaml": manifest,
            "a/sub/m.safetensors": weights(1),
            "b/m.safetensors": weights(2),
            "b/sub/m.safetensors": weights(3),
        }
    )
    recorded(cli, repo)
    sha512 = hashlib.sha512(weights(1)).hexdigest()
    assert [line.get("files") for line in note(repo, "HEAD:a/sub/m.safetensors")] == [{"sha512": sha512}]
    for name in ("b/m.safetensors", "b/sub/m.safetensors"):
        assert ["files" in line for line in note(repo, f"HEAD:{name}")] == [False]


# --- Git LFS -------------------------------------------------------------------------------------------------------
@pytest.fixture
def lfs(git_repo: MakeRepo, require_tool: Callable[[str], Path]) -> GitRepo:
    require_tool("git-lfs")
    repo = git_repo()
    repo.git("lfs", "install", "--local")
    repo.commit("LFS", {".gitattributes": "*.safetensors filter=lfs diff=lfs merge=lfs -text\n"})
    repo.commit("Model", {"m.safetensors": weights(1)})
    return repo


def test_lfs_content_is_recorded_under_the_pointer(cli: Program, lfs: GitRepo) -> None:
    assert recorded(cli, lfs) == [("recorded", "m.safetensors")]
    (line,) = note(lfs, "HEAD:m.safetensors")
    assert line["source"] == "content"
    assert line["files"] == {"sha256": hashlib.sha256(weights(1)).hexdigest()}
    assert codes(cli, lfs) == []


def test_without_lfs_content_the_pointer_is_recorded_and_later_the_content(cli: Program, lfs: GitRepo) -> None:
    (stored,) = (path for path in (lfs.path / ".git/lfs/objects").rglob("*") if path.is_file())
    content = stored.read_bytes()
    stored.unlink()
    (lfs.path / "m.safetensors").unlink()
    assert recorded(cli, lfs) == [("pointer", "m.safetensors")]
    assert recorded(cli, lfs) == [("known", "m.safetensors")]
    assert note(lfs, "HEAD:m.safetensors") == [
        {
            "v": 1,
            "kind": "fingerprint",
            "format": "safetensors",
            "source": "pointer",
            "deps": [],
            "files": {"sha256": stored.name},
        }
    ]
    assert codes(cli, lfs) == []
    stored.write_bytes(content)
    assert recorded(cli, lfs) == [("recorded", "m.safetensors")]
    assert recorded(cli, lfs) == [("known", "m.safetensors")]
    assert sorted(line["source"] for line in note(lfs, "HEAD:m.safetensors")) == ["content", "pointer"]
    assert codes(cli, lfs) == []


def test_content_that_is_not_what_the_pointer_says(cli: Program, lfs: GitRepo) -> None:
    (stored,) = (path for path in (lfs.path / ".git/lfs/objects").rglob("*") if path.is_file())
    stored.chmod(0o644)
    stored.write_bytes(weights(2))
    (lfs.path / "m.safetensors").unlink()
    result = cli("record", "--file-digests", cwd=lfs.path, check=1)
    assert "GM201" in result.out
    recorded(cli, lfs)  # without --file-digests nobody looks
    assert codes(cli, lfs, check=1) == [("GM202", "m.safetensors")]


# --- verify --------------------------------------------------------------------------------------------------------
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


# --- notes ---------------------------------------------------------------------------------------------------------
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
