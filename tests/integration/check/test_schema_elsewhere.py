"""The published schema in the hands of another tool, and beside the other schemas of this program."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from support.cases import walk
from support.wheel import ROOT

SCHEMA = ROOT / "gitops_model" / "manifest" / "schema.json"

TYPED_BY_YAML = {"all_sections", "words_of_yaml_1_1", "name_like_a_number", "limit_depth_32"}
"""Good manifests in which YAML itself makes numbers and truth values of texts; see tests/cases/test_manifest.py."""

FOR_PEOPLE_ONLY = {"GM101", "GM102", "GM110", "GM111", "GM112", "GM113", "GM115", "GM116"}
"""Findings that take more than the values of a manifest."""


def run(tool: Path, *words: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([tool, "--output-format", "json", *words], capture_output=True, check=False)


def test_the_schema_is_one(require_tool: Callable[[str], Path]) -> None:
    done = run(require_tool("check-jsonschema"), "--check-metaschema", SCHEMA)
    assert done.returncode == 0, done.stdout.decode()


def test_check_jsonschema_takes_the_good_manifests(require_tool: Callable[[str], Path]) -> None:
    good = [case / "model.yaml" for case in walk("manifest/good") if case.name not in TYPED_BY_YAML]
    good = [path for path in good if path.exists()]
    done = run(require_tool("check-jsonschema"), "--schemafile", SCHEMA, *good)
    assert done.returncode == 0, done.stdout.decode()


def test_check_jsonschema_refuses_what_a_schema_can_refuse(require_tool: Callable[[str], Path]) -> None:
    bad: dict[str, Path] = {}
    for case in walk("manifest/bad"):
        if not (case / "model.yaml").exists():
            continue  # made by its setup.json
        codes = {finding["code"] for finding in json.loads((case / "expected.json").read_text())}
        if codes & {"GM103", "GM105", "GM106", "GM107", "GM109", "GM117"} and not codes & FOR_PEOPLE_ONLY:
            bad[str(case / "model.yaml")] = case
    done = run(require_tool("check-jsonschema"), "--schemafile", SCHEMA, *bad)
    assert done.returncode == 1
    said = json.loads(done.stdout)
    refused = {error["filename"] for error in said["errors"]} | {error["filename"] for error in said["parse_errors"]}
    assert len(bad) > 50
    assert set(bad) - refused == set()


def test_what_runtime_adds_is_what_a_gpu_check_takes() -> None:
    """The keys of `runtime` are those of the requirements of `gpu check`, but for what only plans memory."""
    runtime = json.loads(SCHEMA.read_text())["properties"]["runtime"]["properties"]
    requirements = json.loads((ROOT / "gitops_model/gpu/requirements.schema.json").read_text())["properties"]
    assert set(runtime) - set(requirements) == {"batch", "dimensions", "image"}
