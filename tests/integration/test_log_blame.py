"""`log` and `blame`: from notes, across renames, and honest about what is not recorded."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save
from support.gitrepo import GitRepo
from support.hostile import NAMES
from support.program import Program
from support.recording import external, valid


def model(**scales: float) -> bytes:
    layers = {"encoder.0": 1.0, "encoder.1": 1.0, "head": 1.0} | {k.replace("_", "."): v for k, v in scales.items()}
    made = {layer: np.full((2, 2), float(scale)) for layer, scale in layers.items()}
    return save({f"{layer}.{part}": value for layer, value in made.items() for part in ("w", "b")})


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    """Four versions: first, the head tuned, renamed with encoder.1 changed, and a layer that came."""
    made = git_repo(files={"m.safetensors": model()})
    made.commit("Tune the head", {"m.safetensors": model(head=2)})
    made.git("mv", "m.safetensors", "n.safetensors")
    made.commit("Move it")
    made.commit("Change the encoder", {"n.safetensors": model(head=2, encoder_1=3)})
    made.commit("Nothing of ours", {"README": "x"})
    made.commit("Add a layer", {"n.safetensors": model(head=2, encoder_1=3, extra=1)})
    return made


def log(cli: Program, repo: GitRepo, *words: str) -> dict[str, Any]:
    return valid("log", cli("log", *words, "--format", "json", cwd=repo.path, check=0).json())


def blame(cli: Program, repo: GitRepo, *words: str) -> dict[str, Any]:
    return valid("blame", cli("blame", *words, "--format", "json", cwd=repo.path, check=0).json())


def test_log_follows_the_file_and_judges_each_version(cli: Program, repo: GitRepo) -> None:
    cli("record", "--all", cwd=repo.path, check=0)
    found = log(cli, repo, "n.safetensors")
    assert [(row["subject"], row["state"], (row["verdict"] or {}).get("kind")) for row in found["versions"]] == [
        ("Add a layer", "changed", "weights-only"),
        ("Change the encoder", "changed", "weights-only"),
        ("Move it", "changed", "identical-model"),
        ("Tune the head", "changed", "weights-only"),
        ("First", "first", None),
    ]
    assert [row["verdict"]["bump"] for row in found["versions"][:4]] == ["minor", "patch", "none", "patch"]
    assert found["versions"][-1]["path"] == "m.safetensors"
    assert len(log(cli, repo, "n.safetensors", "-n", "2")["versions"]) == 2
    text = cli("log", "n.safetensors", cwd=repo.path, check=0).out
    assert "Tune the head" in text
    assert "as m.safetensors" in text


def test_blame_names_the_last_change_of_each_layer(cli: Program, repo: GitRepo) -> None:
    cli("record", "--all", cwd=repo.path, check=0)
    found = blame(cli, repo, "n.safetensors")
    assert {line["name"]: (line["subject"], line["tensors"], line["since_first"]) for line in found["layers"]} == {
        "encoder.0": ("First", 2, True),
        "encoder.1": ("Change the encoder", 2, False),
        "head": ("Tune the head", 2, False),
        "extra": ("Add a layer", 2, False),
    }
    one = blame(cli, repo, "n.safetensors", "encoder")
    assert sorted(line["name"] for line in one["layers"]) == [
        "encoder.0.b",
        "encoder.0.w",
        "encoder.1.b",
        "encoder.1.w",
    ]
    assert "layer 'hea'" in cli("blame", "n.safetensors", "hea", cwd=repo.path, check=2).err


def test_blame_sees_through_renames_of_tensors(cli: Program, git_repo: Callable[..., GitRepo]) -> None:
    weights = {"w": np.arange(4.0), "v": np.arange(5.0)}
    repo = git_repo(files={"m.safetensors": save(weights)})
    prefixed = {f"module.{name}": value for name, value in weights.items()}
    prefixed["module.v"] = prefixed["module.v"] + 1
    repo.commit("Wrap", {"m.safetensors": save(prefixed)})
    cli("record", "--all", cwd=repo.path, check=0)
    found = blame(cli, repo, "m.safetensors", "module")
    assert {line["name"]: line["subject"] for line in found["layers"]} == {"module.w": "First", "module.v": "Wrap"}


def test_blame_sees_through_a_prefix_on_equal_contents(cli: Program, git_repo: Callable[..., GitRepo]) -> None:
    """Biases of zeros: which of them is which, only the names tell."""
    weights = {f"{n}.bias": np.zeros(4) for n in range(3)} | {"w": np.arange(4.0)}
    repo = git_repo(files={"m.safetensors": save(weights)})
    wrapped = {f"module.{name}": value for name, value in weights.items()}
    wrapped["module.2.bias"] = np.ones(4)
    repo.commit("Wrap", {"m.safetensors": save(wrapped)})
    cli("record", "--all", cwd=repo.path, check=0)
    found = blame(cli, repo, "m.safetensors")
    subjects = {line["name"]: line["subject"] for line in found["layers"]}
    assert subjects == {"module": "First", "module.0": "First", "module.1": "First", "module.2": "Wrap"}


def test_what_is_not_recorded_is_said(cli: Program, repo: GitRepo) -> None:
    assert cli("blame", "n.safetensors", cwd=repo.path, check=2).err.count("record --all") == 1
    assert {row["state"] for row in log(cli, repo, "n.safetensors")["versions"]} == {"unrecorded"}
    cli("record", "--rev", "HEAD", cwd=repo.path, check=0)
    cli("record", "--rev", "HEAD~5", cwd=repo.path, check=0)
    found = blame(cli, repo, "n.safetensors")
    assert found["unrecorded"] == 3
    assert {line["name"]: line["gap"] for line in found["layers"]} == {
        "encoder.0": 0,
        "encoder.1": 3,
        "head": 3,
        "extra": 3,
    }
    text = cli("blame", "n.safetensors", cwd=repo.path, check=0).out
    assert "3 of 5 versions are not recorded: gitops-model record --all" in text


def test_other_data_of_the_model_makes_versions_too(cli: Program, git_repo: Callable[..., GitRepo]) -> None:
    repo = git_repo()
    for number in (1, 2, 3):
        files: dict[str, str | bytes] = dict(external(repo.path.parent / str(number), float(number)))
        repo.git("commit", "--quiet", "--allow-empty", "-m", "between")
        repo.commit(f"Data {number}", files)
    cli("record", "--all", cwd=repo.path, check=0)
    rows = log(cli, repo, "m.onnx")["versions"]
    assert len(rows) == 3
    assert {row["verdict"]["kind"] for row in rows[:2]} == {"weights-only"}
    assert [line["subject"] for line in blame(cli, repo, "m.onnx")["layers"]] == ["Data 3"]


def test_a_version_that_was_removed_and_came_back(cli: Program, git_repo: Callable[..., GitRepo]) -> None:
    repo = git_repo(files={"m.safetensors": model()})
    repo.git("rm", "--quiet", "m.safetensors")
    repo.commit("Gone")
    repo.commit("Back", {"m.safetensors": model()})
    cli("record", "--all", cwd=repo.path, check=0)
    assert [row["state"] for row in log(cli, repo, "m.safetensors")["versions"]] == ["first", "removed", "first"]


def test_no_commit_has_it(cli: Program, repo: GitRepo) -> None:
    assert "in no commit" in cli("log", "absent.onnx", cwd=repo.path, check=2).err
    assert cli("log", cwd=repo.path, check=2).err


def test_hostile_names_of_tensors_and_subjects(cli: Program, git_repo: Callable[..., GitRepo]) -> None:
    names = [name for name in NAMES if name and "\0" not in name and name.isprintable()]
    repo = git_repo(files={"m.safetensors": save({name: np.zeros(1) for name in names})})
    repo.git("commit", "--allow-empty", "--amend", "-q", "-m", "\x1b[31m::error::forged")
    cli("record", "--all", cwd=repo.path, check=0)
    for verb in ("log", "blame"):
        out = cli(verb, "m.safetensors", cwd=repo.path, check=0).out
        assert "\x1b" not in out
        assert not [line for line in out.splitlines() if line.lstrip().startswith("::")]
