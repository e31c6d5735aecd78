"""Precedence as semver.org, item 11, has it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_model.release.versions import SEMVER, Version

RISING = "1.0.0-1 1.0.0-2 1.0.0-10 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11"
RISING += " 1.0.0-rc.1 1.0.0-rc.2 1.0.0-rc.10 1.0.0 1.0.1-rc.1 1.0.1 1.0.10 1.2.0 1.10.0 2.0.0"


def version(text: str) -> Version:
    found = Version.parse(text)
    assert found is not None
    assert str(found) == text
    return found


@pytest.mark.parametrize("low, high", list(pairwise(RISING.split())))
def test_order(low: str, high: str) -> None:
    assert version(low).precedence < version(high).precedence


def test_build_counts_for_nothing() -> None:
    assert version("1.0.0+a").precedence == version("1.0.0+b").precedence
    assert version("1.0.0-rc.1+a").base == "1.0.0"


@pytest.mark.parametrize(
    "text", ["1", "1.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+", "1.0.0\n", "", "a" * 300]
)
def test_no_version(text: str) -> None:
    assert Version.parse(text) is None


@given(st.from_regex(rf"\A(?:{SEMVER})\Z"))
def test_what_is_written_is_what_was_read(text: str) -> None:
    if len(text) <= 200:
        version(text)
