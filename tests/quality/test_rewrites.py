"""Every known rewrite is whole: a page, a file of its own, cases to be named and more that must not be claimed."""

import pytest
from support.rewrite_cases import CASES, walk
from support.wheel import ROOT

from gitops_model.diff.rewrites import LOSSY, REWRITES, module_of, numeric

PATTERNS = (*REWRITES, *LOSSY)
FEWEST_GOOD, FEWEST_BAD = 2, 3
ELSEWHERE = {"prefix": "a graph does not depend on names: it is read off the weights' (tests/unit/diff/test_prefix.py)"}
"""Rewrites without cases here, each with the reason."""


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_rewrite_has_a_page_and_says_what_it_is(pattern: str) -> None:
    module = module_of(pattern)
    title, _, text = (module.__doc__ or "").partition("\n\n")
    assert title
    assert len(text) > 60
    assert pattern == module.PATTERN
    assert numeric(pattern) in ({"lossy"} if pattern in LOSSY else {"exact", "rounded"})


def test_each_rewrite_has_a_file_of_its_own_and_each_file_a_rewrite() -> None:
    files = {path.stem for path in (ROOT / "gitops_model" / "diff" / "rewrites").glob("*.py")} - {"__init__"}
    modules = [*REWRITES.values(), *LOSSY.values()]
    assert files == set(modules)
    assert len(set(modules)) == len(modules)


@pytest.mark.parametrize("pattern", [pattern for pattern in PATTERNS if pattern not in ELSEWHERE])
def test_the_rewrite_has_enough_cases(pattern: str) -> None:
    cases = [case for case in walk() if case.pattern == pattern]
    assert len([case for case in cases if case.good]) >= FEWEST_GOOD
    assert len([case for case in cases if not case.good]) >= FEWEST_BAD


def test_each_case_belongs_to_a_rewrite_and_says_what_it_is_about() -> None:
    assert {path.name for path in CASES.iterdir()} == set(PATTERNS) - ELSEWHERE.keys()
    for case in walk():
        assert len(case.text) > 10, case.name
        assert case.graphs[0] != case.graphs[1] or "->" in case.keys["opset"], case.name
        assert case.good == ("rewrites" in case.keys), case.name
        assert case.good or "reals" not in case.keys, case.name
        assert not (case.good and case.keys.keys() & {"unequal", "named"}), case.name


def test_bad_cases_that_cannot_be_seen_to_differ_are_few() -> None:
    """Most of them must really compute something else."""
    bad = walk("bad")
    assert len([case for case in bad if "unequal" in case.keys]) * 5 < len(bad)
