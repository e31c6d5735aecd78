"""What a tensor costs does not grow with the number of tensors: calls and bytes are counted, no clock is read."""

import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import gguf
import h5py
import numpy as np
import pytest
from safetensors.numpy import save
from support import torch_archive

from gitops_model.blob import Blob, NoSource
from gitops_model.fingerprint import fingerprint
from gitops_model.readers import read_model
from gitops_model.readers.bytes import TensorBytes

FEW, MANY = 1000, 8000


def names(count: int) -> list[str]:
    return [f"model.layers.{number // 10}.block.{number % 10:02}.weight" for number in range(count)]


def arrays(count: int) -> "dict[str, np.ndarray[Any, Any]]":
    return {name: np.full(4, number, np.float32) for number, name in enumerate(names(count))}


def as_npz(count: int) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays(count))
    return out.getvalue()


def as_hdf5(count: int) -> bytes:
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        for name, array in arrays(count).items():
            file[name.replace(".", "/")] = array
    return out.getvalue()


def as_gguf(count: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.gguf"
        writer = gguf.GGUFWriter(path, "llama")
        for name, array in arrays(count).items():
            writer.add_tensor(name, array)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path.read_bytes()


class Counted(Blob):
    """Counts the bytes that are asked for."""

    asked = 0

    def read(self, offset: int, length: int) -> bytes:
        self.asked += length
        return super().read(offset, length)


def cost(name: str, data: bytes, *, digest: bool) -> tuple[int, int]:
    """(calls, bytes read) of describing a file, or of describing and digesting it."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    blob = Counted(name, len(data), data=data)
    sys.setprofile(count)
    try:
        model = read_model(blob, NoSource())
        if digest:
            with TensorBytes(blob, NoSource()) as source:
                fingerprint(model, source, 1)
    finally:
        sys.setprofile(None)
    return calls, blob.asked


@pytest.mark.parametrize("digest", [False, True], ids=["show", "record"])
@pytest.mark.parametrize(
    "name, make",
    [
        ("a.safetensors", lambda count: save(arrays(count))),
        ("a.pt", lambda count: torch_archive.archive(names(count))),
        ("a.npz", as_npz),
        ("a.gguf", as_gguf),
        ("a.h5", as_hdf5),
    ],
    ids=["safetensors", "torch", "npz", "gguf", "hdf5"],
)
def test_a_tensor_costs_the_same_among_few_and_among_many(
    name: str, make: Callable[[int], bytes], digest: bool
) -> None:
    few, many = (cost(name, make(count), digest=digest) for count in (FEW, MANY))
    assert few[0] / FEW < 700, "calls for one tensor"
    assert many[0] / MANY <= few[0] / FEW * 1.1
    assert many[1] / MANY <= few[1] / FEW * 1.2 + 64
