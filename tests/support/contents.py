"""Every tensor of a file as plain values, and a NumPy array as the same: what oracle tests compare."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gitops_model.blob import Blob, NoSource, Source
from gitops_model.readers import read_model
from gitops_model.readers.bytes import TensorBytes
from support.folder import Folder


class Held(NamedTuple):
    """One tensor: its canonical bytes are the elements in C order, little endian (docs/format.md)."""

    dtype: str
    shape: tuple[int, ...]
    content: bytes


def contents(file: Path | bytes, name: str = "") -> dict[str, Held]:
    """Each tensor of a file (or of the bytes of one called `name`), by name; a duplicate name fails the test."""
    blob = Blob.of_bytes(name, file) if isinstance(file, bytes) else Blob.of_file(file)
    source: Source = NoSource() if isinstance(file, bytes) else Folder(file.parent)
    with blob, TensorBytes(blob, source) as data:
        model = read_model(blob, source)
        found = {
            tensor.name: Held(tensor.dtype, tensor.shape, b"".join(bytes(part) for part in data.chunks(tensor.data)))
            for tensor in model.tensors
        }
        assert all(len(found[tensor.name].content) == tensor.nbytes for tensor in model.tensors)
    assert len(found) == len(model.tensors)
    return found


def held(array: "np.ndarray[Any, Any]") -> Held:
    """What a NumPy array should come out as."""
    plain = np.ascontiguousarray(array)
    little = plain.astype(plain.dtype.newbyteorder("<"))
    return Held(array.dtype.newbyteorder("=").name, array.shape, little.tobytes())
