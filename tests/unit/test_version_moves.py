"""How far versions move, and which move is enough for a change."""

import pytest

from gitops_model.release.bump import bumped, enough, moved, raised
from gitops_model.release.versions import Version


def version(text: str) -> Version:
    found = Version.parse(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "before, after, how",
    [
        ("1.2.3", "1.2.3", "none"),
        ("1.2.3", "1.2.3+build", "none"),
        ("1.2.3", "1.2.4", "patch"),
        ("1.2.3", "1.3.0", "minor"),
        ("1.2.3", "2.0.0", "major"),
        ("1.2.3", "2.0.0-rc.1", "major"),
        ("1.2.3", "1.3.0-rc.1", "minor"),
        ("1.2.3", "1.2.2", None),
        ("1.2.3", "1.2.3-rc.1", None),
        ("2.0.0-rc.1", "2.0.0-rc.1", "none"),
        ("2.0.0-rc.1", "2.0.0-rc.2", "major"),
        ("2.1.0-rc.1", "2.1.0", "minor"),
        ("2.1.1-rc.1", "2.1.1-rc.2", "patch"),
        ("9.9.9", "10.0.0", "major"),
    ],
)
def test_moves(before: str, after: str, how: str | None) -> None:
    assert moved(version(before), version(after)) == how


@pytest.mark.parametrize(
    "before, after, wanted, is_enough",
    [
        ("1.0.0", "1.0.0", "none", True),
        ("1.0.0", "0.9.0", "none", True),
        ("1.0.0", "1.0.0", "patch", False),
        ("1.0.0", "1.0.1", "patch", True),
        ("1.0.0", "1.0.1", "minor", False),
        ("1.0.0", "1.1.0", "major", False),
        ("1.0.0", "2.0.0-rc.1", "major", True),
        ("1.0.0", "1.0.1-rc.1", "minor", False),
        ("0.3.0", "0.4.0", "major", True),
        ("0.3.0", "0.3.1", "major", False),
        ("0.3.0", "0.3.1", "minor", False),
        ("0.3.0", "1.0.0", "major", True),
        ("1.0.0", "0.9.0", "patch", False),
    ],
)
def test_enough(before: str, after: str, wanted: str, is_enough: bool) -> None:
    assert enough(version(before), version(after), wanted) is is_enough


@pytest.mark.parametrize(
    "before, wanted, after",
    [
        ("1.2.3", "none", "1.2.3"),
        ("1.2.3", "patch", "1.2.4"),
        ("1.2.3", "minor", "1.3.0"),
        ("1.2.3", "major", "2.0.0"),
        ("0.2.3", "major", "0.3.0"),
        ("2.0.0-rc.1", "major", "2.0.0-rc.2"),
        ("2.0.0-alpha", "patch", "2.0.0-alpha.1"),
        ("1.2.3-rc.1", "minor", "1.3.0"),
        ("1.2.3+build", "patch", "1.2.4"),
    ],
)
def test_the_next_version_is_enough_and_no_smaller_one_of_its_kind(before: str, wanted: str, after: str) -> None:
    found = bumped(version(before), wanted)
    assert str(found).partition("+")[0] == after.partition("+")[0]
    assert enough(version(before), found, wanted)


@pytest.mark.parametrize(
    "before, part, after",
    [("1.2.3", "minor", "1.3.0"), ("2.0.0-rc.1", "major", "2.0.0"), ("1.2.0-rc.1", "patch", "1.2.0")],
)
def test_a_part_by_hand(before: str, part: str, after: str) -> None:
    assert str(raised(version(before), part)) == after
