"""Writes every file that says again what the program says: a fact has one home, and the copies are made from it.

    python docs/generate.py           write the files that are out of date, and name them
    python docs/generate.py --check   name them, and fail if there are any (CI does; so does tests/quality)

Needs `gitops_model` to be importable (`PYTHONPATH=.` in a checkout).
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
BANNER = "Written by docs/generate.py; do not edit."


def suffixes() -> list[str]:
    """File name endings of every format, lower case."""
    from gitops_model.readers import FORMATS

    return sorted({suffix for row in FORMATS for suffix in row.suffixes})


def hook_suffixes() -> str:
    """hooks/suffixes.py: what a hook knows of the FORMATS table without importing a reader."""
    lines = [f'"""File name endings of models, from the FORMATS table. {BANNER}"""', "", "SUFFIXES = ("]
    lines += [f'    b"{suffix}",' for suffix in suffixes()]
    return "\n".join([*lines, ")", ""])


def pre_commit_hooks() -> str:
    """.pre-commit-hooks.yaml: the hooks as the pre-commit framework installs them."""
    endings = "|".join(re.escape(suffix[1:]) for suffix in suffixes() if suffix[0] == ".")
    names = "|".join(re.escape(suffix) for suffix in suffixes() if suffix[0] != ".")
    files = f"(?i)([^/]\\.({endings})|{names})$"
    common = ["  language: python", "  types: []", "  require_serial: true"]
    always = ["  language: python", "  always_run: true", "  pass_filenames: false", "  require_serial: true"]
    commit = ["  stages: [pre-commit]"]
    hooks = {
        "model-manifest": (
            "Check model manifests",
            "Every manifest that the commit touches, itself or through a file that it lists, is right.",
            [*always, *commit],
        ),
        "model-check": (
            "Check model files",
            "Model files can be read, are what their names say, and neither reach out nor execute.",
            [f"  files: '{files}'", *common, *commit],
        ),
        "model-record": (
            "Record model digests in git notes",
            "Weights are hashed, and the digests kept in refs/notes/gitops-model.",
            [f"  files: '{files}'", *common, *commit],
        ),
        "model-notes-push": (
            "Push model notes",
            "Notes follow the models to the remote. Never blocks a push.",
            [*always, "  stages: [pre-push]"],
        ),
    }
    lines = [f"# {BANNER}"]
    for name, (title, description, settings) in hooks.items():
        lines += [f"- id: {name}", f"  name: {title}", f"  description: {description}"]
        lines += [f"  entry: gitops-model-hook {name}", *settings]
    return "\n".join([*lines, ""])


FILES: dict[str, Callable[[], str]] = {
    "hooks/suffixes.py": hook_suffixes,
    ".pre-commit-hooks.yaml": pre_commit_hooks,
}
"""Path in the checkout → what it must hold."""


def stale() -> list[str]:
    """The files whose text is not what it should be."""
    return [name for name, make in FILES.items() if not _is(ROOT / name, make())]


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def main(words: list[str]) -> int:
    """Write or check; returns the exit code."""
    names = stale()
    for name in names:
        print(name)
        if words != ["--check"]:
            path = ROOT / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(FILES[name](), encoding="utf-8")
    return int(bool(names) and words == ["--check"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
