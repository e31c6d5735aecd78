"""Every manifest case: what is reported, in a plain folder and in a commit, and what the schema alone says of it."""

import json
import os
import time
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from support import gitrepo
from support.cases import has_fifo, lay, walk

from gitops_model.blob import Blob
from gitops_model.finding import Finding, Report
from gitops_model.manifest import load
from gitops_model.manifest.nodes import compose
from gitops_model.manifest.text import decode
from gitops_model.manifest.typed import typed
from gitops_model.manifest.validate import schema
from gitops_model.pipeline.check import check

GOOD = walk("manifest/good")
BAD = walk("manifest/bad")
BY_SCHEMA = {"GM103", "GM104", "GM105", "GM106", "GM107", "GM108", "GM109", "GM110", "GM114", "GM117"}
"""What a JSON Schema can say."""

SECONDS = 2.0
"""No case may take longer, however hostile; the slowest takes a tenth of it."""


def name(case: Path) -> str:
    return case.name


def as_json(findings: tuple[Finding, ...]) -> list[dict[str, object]]:
    return [{**finding._asdict(), "severity": finding.severity.label} for finding in findings]


def run(folder: Path) -> Report:
    start = time.perf_counter()
    report = check(str(folder), os.environ, paths=["."])
    assert time.perf_counter() - start < SECONDS
    return report


@pytest.mark.parametrize("case", GOOD, ids=name)
def test_good_case_is_clean(case: Path, tmp_path: Path) -> None:
    assert as_json(run(lay(case, tmp_path / "case")).findings) == []


@pytest.mark.parametrize("case", BAD, ids=name)
def test_bad_case_is_reported(case: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    got = as_json(run(lay(case, tmp_path / "case")).findings)
    golden = case / "expected.json"
    if request.config.getoption("--update-golden"):
        golden.write_text(json.dumps(got, indent=1, ensure_ascii=True) + "\n")
    assert got, "a bad case must have findings"
    assert got == json.loads(golden.read_text())


def staged(case: Path, tmp_path: Path) -> Report:
    lay(case, tmp_path / "case")
    repo = gitrepo.init(tmp_path / "case")
    repo.git("add", "--all", "--force")
    return check(str(repo.path), os.environ, staged=True)


@pytest.mark.parametrize("case", GOOD, ids=name)
def test_good_case_is_clean_when_staged(case: Path, tmp_path: Path) -> None:
    assert as_json(staged(case, tmp_path).findings) == []


@pytest.mark.parametrize("case", [case for case in BAD if not has_fifo(case)], ids=name)
def test_bad_case_is_reported_alike_when_staged(case: Path, tmp_path: Path) -> None:
    """Only the command that helps may differ: in a repository a file can be restored."""
    got = [{**finding, "hint": None} for finding in as_json(staged(case, tmp_path).findings)]
    assert got == [{**finding, "hint": None} for finding in json.loads((case / "expected.json").read_text())]


@pytest.mark.parametrize("case", BAD, ids=name)
def test_every_finding_says_where_and_what_to_do(case: Path) -> None:
    for finding in json.loads((case / "expected.json").read_text()):
        assert finding["hint"]
        assert finding["severity"] == "error"
        in_manifest = finding["path"].endswith("model.yaml") and finding["code"] != "GM008"
        assert (finding["line"] is not None) == in_manifest, finding
        assert (finding["column"] is not None) == in_manifest, finding


def manifests(cases: list[Path]) -> list[Path]:
    return [case for case in cases if (case / "model.yaml").exists()]


@pytest.mark.parametrize("case", manifests(GOOD + BAD), ids=name)
def test_the_published_schema_alone_agrees(case: Path) -> None:
    """A plain JSON Schema validator on the typed document finds a fault where, and only where, the loader does."""
    data = (case / "model.yaml").read_bytes()
    _, problems = load(Blob.of_bytes("model.yaml", data))
    text, _ = decode(data)
    root = compose(text).root if text is not None else None
    if text is None or root is None:
        assert {problem.code for problem in problems} <= {"GM101", "GM104", "GM113", "GM115"}
        return
    document = typed(root, schema(), schema())
    valid = Draft202012Validator(schema()).is_valid(document)
    assert valid == (not BY_SCHEMA & {problem.code for problem in problems})


TYPED_BY_YAML = {
    "all_sections": "12.10 is a number to YAML",
    "words_of_yaml_1_1": "its keys and symbols are truth values to YAML 1.1",
    "name_like_a_number": "1.10 is a number to YAML",
    "limit_depth_32": "PyYAML reads it",
}


@pytest.mark.parametrize("case", [case for case in manifests(GOOD) if case.name not in TYPED_BY_YAML], ids=name)
def test_a_common_loader_reads_good_manifests_alike(case: Path) -> None:
    document = yaml.safe_load((case / "model.yaml").read_bytes())
    assert list(Draft202012Validator(schema()).iter_errors(document)) == []


def test_the_schema_is_itself_valid() -> None:
    Draft202012Validator.check_schema(schema())


def test_there_are_enough_cases() -> None:
    assert len(BAD) >= 60
    codes = {finding["code"] for case in BAD for finding in json.loads((case / "expected.json").read_text())}
    assert codes >= {f"GM1{number:02}" for number in range(1, 18)}
