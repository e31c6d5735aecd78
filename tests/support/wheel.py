"""Builds the distribution from what git knows of the tree, in a folder of its own.

    python tests/support/wheel.py FOLDER    build the wheel into FOLDER and print its path

A build in the checkout would leave build/ behind, and the next wheel would hold files that are long deleted.
"""

import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked_files(root: Path = ROOT) -> list[str]:
    """Every file that git tracks or would track, relative to `root`, that is really there."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    return sorted({name for name in listing.stdout.split("\0") if name and (root / name).is_file()})


def packages(root: Path = ROOT) -> set[str]:
    """The packages that the tree holds, under the names they are installed by."""
    found: set[str] = set()
    for name in tracked_files(root):
        parts = Path(name).parts
        if parts[0] in {"gitops_model", "hooks"} and parts[-1] == "__init__.py":
            prefix = ["gitops_model"] if parts[0] == "hooks" else []
            found.add(".".join([*prefix, *parts[:-1]]))
    return found


def listed_packages(root: Path = ROOT) -> set[str]:
    """The packages that pyproject.toml ships."""
    with (root / "pyproject.toml").open("rb") as stream:
        return set(tomllib.load(stream)["tool"]["setuptools"]["packages"])


def build(folder: Path) -> Path:
    """Build the wheel of the tree into `folder`; returns its path."""
    if packages() != listed_packages():
        difference = ", ".join(sorted(packages() ^ listed_packages()))
        raise SystemExit(f"pyproject.toml: [tool.setuptools] packages does not match the tree: {difference}")
    with tempfile.TemporaryDirectory() as scratch:
        for name in tracked_files():
            if name.split("/", 1)[0] not in {"tests", "benchmarks", ".github"}:
                target = Path(scratch, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target)
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), scratch]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise SystemExit(f"{done.stdout}{done.stderr}")
    (wheel,) = folder.glob("gitops_model-*.whl")
    return wheel


if __name__ == "__main__":
    print(build(Path(sys.argv[1])))
