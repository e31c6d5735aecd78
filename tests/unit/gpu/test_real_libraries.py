"""Headers of real CUDA libraries give the counts that cuobjdump gave of the whole files (`make test-oracles`)."""

import json
from pathlib import Path

import pytest
from support import cuda

from gitops_model.gpu.fatbin import scan

GOLDEN = json.loads((cuda.BONES / "counts.json").read_text())
BONES = sorted(cuda.BONES.glob("*.bones"))


def test_real_libraries_are_here() -> None:
    assert len({GOLDEN[path.stem]["from"] for path in BONES}) >= 4


@pytest.mark.parametrize("path", BONES, ids=lambda path: path.stem)
def test_the_counts_are_those_of_cuobjdump(path: Path) -> None:
    found = scan(cuda.Bones(path))
    assert cuda.without_family(found.counts()) == GOLDEN[path.stem]["registered"]
    assert not found.problems


@pytest.mark.parametrize("path", BONES, ids=lambda path: path.stem)
def test_no_payload_is_read(path: Path) -> None:
    """Of the sections that hold registered code, only headers: 159 KB of the 284 MB of ONNX Runtime."""
    library = cuda.Bones(path)
    found = scan(library)
    images = sum(found.counts().values())
    assert library.headers <= 1024 * images + 65536


def test_every_container_of_a_real_library_is_registered() -> None:
    for path in BONES:
        found = scan(cuda.Bones(path))
        assert found.wrappers == sum(found.containers.values()), path.stem
