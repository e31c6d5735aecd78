"""Laws about the files of the tree and of the wheel."""

import ast
import os
import re
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support.wheel import ROOT, listed_packages, packages, tracked_files

LONG_FILES: dict[str, str] = {}
"""Python files that may have more than 400 lines, each with the reason."""

NEEDED = ("README.md", "CHANGELOG.md", "LICENSE", ".github/CONTRIBUTING.md", ".github/SECURITY.md", ".ci/run")
LOCKS = sorted(path.name for path in ROOT.glob("requirements-*.txt"))


@pytest.mark.parametrize("name", NEEDED)
def test_the_house_is_complete(name: str) -> None:
    assert (ROOT / name).stat().st_size > 100


def test_no_file_is_too_long_to_read() -> None:
    lengths = {name: len((ROOT / name).read_bytes().splitlines()) for name in tracked_files() if name.endswith(".py")}
    assert {name for name, length in lengths.items() if length > 400} == set(LONG_FILES)


def test_hooks_name_one_another_relatively() -> None:
    """hooks/ is `gitops_model.hooks` only once installed; an absolute import would not resolve in the checkout."""
    offences: list[str] = []
    for name in tracked_files():
        if name.startswith("hooks/") and name.endswith(".py"):
            for node in ast.walk(ast.parse((ROOT / name).read_bytes())):
                modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.level == 0:
                    modules = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
                offences += [f"{name}: {module}" for module in modules if re.match(r"(gitops_model\.)?hooks\b", module)]
    assert not offences


# --- the wheel -----------------------------------------------------------------------------------------------------
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


# --- nothing of the machine that built it --------------------------------------------------------------------------
def machine_paths() -> set[str]:
    """Folders of this machine that a file could betray; those that every machine has are none of its own."""
    own = {os.environ["GITOPS_MODEL_REAL_HOME"], str(ROOT), *map(str, ROOT.parents), sys.prefix, sys.base_prefix}
    return own - {"/", "/home", "/opt", "/srv", "/tmp", "/usr", "/usr/local", "/var", "/var/tmp"}


def named_paths(data: bytes, folders: Iterable[str]) -> list[str]:
    """Those of the folders that the bytes name as absolute paths; `home/x` in `pkg/home/x` does not name /home."""
    return [path for path in folders if re.search(rb"(?<![\w.}-])" + re.escape(os.fsencode(f"{path}/")), data)]


@pytest.mark.parametrize(
    "text, named",
    [
        ("gitops_model/nobodys/run.py,sha256=", []),
        ("$HOME/nobodys/run ./nobodys/run {home}/nobodys/run a-/nobodys/run", []),
        ("/nobodys/run", ["/nobodys"]),
        ("file:///nobodys/run", ["/nobodys"]),
        ('"/nobodys/folder/x"', ["/nobodys", "/nobodys/folder"]),
        ("--prefix=/nobodys/folder/x", ["/nobodys", "/nobodys/folder"]),
    ],
)
def test_a_path_is_named_from_its_root(text: str, named: list[str]) -> None:
    assert named_paths(text.encode(), ["/nobodys", "/nobodys/folder"]) == named


def test_tracked_files_name_no_path_of_this_machine() -> None:
    found = {name: named_paths((ROOT / name).read_bytes(), machine_paths()) for name in tracked_files()}
    assert not {name: paths for name, paths in found.items() if paths}


def test_the_wheel_names_no_path_of_this_machine(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = {name: named_paths(archive.read(name), machine_paths()) for name in archive.namelist()}
    assert not {name: paths for name, paths in found.items() if paths}


# --- the locks -----------------------------------------------------------------------------------------------------
def locked(name: str) -> dict[str, list[str]]:
    """Requirement (with its marker) → hashes, of one lock file."""
    found: dict[str, list[str]] = {}
    for entry in re.sub(r"\\\n\s*", " ", (ROOT / name).read_text(encoding="utf-8")).splitlines():
        if entry and not entry.startswith("#"):
            requirement, *hashes = entry.split(" --hash=")
            found[requirement.strip()] = [digest.strip() for digest in hashes]
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_locks_pin_every_version_with_hashes_and_name_no_index(name: str) -> None:
    assert locked(name)
    for requirement, hashes in locked(name).items():
        assert re.fullmatch(r"[a-z0-9-]+==[^\s;@]+( ; .+)?", requirement), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", entry) for entry in hashes), requirement


@pytest.mark.parametrize("group", ["test", "oracles", "action", "probe"])
def test_the_lock_fits_the_project(group: str) -> None:
    """Whoever changes a dependency runs `make lock`."""
    with (ROOT / "pyproject.toml").open("rb") as stream:
        project = tomllib.load(stream)
    pins = [Requirement(entry) for entry in locked(f"requirements-{group}.txt")]
    extras = {"test": ("review", "gpu", "run"), "probe": ("run",)}.get(group, ("review",))
    declared = [
        *project["project"]["dependencies"],
        *(entry for extra in extras for entry in project["project"]["optional-dependencies"][extra]),
        *project["dependency-groups"].get(group, ()),
    ]
    for entry in map(Requirement, declared):
        versions = [str(pin.specifier)[2:] for pin in pins if pin.name == canonicalize_name(entry.name)]
        assert versions, f"{entry.name} is not locked"
        assert all(version in entry.specifier for version in versions), f"{entry} is locked as {versions}"
