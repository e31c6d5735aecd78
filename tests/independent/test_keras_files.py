"""Keras archives against h5py, and one model saved on two days."""

import io
import json
import zipfile

import h5py
import numpy as np
from support.contents import contents, held
from support.format_zoo import hdf5

from gitops_model.blob import Blob, NoSource
from gitops_model.fingerprint import Fingerprint, fingerprint
from gitops_model.readers import read_model
from gitops_model.readers.bytes import TensorBytes

LAYERS = [
    {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, 4], "dtype": "float32"}},
    {"class_name": "Dense", "config": {"name": "layer", "units": 6, "activation": "relu"}},
]


def archive(day: str, weights: bytes, units: int = 6) -> bytes:
    out = io.BytesIO()
    layers = [LAYERS[0], {**LAYERS[1], "config": {**LAYERS[1]["config"], "units": units}}]  # type: ignore[dict-item]
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": layers}}
    with zipfile.ZipFile(out, "w") as file:
        moment = (int(day[:4]), int(day[5:7]), int(day[8:]), 12, 0, 0)
        for name, content in (
            ("metadata.json", json.dumps({"keras_version": "3.5.0", "date_saved": f"{day}@12:00:00"})),
            ("config.json", json.dumps(config)),
            ("model.weights.h5", weights),
        ):
            file.writestr(zipfile.ZipInfo(name, moment), content)
    return out.getvalue()


def digests(data: bytes) -> Fingerprint:
    blob = Blob.of_bytes("m.keras", data)
    with TensorBytes(blob, NoSource()) as source:
        return fingerprint(read_model(blob, NoSource()), source)


def test_the_arrays_are_those_of_the_weights_file() -> None:
    weights = hdf5("earliest")
    with h5py.File(io.BytesIO(weights)) as file:
        expected = {}

        def visit(name: str, thing: object) -> None:
            if isinstance(thing, h5py.Dataset):
                expected[name.removesuffix(":0")] = held(np.asarray(thing[()]))

        file.visititems(visit)
    assert contents(archive("2026-01-01", weights), "m.keras") == expected


def test_one_model_saved_on_two_days_is_one_model() -> None:
    weights = hdf5("earliest")
    first, second = archive("2026-01-01", weights), archive("2026-02-03", weights)
    assert first != second
    assert digests(first) == digests(second)


def test_another_architecture_over_the_same_weights_is_another_structure() -> None:
    weights = hdf5("earliest")
    one, other = digests(archive("2026-01-01", weights)), digests(archive("2026-01-01", weights, units=7))
    assert one.weights == other.weights
    assert one.structure != other.structure
