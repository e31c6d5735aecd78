"""Folders of good and bad cases, found by walking, and laid out in a scratch folder.

A case's files lie in its folder. What cannot stand in a repository is described in `setup.json`:
`{"path": {"repeat": [["text", times], …]}}` for a long file, `{"link": target}`, `{"fifo": true}`.
`expected.json` is what a run over the case reports; good cases have none.
"""

import json
import os
import shutil
from pathlib import Path

CASES = Path(__file__).parent.parent / "cases"
OURS = {"setup.json", "expected.json"}


def walk(kind: str) -> list[Path]:
    """The case folders below `tests/cases/KIND`, sorted."""
    return sorted(path for path in (CASES / kind).iterdir() if path.is_dir())


def lay(case: Path, target: Path) -> Path:
    """Copy a case into `target` and make what its setup.json says."""
    shutil.copytree(case, target, ignore=lambda _, names: OURS & set(names))
    setup = case / "setup.json"
    for name, what in (json.loads(setup.read_text()) if setup.exists() else {}).items():
        path = target / name
        if "repeat" in what:
            path.write_text("".join(text * times for text, times in what["repeat"]))
        elif "link" in what:
            path.symlink_to(what["link"])
        else:
            os.mkfifo(path)
    return target


def has_fifo(case: Path) -> bool:
    setup = case / "setup.json"
    return setup.exists() and "fifo" in setup.read_text()
