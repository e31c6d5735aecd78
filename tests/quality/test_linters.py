"""Every linter is clean. Each runs as its users run it: the real program, configured by the files of the tree."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.wheel import ROOT, tracked_files


def clean(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a linter; it must exit 0."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | (env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command[0]} exits {done.returncode}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("verb", ["check", "format --check"])
def test_ruff(verb: str) -> None:
    clean("ruff", *verb.split(), "--no-cache", ".")


def test_pyright() -> None:
    clean("pyright", "--pythonpath", sys.executable, "--warnings")


def test_import_contracts(site: Path, tmp_path: Path) -> None:
    # From elsewhere: the linter puts the working directory on the path, and would read the checkout, where hooks/ is
    # not gitops_model.hooks.
    config = ROOT / "pyproject.toml"
    clean("lint-imports", "--no-cache", "--config", config, cwd=tmp_path, env={"PYTHONPATH": str(site)})


def workflows() -> list[str]:
    return [name for name in tracked_files() if name.startswith(".github/workflows/") and name.endswith(".yml")]


def test_zizmor() -> None:
    clean("zizmor", "--offline", "--persona=auditor", "--strict-collection", "--no-progress", ".")


def test_actionlint() -> None:
    assert workflows()
    clean("actionlint", *workflows())


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_workflows_match_their_schema(schema: str) -> None:
    clean("check-jsonschema", "--builtin-schema", schema, *workflows())


def test_manifests_match_their_schema() -> None:
    names = tracked_files()
    if actions := [name for name in names if Path(name).name == "action.yml"]:
        clean("check-jsonschema", "--builtin-schema", "vendor.github-actions", *actions)
    if ".pre-commit-hooks.yaml" in names:
        clean("pre-commit", "validate-manifest", ".pre-commit-hooks.yaml")


OFFENCES = {
    "errors.py": "import gitops_model.checks",  # upwards
    "stray.py": "",  # in no layer
    "blob.py": "import requests",
    "finding.py": "import pygit2",
    "readers/__init__.py": "import pickle",
    "checks/__init__.py": "import torch",
}


def test_import_contracts_can_fail(site: Path, tmp_path: Path) -> None:
    shutil.copytree(site / "gitops_model", tmp_path / "gitops_model")
    for name, line in OFFENCES.items():
        with (tmp_path / "gitops_model" / name).open("a", encoding="utf-8") as stream:
            stream.write(f"\n\ndef _offence():\n    {line or 'pass'}\n")
    done = subprocess.run(
        ["lint-imports", "--no-cache", "--config", ROOT / "pyproject.toml"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    for sentence in (
        "gitops_model.errors -> gitops_model.checks",
        "- gitops_model.stray",
        "gitops_model.blob is not allowed to import requests",
        "gitops_model.finding is not allowed to import pygit2",
        "gitops_model.readers is not allowed to import pickle",
        "gitops_model.checks is not allowed to import torch",
    ):
        assert sentence in done.stdout
