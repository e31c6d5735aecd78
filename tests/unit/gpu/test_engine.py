"""A TensorRT engine is recognised by its mark and by nothing else."""

import json
import struct

import pytest

from gitops_model.blob import Blob
from gitops_model.gpu.engine import MAX_METADATA, Engine, find_engine


def engine(prefix: bytes = b"", mark: bytes = b"ptrt") -> bytes:
    return prefix + mark + struct.pack("<II", 0xEF, 0) + bytes(64)


def ultralytics(metadata: bytes) -> bytes:
    return engine(struct.pack("<I", len(metadata)) + metadata)


@pytest.mark.parametrize("mark", [b"ptrt", b"ftrt"])
def test_the_mark_says_it(mark: bytes) -> None:
    assert find_engine(Blob.of_bytes("m.plan", engine(mark=mark))) == Engine(0xEF, {})


def test_metadata_of_an_exporter_is_read() -> None:
    text = json.dumps({"author": "Ultralytics", "batch": 1}).encode()
    assert find_engine(Blob.of_bytes("m.engine", ultralytics(text))) == Engine(0xEF, {"author": "Ultralytics"})


@pytest.mark.parametrize("text", [b"{", b"{}[", b"{" * 100_000, b'{"a": [1]}'])
def test_metadata_that_is_not_understood_is_left_out(text: bytes) -> None:
    assert find_engine(Blob.of_bytes("m.engine", ultralytics(text))) == Engine(0xEF, {})


@pytest.mark.parametrize(
    "data",
    [b"", b"ptrt", b"onnx" + bytes(60), struct.pack("<I", 2**32 - 1) + b"{" + bytes(60), engine()[4:],
     struct.pack("<I", MAX_METADATA + 1) + b"{" + bytes(MAX_METADATA) + engine(),
     struct.pack("<I", 4) + b"{}  " + bytes(60)],
)  # fmt: skip
def test_anything_else_is_no_engine(data: bytes) -> None:
    assert find_engine(Blob.of_bytes("m.plan", data)) is None
