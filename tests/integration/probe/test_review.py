"""`review --run-probe`: the numbers in the comment and in the report, what does not run as a finding."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.gitrepo import GitRepo
from support.probe_models import WEIGHT, custom, dense
from support.program import Program
from support.wheel import ROOT

from gitops_model.pipeline.review_report import parse
from gitops_model.render.review.markdown import document


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    """The base, tagged so, and a change of three models; the first one is equivalent, the last one does not run."""
    repo = git_repo(files={"a.onnx": dense(), "b.onnx": dense(), "c.onnx": dense(), ".gitops-model.toml": ""})
    repo.git("tag", "base")
    repo.commit("Change", {"a.onnx": dense(identity=True), "b.onnx": dense(2 * WEIGHT), "c.onnx": custom()})
    return repo


def reviewed(cli: Program, repo: GitRepo, *words: str, code: int = 0) -> dict[str, Any]:
    result = cli("review", "--base", "base", "--format", "json", *words, cwd=repo.path, check=code)
    schema = json.loads((ROOT / "gitops_model/render/review.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(result.json())
    assert document(parse(result.stdout))
    return result.json()


def codes(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["path"], one["code"], one["severity"]) for one in report["findings"] if one["code"] != "GM112"]


def test_nobody_asked(cli: Program, repo: GitRepo) -> None:
    report = reviewed(cli, repo)
    assert codes(report) == []
    assert "probe" not in json.dumps(report)


def test_numbers_and_findings(cli: Program, repo: GitRepo) -> None:
    report = reviewed(cli, repo, "--run-probe")
    found = codes(report)
    assert ("c.onnx", "GM013", "warning") in found
    assert {path for path, _, _ in found} == {"c.onnx"}
    models = {model["path"]: model for model in report["models"]}
    (table,) = [table for table in models["b.onnx"]["tables"] if table["kind"] == "probe"]
    ((name, kind, word, largest, relative, argmax),) = table["rows"]
    assert (name, kind, word, argmax) == ("y", "float32[1,4]", "differs", "100%")
    assert float(largest) > 0.1
    assert float(relative) == 0.5
    assert any("numeric probe: outputs are the same" in size for size in models["a.onnx"]["sizes"])
    assert any("numeric probe: not run" in size for size in models["c.onnx"]["sizes"])
    text = cli("review", "--base", "base", "--run-probe", cwd=repo.path, check=0).out
    assert "Numeric probe (1)" in text
    assert "GM013" in text


def test_the_checker_is_asked_too(cli: Program, repo: GitRepo) -> None:
    """As before there was a probe: the input `run-probe` of the action asked onnx.checker."""
    from support.onnx_models import model, value
    from support.probe_models import node

    unsorted = model([node("Relu", ["v"], ["y"]), node("Abs", ["x"], ["v"])], [value("x", [4])], [value("y", [4])])
    repo.commit("Unsorted", {"c.onnx": unsorted})
    assert ("c.onnx", "GM012", "error") in codes(reviewed(cli, repo, "--run-probe", code=1))


def test_what_did_not_run_before_is_no_finding_of_the_change(cli: Program, repo: GitRepo) -> None:
    repo.git("tag", "-f", "base")
    repo.commit("Repaired", {"c.onnx": dense()})
    report = reviewed(cli, repo, "--run-probe")
    assert codes(report) == []
    assert "before: GM013" in report["models"][0]["reasons"][0]


def test_the_configuration_of_the_base_may_hide_it(cli: Program, repo: GitRepo) -> None:
    rules = '[[paths]]\nmatch = ["c.onnx"]\nignore = ["GM013"]\n'
    repo.commit("Accept", {".gitops-model.toml": rules})
    repo.git("tag", "-f", "base")
    repo.commit("More", {"c.onnx": custom() + b"\x08\x0a"})
    assert not [code for code in codes(reviewed(cli, repo, "--run-probe")) if code[1] == "GM013"]
    assert "GM190" not in cli("check", "--all", cwd=repo.path).out  # `check` runs no model, so it cannot tell


def test_a_job(cli: Program, repo: GitRepo, tmp_path: Path) -> None:
    """--publish passes it on."""
    event = {
        "pull_request": {"base": {"sha": repo.git("rev-parse", "base")}, "head": {"sha": repo.git("rev-parse", "HEAD")}}
    }
    (tmp_path / "event.json").write_text(json.dumps(event | {"number": 7}))
    env = {
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_REPOSITORY": "octo/models",
        "GITHUB_RUN_ID": "1",
        "GITHUB_RUN_ATTEMPT": "1",
    }
    words = ("--publish", "--base", "base", "--head", "HEAD", "--run-probe", "--report-json", "report.json")
    cli("review", *words, cwd=repo.path, env=env, check=0)
    report = json.loads((repo.path / "report.json").read_text())
    assert ("c.onnx", "GM013", "warning") in codes(report)
