"""SavedModel variables against what TensorFlow read (tests/data/tensorflow, written by `make test-oracles`)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import models
from support.folder import Folder

from gitops_model.blob import Blob
from gitops_model.fingerprint import fingerprint
from gitops_model.readers import read_model
from gitops_model.readers.bytes import TensorBytes

GOLDEN = Path(__file__).parents[2] / "data" / "tensorflow" / "saved_models.json"
MODELS: dict[str, dict[str, list[Any]]] = json.loads(GOLDEN.read_text(encoding="utf-8"))
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


@pytest.mark.parametrize("key", sorted(MODELS))
def test_every_variable_is_what_tensorflow_reads(key: str, model_file: Callable[[str, str], Path]) -> None:
    package, path = key.split(" ", 1)
    folder = path.rpartition("/")[0]
    for other_package, other in models.model_files(".index", ".data-00000-of-00001"):
        if other_package == package and other.startswith(f"{folder}/variables/"):
            model_file(package, other)
    file = model_file(package, path)
    source = Folder(file.parent)
    with Blob.of_file(file) as blob, TensorBytes(blob, source) as data:
        found = {item.name: item for item in fingerprint(read_model(blob, source), data).tensors}
    expected = {name.removesuffix(SUFFIX): value for name, value in MODELS[key].items()}
    assert len(expected) > 50
    assert {name: [found[name].dtype, list(found[name].shape), found[name].digest] for name in expected} == expected
