"""TensorFlow's own reading of the pinned SavedModels, against the committed golden file."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blake3 import blake3
from support import models

GOLDEN = Path(__file__).parents[2] / "data" / "tensorflow" / "saved_models.json"
GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
"""A protobuf in a string: what belongs to what. No variable."""


def digest(array: "np.ndarray[Any, Any]") -> str:
    """From docs/format.md alone: shares no line with gitops-model."""
    shape = ",".join(map(str, array.shape))
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"))
    head = f"gitops-model/tensor/1\0{array.dtype.name}\0{shape}\0".encode()
    return blake3(head + little.tobytes()).hexdigest()


def reference(folder: Path) -> dict[str, list[Any]]:
    """Every variable of `variables/`, by its key in the checkpoint."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
    found: dict[str, list[Any]] = {}
    for name in reader.get_variable_to_shape_map():
        if name != GRAPH:
            array = np.asarray(reader.get_tensor(name))
            found[name] = [array.dtype.name, list(array.shape), digest(array)]
    return found


def test_the_pinned_models(model_file: Callable[[str, str], Path], request: pytest.FixtureRequest) -> None:
    found: dict[str, dict[str, list[Any]]] = {}
    for package, path in models.model_files("saved_model.pb"):
        folder = path.rpartition("/")[0]
        for other_package, other in models.model_files(".index", ".data-00000-of-00001"):
            if other_package == package and other.startswith(f"{folder}/variables/"):
                model_file(package, other)
        found[f"{package} {path}"] = reference(model_file(package, path).parent)
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8"))
