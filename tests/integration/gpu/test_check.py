"""`gpu check`, `gpu scan`, `gpu probe` and `gpu history` as a user runs them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from onnx import helper
from support.gitrepo import GitRepo
from support.machines import MACHINE, RELEASE
from support.onnx_models import model, value, weight
from support.program import Program
from support.wheel import ROOT

PROFILES = (
    "t4",
    "a10g",
    "a100-40gb",
    "a100-80gb",
    "l4",
    "l40s",
    "h100",
    "h200",
    "b200",
    "rtx-4090",
    "rtx-5090",
    "orin",
)

MANIFEST = """\
name: dense
version: 1.0.0
architecture: amd64
checksums:
  model.onnx: {{sha256: {digest}}}
inputs:
  x: {{dtype: float32, shape: [batch, 64]}}
outputs:
  y: {{dtype: float32, shape: [batch, 64]}}
runtime: {{onnxruntime: 1.23.2, batch: 8, cpu_fallback: allow}}
targets: [l4, machines/node.yaml]
""".format(digest="0" * 64)


def valid(kind: str, document: Any) -> Any:
    folder = "gpu" if kind in ("requirements", "target") else "render"
    schema = json.loads((ROOT / "gitops_model" / folder / f"{kind}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    return document


def dense() -> bytes:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["v"]), helper.make_node("Relu", ["v"], ["y"])]
    return model(nodes, [value("x", ["n", 64])], [value("y", ["n", 64])], (weight("w", 64, 64),))


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    files: dict[str, str | bytes] = {
        "m/model.onnx": dense(),
        "m/model.yaml": MANIFEST,
        "m/machines/node.yaml": json.dumps(MACHINE),
        "release.json": json.dumps(RELEASE),
    }
    return git_repo(files=files)


def check(cli: Program, repo: GitRepo, *words: str, code: int) -> Any:
    return valid("gpu-check", cli("gpu", "check", *words, "--format", "json", cwd=repo.path, check=code).json())


# --- verdicts and exits --------------------------------------------------------------------------------------------
def test_both_sides_are_data(cli: Program, repo: GitRepo) -> None:
    words = ("--requirements", "release.json", "--target", "m/machines/node.yaml")
    found = check(cli, repo, *words, code=0)
    assert (found["verdict"], found["reasons"], found["targets"][0]["target"]) == ("allow", [], "node-1")
    assert found["recorded"] == [], "requirements by themselves belong to no blob"
    again = check(cli, repo, *words, code=0)
    assert again["targets"][0]["facts"] == found["targets"][0]["facts"]


PTX = [{"path": "x.so", "images": [{"kind": "ptx", "arch": "80", "ptx_isa": "8.0"}]}]


@pytest.mark.parametrize(
    "changes, verdict, error",
    [
        ({"memory_mib": 90000}, "reject", "OUT_OF_MEMORY"),
        ({"memory_mib": None}, "unknown", "OUT_OF_MEMORY"),
        ({"binaries": PTX}, "jit-fallback", "JIT"),
    ],
    ids=["reject", "unknown", "jit-fallback"],
)
def test_each_verdict_has_its_exit(
    cli: Program, repo: GitRepo, changes: dict[str, Any], verdict: str, error: str
) -> None:
    code = int(verdict != "jit-fallback")
    repo.write("needs.json", json.dumps({**RELEASE, **changes}))
    words = ("--requirements", "needs.json", "--target", "m/machines/node.yaml")
    found = check(cli, repo, *words, code=code)
    assert found["verdict"] == verdict
    assert [reason["error"] for reason in found["reasons"] if reason["effect"] == verdict] == [error]
    shown = cli("gpu", "check", *words, cwd=repo.path, check=code)
    assert error in shown.out
    assert ("warning" in shown.err) == (verdict == "jit-fallback")
    assert f"**{verdict}**" in cli("gpu", "check", *words, "--format", "markdown", cwd=repo.path, check=code).out


def test_the_worst_target_decides_and_each_has_its_own_row(cli: Program, repo: GitRepo) -> None:
    words = ("--requirements", "release.json", *(word for name in ("h100", "t4") for word in ("--target", name)))
    repo.write("release.json", json.dumps({**RELEASE, "cuda_runtime": "12.4"}))
    found = check(cli, repo, *words, code=1)
    assert [(row["target"], row["verdict"]) for row in found["targets"]] == [("h100", "allow"), ("t4", "reject")]
    assert {reason["target"] for reason in found["reasons"] if reason["effect"] == "reject"} == {"t4"}


def test_the_manifest_declares_the_fleet_and_a_model_finds_its_manifest(cli: Program, repo: GitRepo) -> None:
    by_manifest = check(cli, repo, "m/model.yaml", "--fleet", code=1)
    assert [row["target"] for row in by_manifest["targets"]] == ["l4", "node-1"]
    assert by_manifest["requirements"]["memory_mib"] == 633
    by_model = check(cli, repo, "m/model.onnx", code=1)
    assert by_model["targets"] == by_manifest["targets"]
    one = check(cli, repo, "m/model.onnx", "--target", "l4", "--fleet", code=1)
    assert [row["target"] for row in one["targets"]] == ["l4", "l4", "node-1"]


def test_a_commit_is_judged_as_it_was(cli: Program, repo: GitRepo) -> None:
    before = check(cli, repo, "m/model.yaml", code=1)
    (repo.path / "m/model.onnx").write_bytes(b"")
    assert check(cli, repo, "HEAD:m/model.yaml", code=1)["targets"] == before["targets"]


def test_the_configuration_declares_a_fleet_too(cli: Program, repo: GitRepo) -> None:
    repo.write(".gitops-model.toml", 'targets = ["m/machines/node.yaml"]\n')
    found = check(cli, repo, "--requirements", "release.json", code=0)
    assert [row["target"] for row in found["targets"]] == ["node-1"]


@pytest.mark.parametrize(
    "words, said",
    [
        ((), "which release?"),
        (("--requirements", "release.json"), "which machines?"),
        (("--requirements", "release.json", "--target", "l5"), "did you mean 'l4'?"),
        (("--requirements", "release.json", "--target", "no/such.yaml"), "no/such.yaml"),
        (("--requirements", "release.json", "m/model.onnx", "--target", "l4"), "second release"),
        (("--requirements", "m/model.yaml", "--target", "l4"), "no set of GPU requirements"),
        (("m/model.yaml", "--target", "release.json"), "no GPU target"),
        (("m/model.yaml", "--dimension", "n"), "is not NAME=N"),
    ],
)
def test_what_cannot_be_judged_is_no_verdict(cli: Program, repo: GitRepo, words: tuple[str, ...], said: str) -> None:
    result = cli("gpu", "check", *words, cwd=repo.path, check=2)
    assert said in result.err
    assert result.out == ""


def test_a_target_in_a_manifest_is_no_way_out(cli: Program, repo: GitRepo, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text(json.dumps(MACHINE))
    repo.write("m/model.yaml", MANIFEST.replace("machines/node.yaml", "machines/link.yaml"))
    (repo.path / "m/machines/link.yaml").symlink_to(tmp_path / "secret.yaml")
    result = cli("gpu", "check", "m/model.yaml", cwd=repo.path, check=2)
    assert "symbolic link" in result.err
    assert result.out == ""


def test_a_wrong_manifest_beside_a_model_is_not_passed_over(cli: Program, repo: GitRepo) -> None:
    repo.write("m/other.model.yaml", "name: [")
    assert "other.model.yaml" in cli("gpu", "check", "m/model.onnx", "--target", "l4", cwd=repo.path, check=1).err


# --- records -------------------------------------------------------------------------------------------------------
def test_was_this_ever_checked_on_an_l4(cli: Program, repo: GitRepo) -> None:
    never = cli("gpu", "history", "m/model.onnx", cwd=repo.path, check=1)
    assert "never checked" in never.err
    found = check(cli, repo, "m/model.yaml", code=1)
    assert found["recorded"] == ["m/model.onnx"]
    history = cli("gpu", "history", "m/model.onnx", "--target", "L4", "--format", "json", cwd=repo.path, check=0)
    one = valid("gpu-history", history.json())["verdicts"]
    assert [(past["target"], past["facts"], past["valid"]) for past in one] == [
        ("l4", found["targets"][0]["facts"], True)
    ]
    assert one[0]["verdict"] == found["targets"][0]["verdict"]
    cli("gpu", "history", "HEAD:m/model.onnx", "--target", "h100", cwd=repo.path, check=0)
    cli("gpu", "history", "m/model.onnx", "--target", "L40S", cwd=repo.path, check=1)
    text = cli("gpu", "history", "m/model.onnx", cwd=repo.path, check=0).out
    assert text.count("gm1-gpu-facts:") == 2


def test_a_verdict_is_kept_once_and_keeps_other_lines(cli: Program, repo: GitRepo) -> None:
    cli("record", cwd=repo.path, check=0)
    check(cli, repo, "m/model.yaml", code=1)
    note = repo.git("notes", "--ref=gitops-model", "show", repo.git("rev-parse", "HEAD:m/model.onnx"))
    assert [json.loads(line)["kind"] for line in note.splitlines()].count("gpu") == 2
    assert '"kind":"fingerprint"' in note
    assert note.splitlines() == sorted(note.splitlines())
    check(cli, repo, "m/model.yaml", code=1)
    assert repo.git("notes", "--ref=gitops-model", "show", repo.git("rev-parse", "HEAD:m/model.onnx")) == note


def test_what_git_does_not_hold_is_not_recorded(cli: Program, repo: GitRepo, tmp_path: Path) -> None:
    check(cli, repo, "m/model.yaml", "--no-record", code=1)
    repo.write("new.onnx", dense())
    assert "git add" in check(cli, repo, "new.onnx", "--target", "l4", code=1)["unrecorded"][0]
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "a.onnx").write_bytes(dense())
    result = cli("gpu", "check", "a.onnx", "--target", "l4", cwd=outside, check=1)
    assert "no repository" in result.err
    assert repo.git("notes", "--ref=gitops-model", "list", check=False) == ""


# --- both documents ------------------------------------------------------------------------------------------------
def test_what_scan_and_probe_write_is_what_check_reads(cli: Program, repo: GitRepo) -> None:
    for form in ("yaml", "json"):
        needs = cli("gpu", "scan", "m/model.yaml", "--format", form, cwd=repo.path, check=0)
        here = cli("gpu", "probe", "--name", "a: b", "--format", form, cwd=repo.path, check=0)
        repo.write(f"needs.{form}", needs.stdout)
        repo.write(f"here.{form}", here.stdout)
        if form == "json":
            valid("requirements", needs.json())
            assert valid("target", here.json())["name"] == "a: b"
            assert yaml.safe_load((repo.path / "needs.yaml").read_text()) == needs.json()
        words = ("--requirements", f"needs.{form}", "--target", f"here.{form}")
        assert check(cli, repo, *words, code=1)["targets"][0]["target"] == "a: b"


def test_this_machine_can_be_named(cli: Program, repo: GitRepo) -> None:
    assert check(cli, repo, "m/model.yaml", "--target", "here", code=1)["targets"][0]["target"] == "here"


def test_scan_needs_something(cli: Program, repo: GitRepo) -> None:
    assert "something to look into" in cli("gpu", "scan", cwd=repo.path, check=2).err
