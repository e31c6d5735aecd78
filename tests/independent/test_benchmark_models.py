"""What benchmarks/make_models.py writes is valid, is what it says, and is the same every time."""

import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from safetensors.numpy import load_file
from support import onnx_oracle
from support.wheel import ROOT

from gitops_model.blob import Blob

MAKER = ROOT / "benchmarks" / "make_models.py"


class Folder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, path: str) -> Blob:
        return Blob.of_file(self.folder / path, path)


def make(kind: str, path: Path, *words: str) -> Path:
    subprocess.run([sys.executable, str(MAKER), kind, str(path), *words], check=True)
    return path


@pytest.mark.parametrize("kind", ["onnx", "onnx-external", "graph", "trees"])
def test_an_onnx_model_is_valid(kind: str, tmp_path: Path) -> None:
    path = make(kind, tmp_path / "m.onnx", "--bytes", "700000", "--nodes", "2501")
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx_oracle.check_file(path, Folder(tmp_path))
    assert model.problems == ()
    first = path.read_bytes()
    assert make(kind, path, "--bytes", "700000", "--nodes", "2501").read_bytes() == first


def test_inline_external_and_safetensors_hold_the_same_weights(tmp_path: Path) -> None:
    words = ("--bytes", "700000", "--change", "3")
    inline = list(onnx_oracle.weights(onnx.load(make("onnx", tmp_path / "a.onnx", *words))))
    beside = onnx.load(make("onnx-external", tmp_path / "b.onnx", *words), load_external_data=False)
    assert sorted(onnx_oracle.weights(beside, str(tmp_path))) == sorted(inline)
    tensors = load_file(make("safetensors", tmp_path / "c.safetensors", *words))
    assert sorted((name, "float32", array.shape, array.tobytes()) for name, array in tensors.items()) == sorted(inline)
    assert abs(sum(len(data) for *_, data in inline) - 700_000) < 30_000  # type: ignore[arg-type]


def test_a_change_is_one_element_of_so_many_tensors(tmp_path: Path) -> None:
    before, after = (
        {
            name: data
            for name, _, _, data in onnx_oracle.weights(
                onnx.load(make("onnx", tmp_path / f"{change}.onnx", "--bytes", "700000", "--change", change))
            )
        }
        for change in ("0", "3")
    )
    assert before.keys() == after.keys()
    assert sum(before[name] != after[name] for name in before) == 3
    assert len(set(before.values())) == len(before)
