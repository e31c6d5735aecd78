"""What `record` keeps beside the digests of weights: external data, whole-file digests, LFS pointers."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo
from support.program import Program
from support.recording import codes, external, note, recorded, weights

MakeRepo = Callable[..., GitRepo]


# --- external data ---------------------------------------------------------------------------------------------------
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


# --- whole-file digests ----------------------------------------------------------------------------------------------
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


# --- Git LFS ---------------------------------------------------------------------------------------------------------
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
