"""Every rule is whole: code, name, page, example and fix; and no code is used that has no rule."""

import os
import re
from pathlib import Path

import pytest
from support.cases import walk
from support.wheel import ROOT

from gitops_model import checks
from gitops_model.checks import CHECKS, JUDGING, page_of, rule_of
from gitops_model.pipeline.check import check

PACKAGE = ROOT / "gitops_model"


@pytest.mark.parametrize("code", CHECKS)
def test_the_rule_has_its_own_code_and_a_page(code: str) -> None:
    rule = rule_of(code)
    page = page_of(code)
    assert rule.code == code
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
    assert rule.summary[0].islower()
    assert not rule.summary.endswith(".")
    assert f" {code} " in page.partition("Example:")[2]
    assert f" {rule.severity.label} {code}" in page
    assert "\nFix: " in page


def test_names_are_unique() -> None:
    names = [rule_of(code).name for code in CHECKS]
    assert len(set(names)) == len(names)


def test_each_rule_has_a_file_of_its_own_and_each_file_a_rule() -> None:
    shared = {"__init__", "facts", "reported", "signature"}
    files = {path.stem for path in (PACKAGE / "checks").glob("*.py")} - shared
    assert files == set(CHECKS.values())
    assert len(set(CHECKS.values())) == len(CHECKS)


def test_the_rules_that_compare_facts_are_named() -> None:
    """The others are not run where no problem has their code, so a rule that is missing here would never speak."""
    silent = {code for code in CHECKS if "reported(RULE, facts)" in source(checks.module_of(code).__file__ or "")}
    assert {*JUDGING, *silent, "GM003"} == set(CHECKS)
    assert silent & set(JUDGING) == {"GM116"}


def source(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def test_every_problem_that_the_package_makes_has_a_rule() -> None:
    made = {
        match
        for path in PACKAGE.rglob("*.py")
        if "gpu" not in path.relative_to(PACKAGE).parts  # verdicts carry GM4 codes of their own table
        for match in re.findall(r'\bProblem\(\s*"(GM[0-9]{3})"', source(str(path)))
    }
    assert made
    assert made <= set(CHECKS)


def test_what_a_rule_needs_is_never_less_than_what_it_looks_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over all cases of manifests: with every rule asked, the findings are the same."""
    everywhere = dict.fromkeys(JUDGING, lambda _: True)
    for case in walk("manifest/bad") + walk("manifest/good"):
        if (case / "setup.json").exists():
            continue
        usual = check(str(case), os.environ, paths=["."])
        with monkeypatch.context() as patch:
            patch.setattr(checks, "JUDGING", everywhere)
            assert check(str(case), os.environ, paths=["."]) == usual
