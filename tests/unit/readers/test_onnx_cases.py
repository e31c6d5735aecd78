"""Files wrong in one way, each with one finding; and files that look wrong and are right (tests/cases/onnx)."""

import importlib.util
from pathlib import Path

import pytest

from gitops_model.blob import Blob, NoSource
from gitops_model.errors import BadFile, Problem
from gitops_model.readers import read_model
from gitops_model.readers.bytes import TensorBytes

CASES = Path(__file__).parents[2] / "cases" / "onnx"
GOOD = sorted((CASES / "good").glob("*.onnx"))
BAD = sorted((CASES / "bad").glob("*.onnx"))


class Nothing:
    """A source in whose folder there is no other file."""

    def open(self, path: str) -> Blob:
        raise BadFile(Problem("GM010", f"{path} is not there"))


def test_the_files_are_what_their_maker_writes() -> None:
    spec = importlib.util.spec_from_file_location("make_onnx_cases", CASES / "make.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    found = {f"{path.parent.name}/{path.name}": path.read_bytes() for path in CASES.glob("*/*.onnx")}
    assert found == maker.cases()


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_nothing_is_wrong(path: Path) -> None:
    with Blob.of_file(path) as blob, TensorBytes(blob, NoSource()) as data:
        model = read_model(blob, NoSource())
        assert model.problems == ()
        for tensor in model.tensors:
            if type(tensor.data).__name__ != "Sparse":
                assert sum(map(len, data.chunks(tensor.data))) == tensor.nbytes


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_one_thing_is_wrong(path: Path) -> None:
    with Blob.of_file(path) as blob:
        try:
            problems = read_model(blob, Nothing()).problems
        except BadFile as error:
            problems = (error.problem,)
    assert [problem.code for problem in problems] == [path.stem[:5]]
    assert problems[0].message


def test_external_data_that_is_not_asked_for_is_described() -> None:
    with Blob.of_file(CASES / "bad" / "GM010-not-there.onnx") as blob:
        model = read_model(blob, NoSource())
    assert model.problems == ()
    assert model.deps == ("w.bin",)
    assert [tuple(tensor.data) for tensor in model.tensors] == [(0, 8, "w.bin")]
