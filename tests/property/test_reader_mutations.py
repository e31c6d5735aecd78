"""Damaged files of every format: declared errors only, no hang, bounded memory. The loop is tests/support/mutate.py."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.format_zoo import FILES

ROOT = Path(__file__).parents[2]
LOOP = ROOT / "tests" / "support" / "mutate.py"
FUZZING = os.environ.get("GITOPS_MODEL_PROFILE") == "fuzz"
COUNT = 20_000 if FUZZING else 250
"""Damaged inputs per format: a fixed budget in `make test`, a longer one in `make fuzz`."""

DECLARED = {"read", *(f"GM{number:03}" for number in (*range(1, 12), *range(601, 608)))}


def loop(name: str, seed: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, LOOP, name, str(seed), str(COUNT)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.fuzz
@pytest.mark.parametrize("name", sorted(FILES))
def test_damaged_files_end_in_a_declared_error(name: str, model_file: Callable[[str, str], Path]) -> None:
    found = loop(name, seed=1)
    assert not found["failures"], "\n".join(found["failures"])
    assert set(found["codes"]) <= DECLARED
    assert sum(found["codes"].values()) == COUNT
    assert found["codes"].get("read", 0) < COUNT, "the damage must be noticed sometimes"
    assert found["slowest"] < 1, "seconds of the processor for one small input"
    assert found["peak"] < 512 << 20, "bytes, with the interpreter and every library that made the seed"
