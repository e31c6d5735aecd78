"""Merging weights: disjoint changes merge, overlapping ones conflict with ours in place, and nothing is lost."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save
from support.gitrepo import GitRepo
from support.program import Program

Weights = dict[str, float]
BASE: Weights = {"enc.0.w": 1, "enc.1.w": 1, "head.w": 1, "head.b": 1}


def arrays(weights: Weights) -> dict[str, np.ndarray[Any, Any]]:
    return {
        name: np.full((3, 2), value, np.float16 if name.endswith("b") else np.float32)
        for name, value in weights.items()
    }


def safetensors(weights: Weights, metadata: dict[str, str] | None = None) -> bytes:
    return save(arrays(weights), metadata)


def npz(weights: Weights, *, packed: bool = False) -> bytes:
    out = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(out, **arrays(weights))
    return out.getvalue()


MAKERS: dict[str, Callable[..., bytes]] = {
    "m.safetensors": safetensors,
    "m.npz": npz,
    "packed.npz": lambda weights: npz(weights, packed=True),
}


def read(path: Path) -> Weights:
    found = load_file(path) if path.suffix == ".safetensors" else dict(np.load(path))
    assert all(len(set(value.reshape(-1).tolist())) == 1 for value in found.values())
    return {name: float(value.reshape(-1)[0]) for name, value in found.items()}


def merge(
    cli: Program, folder: Path, sides: tuple[bytes, bytes, bytes], name: str = "m.safetensors", code: int = 0
) -> tuple[Path, str]:
    names = ["base", "ours", "theirs"]
    for side, content in zip(names, sides, strict=True):
        (folder / side).write_bytes(content)
    done = cli("merge-driver", *names, name, cwd=folder, check=code)
    result = folder / f"result-{name}"
    result.write_bytes((folder / "ours").read_bytes())
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".gitops")) == []
    return result, done.err


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize(
    "change",
    [
        (BASE, BASE, BASE),
        (BASE | {"enc.0.w": 2}, BASE, BASE | {"enc.0.w": 2}),
        (BASE, BASE | {"enc.0.w": 2}, BASE | {"enc.0.w": 2}),
        (BASE | {"enc.0.w": 2}, BASE | {"head.w": 3, "head.b": 3}, BASE | {"enc.0.w": 2, "head.w": 3, "head.b": 3}),
        (BASE | {"enc.0.w": 2}, BASE | {"enc.0.w": 2, "head.w": 3}, BASE | {"enc.0.w": 2, "head.w": 3}),
        (BASE | {"new.a": 5}, BASE | {"new.c": 6}, BASE | {"new.a": 5, "new.c": 6}),
        ({"enc.0.w": 1}, BASE | {"enc.0.w": 4}, {"enc.0.w": 4}),
    ],
    ids=["nothing", "ours alone", "theirs alone", "disjoint", "both the same", "added", "removed and changed"],
)
def test_disjoint_changes_merge(
    cli: Program, tmp_path: Path, name: str, change: tuple[Weights, Weights, Weights]
) -> None:
    ours, theirs, result = change
    make = MAKERS[name]
    merged, _ = merge(cli, tmp_path, (make(BASE), make(ours), make(theirs)), name)
    assert read(merged) == result
    mirrored, _ = merge(cli, tmp_path, (make(BASE), make(theirs), make(ours)), f"other-{name}")
    assert mirrored.read_bytes() == merged.read_bytes()
    if name == "m.safetensors":
        assert merged.read_bytes() == safetensors(result)  # as its own library lays it out


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize(
    "change",
    [
        (BASE | {"head.w": 2}, BASE | {"head.w": 3}),
        ({k: v for k, v in BASE.items() if k != "head.w"}, BASE | {"head.w": 3}),
        (BASE | {"new.w": 1}, BASE | {"new.w": 2}),
    ],
    ids=["both changed", "removed and changed", "both added"],
)
def test_overlapping_changes_conflict_and_ours_stays_byte_for_byte(
    cli: Program, tmp_path: Path, name: str, change: tuple[Weights, Weights]
) -> None:
    make, (ours, theirs) = MAKERS[name], change
    merged, said = merge(cli, tmp_path, (make(BASE), make(ours), make(theirs)), name, code=1)
    assert merged.read_bytes() == make(ours)
    assert said.count("tensor '") == 1


def test_metadata_is_merged_by_key_and_conflicts_too(cli: Program, tmp_path: Path) -> None:
    def sides(ours: dict[str, str], theirs: dict[str, str]) -> tuple[bytes, bytes, bytes]:
        return safetensors(BASE, {"epoch": "1"}), safetensors(BASE, ours), safetensors(BASE, theirs)

    merged, _ = merge(cli, tmp_path, sides({"epoch": "1", "a": "x"}, {"epoch": "2"}))
    with safe_open(merged, "numpy") as opened:
        assert opened.metadata() == {"epoch": "2", "a": "x"}
    _, said = merge(cli, tmp_path, sides({"epoch": "2"}, {"epoch": "3"}), code=1)
    assert "metadata 'epoch': ours '2', theirs '3'" in said


@pytest.mark.parametrize(
    "theirs",
    [
        b"",
        b"junk",
        safetensors(BASE)[:-1],
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9\n",
        npz(BASE),
    ],
    ids=["empty", "junk", "cut short", "a pointer", "another format"],
)
def test_what_is_not_understood_is_not_merged(cli: Program, tmp_path: Path, theirs: bytes) -> None:
    ours = safetensors(BASE | {"head.w": 2})
    merged, said = merge(cli, tmp_path, (safetensors(BASE), ours, theirs), code=1)
    assert merged.read_bytes() == ours
    assert "ours is kept" in said


# --- through git ------------------------------------------------------------------------------------------------------
@pytest.fixture
def repo(git_repo: Callable[..., GitRepo], cli: Program) -> GitRepo:
    made = git_repo(files={"m.safetensors": safetensors(BASE), "m.npz": npz(BASE)})
    cli("init", "--hooks", cwd=made.path, check=0)
    made.commit("Attributes")
    made.git("branch", "topic")
    return made


def branches(repo: GitRepo, ours: Weights, theirs: Weights) -> None:
    repo.commit("Ours", {"m.safetensors": safetensors(BASE | ours), "m.npz": npz(BASE | ours)})
    repo.git("switch", "--quiet", "topic")
    repo.commit("Theirs", {"m.safetensors": safetensors(BASE | theirs), "m.npz": npz(BASE | theirs)})
    repo.git("switch", "--quiet", "-")


def test_git_merges_two_branches(repo: GitRepo) -> None:
    branches(repo, {"enc.0.w": 2}, {"head.w": 3})
    repo.git("merge", "--quiet", "topic", "-m", "Merge")
    for name in ("m.safetensors", "m.npz"):
        assert read(repo.path / name) == BASE | {"enc.0.w": 2, "head.w": 3}


def test_a_conflict_in_git_can_be_settled_by_layer(cli: Program, repo: GitRepo) -> None:
    branches(repo, {"enc.0.w": 2, "head.w": 2}, {"enc.1.w": 3, "head.w": 3})
    repo.git("merge", "topic", check=False)
    assert read(repo.path / "m.safetensors") == BASE | {"enc.0.w": 2, "head.w": 2}
    assert set(repo.git("diff", "--name-only", "--diff-filter=U").splitlines()) == {"m.safetensors", "m.npz"}
    assert "head.w" in cli("merge-driver", "--resolve", "m.safetensors", cwd=repo.path, check=1).err
    for name in ("m.safetensors", "m.npz"):
        cli("merge-driver", "--resolve", name, "--theirs", "head", "--ours", "", cwd=repo.path, check=0)
        assert read(repo.path / name) == BASE | {"enc.0.w": 2, "enc.1.w": 3, "head.w": 3}
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "-m", "Merged")


def test_uninstall_takes_the_driver_away(cli: Program, repo: GitRepo) -> None:
    assert "merge-driver" in repo.git("config", "merge.gitops-model.driver")
    cli("init", "--uninstall", cwd=repo.path, check=0)
    assert repo.git("config", "merge.gitops-model.driver", check=False) == ""
    assert not (repo.path / ".gitattributes").exists()


def test_without_the_program_git_reports_a_conflict(repo: GitRepo) -> None:
    branches(repo, {"enc.0.w": 2}, {"head.w": 3})
    repo.git("config", "gitops-model.programs", "/nowhere")
    path = "/usr/bin:/bin"
    repo.git("-c", f"alias.m=!PATH={path} git merge topic", "m", check=False)
    assert read(repo.path / "m.safetensors") == BASE | {"enc.0.w": 2}
