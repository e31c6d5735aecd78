"""Laws about the files of the tree and of the wheel."""

import zipfile
from pathlib import Path

import pytest
from support.wheel import ROOT, listed_packages, packages, tracked_files

LONG_FILES: dict[str, str] = {}
"""Python files that may have more than 400 lines, each with the reason."""

NEEDED = ("README.md", "CHANGELOG.md", "LICENSE", ".github/CONTRIBUTING.md", ".github/SECURITY.md", ".ci/run")


@pytest.mark.parametrize("name", NEEDED)
def test_the_house_is_complete(name: str) -> None:
    assert (ROOT / name).stat().st_size > 100


def test_no_file_is_too_long_to_read() -> None:
    lengths = {name: len((ROOT / name).read_bytes().splitlines()) for name in tracked_files() if name.endswith(".py")}
    assert {name for name, length in lengths.items() if length > 400} == set(LONG_FILES)


def test_every_package_of_the_tree_is_shipped() -> None:
    assert packages() == listed_packages()


def test_the_wheel_holds_what_the_tree_holds(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.split("/")[0].endswith((".dist-info", ".data"))}
    wanted = {
        name.replace("hooks/", "gitops_model/hooks/", 1) if name.startswith("hooks/") else name
        for name in tracked_files()
        if name.startswith(("gitops_model/", "hooks/"))
    }
    assert names == wanted
    assert "gitops_model/hooks/__init__.py" in names
