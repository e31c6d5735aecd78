"""The shortest way through: a safetensors file in, the published digests out."""

import json
import struct

from blake3 import blake3

from gitops_model.blob import Blob, NoSource
from gitops_model.fingerprint import fingerprint
from gitops_model.readers import read_model
from gitops_model.readers.bytes import TensorBytes


def safetensors(entries: dict[str, object], data: bytes) -> bytes:
    header = json.dumps(entries).encode()
    return struct.pack("<Q", len(header)) + header + data


def test_a_safetensors_file_has_the_digests_of_the_recipe() -> None:
    data = struct.pack("<4f", 1, 2, 3, 4)
    blob = Blob.of_bytes(
        "m.safetensors",
        safetensors({"a.w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}, data),
    )
    found = fingerprint(read_model(blob, NoSource()), TensorBytes(blob, NoSource()))
    digest = blake3(b"gitops-model/tensor/1\0float32\x002,2\0" + data).digest()
    weights = blake3(b"gitops-model/weights/1\0" + struct.pack("<I", 3) + b"a.w" + digest).hexdigest()
    assert found.tensors == (("a.w", "float32", (2, 2), digest.hex()),)
    assert found.weights == f"gm1-weights:{weights}"
    assert found.signature is None
    assert found.optimizer is None
