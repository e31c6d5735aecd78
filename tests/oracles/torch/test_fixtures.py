"""torch against the committed golden file, and against every PyTorch file of the pinned model set."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import models

sys.path.insert(0, str(Path(__file__).parents[1]))

from torch_reference import reference

# torch warns about itself (quantisation and TorchScript are on their way out): no matter of ours.
pytestmark = pytest.mark.filterwarnings("ignore")

DATA = Path(__file__).parents[2] / "data" / "torch"
GOLDEN = json.loads((DATA / "golden.json").read_text(encoding="utf-8"))
PINNED = DATA / "pinned.json"


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_torch_reads_what_the_golden_file_says(name: str) -> None:
    assert reference(DATA / name) == GOLDEN[name]


def test_the_pinned_models(model_file: Callable[[str, str], Path], request: pytest.FixtureRequest) -> None:
    found = {
        f"{package} {path}": reference(model_file(package, path))
        for package, path in models.model_files(".pt", ".pth", ".jit", ".ckpt")
    }
    if request.config.getoption("--update-golden"):
        PINNED.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert found == json.loads(PINNED.read_text(encoding="utf-8"))
