"""Names that a stranger's file may have or hold (tests/data/hostile_names.txt)."""

import ast
from pathlib import Path

_FILE = Path(__file__).parents[1] / "data" / "hostile_names.txt"

NAMES: list[str] = [
    ast.literal_eval(line)
    for line in _FILE.read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
