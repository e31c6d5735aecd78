"""The ONNX reader against the `onnx` library: every file of the pinned model set, and a zoo with every field."""

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from support import models, onnx_oracle, onnx_zoo

from gitops_model.blob import Blob, NoSource
from gitops_model.readers.onnx.model import read


class Folder:
    """A source that opens files of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, path: str) -> Blob:
        return Blob.of_file(self.folder / path, path)


def test_the_pinned_set_has_onnx_models(model_file: Callable[[str, str], Path]) -> None:
    assert len(models.model_files(".onnx")) == 25


@pytest.mark.parametrize("package, path", models.model_files(".onnx"))
def test_a_real_model_is_described_as_the_library_does(
    model_file: Callable[[str, str], Path], package: str, path: str
) -> None:
    model = onnx_oracle.check_file(model_file(package, path))
    assert model.tensors
    assert model.problems == ()


@pytest.mark.parametrize("name", onnx_zoo.ZOO)
def test_a_model_of_the_zoo_is_described_as_the_library_does(name: str) -> None:
    model = onnx_oracle.check_bytes(onnx_zoo.ZOO[name]().SerializeToString())
    assert model.problems == ()


def test_the_zoo_has_every_element_type() -> None:
    found = {
        tensor.dtype
        for name, make in onnx_zoo.ZOO.items()
        if name.startswith("raw-")
        for tensor in onnx_oracle.check_bytes(make().SerializeToString()).tensors
    }
    assert len(found) == len(onnx.TensorProto.DataType.values()) - 2  # all but UNDEFINED and STRING


def test_external_data_is_found_where_the_library_finds_it(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_zoo.external(tmp_path).SerializeToString())
    model = onnx_oracle.check_file(path, Folder(tmp_path))
    assert set(model.deps) == {"deep/w.bin", "alone.bin"}
    assert model.problems == ()


def test_attributes_without_a_type_are_read_as_the_field_that_is_set() -> None:
    content = onnx_zoo.old().SerializeToString()
    model = read(Blob.of_bytes("old.onnx", content), NoSource())
    assert model.opset == {"ai.onnx": 1}
    assert model.graph is not None
    assert [tuple(attribute) for attribute in model.graph.nodes[0].attributes] == [
        ("group", "int", 2),
        ("pads", "ints", (1, 2)),
    ]
