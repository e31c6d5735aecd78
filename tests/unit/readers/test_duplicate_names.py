"""GM006 in every format: one name, two tensors. Both are kept, and somebody has to say which a loader takes."""

import io
import struct
import zipfile

import gguf
import pytest
from onnx import TensorProto
from support import onnx_zoo, torch_archive

from gitops_model.blob import Blob, NoSource
from gitops_model.ir import Model
from gitops_model.readers import read_model


def read(name: str, content: bytes) -> Model:
    return read_model(Blob.of_bytes(name, content), NoSource())


def torch_twice() -> bytes:
    """{"a.b": …, "a": {"b": …}}: nested keys are joined."""
    inner = b"}(" + torch_archive.text("b") + torch_archive.tensor("1", 4) + b"u"
    items = torch_archive.text("a.b") + torch_archive.tensor("0", 4) + torch_archive.text("a") + inner
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("archive/data.pkl", b"\x80\x02}(" + items + b"u.")
        for number in range(2):
            file.writestr(f"archive/data/{number}", struct.pack("<4f", *[number] * 4))
        file.writestr("archive/version", "3\n")
    return out.getvalue()


def safetensors_twice() -> bytes:
    entries = [f'"a.b":{{"dtype":"F32","shape":[],"data_offsets":[{begin},{begin + 4}]}}' for begin in (0, 4)]
    header = f"{{{','.join(entries)}}}".encode()
    return struct.pack("<Q", len(header)) + header + bytes(8)


def gguf_twice() -> bytes:
    header = b"GGUF" + struct.pack("<IQQ", 3, 2, 0)
    for offset in (0, 32):
        header += struct.pack("<Q", 3) + b"a.b" + struct.pack("<IQIQ", 1, 4, 0, offset)
    return header + bytes(-len(header) % gguf.GGUF_DEFAULT_ALIGNMENT) + bytes(64)


FILES = {
    "a.pt": torch_twice,
    "a.safetensors": safetensors_twice,
    "a.gguf": gguf_twice,
    "a.onnx": lambda: onnx_zoo.model(
        [], [onnx_zoo.raw(TensorProto.FLOAT, [4], "a.b") for _ in range(2)]
    ).SerializeToString(),
}


@pytest.mark.parametrize("name", FILES)
def test_it_is_said_once_and_both_are_kept(name: str) -> None:
    model = read(name, FILES[name]())
    assert [tensor.name for tensor in model.tensors] == ["a.b", "a.b"]
    assert [(problem.code, problem.message) for problem in model.problems] == [
        ("GM006", "two tensors are called 'a.b'")
    ]


def test_training_state_has_names_of_its_own() -> None:
    """The moments of an optimizer are digested by themselves, so that nothing is confused with a weight."""
    out = io.BytesIO()
    state = b"}(" + torch_archive.text("a") + torch_archive.tensor("0", 4) + b"u"
    moments = b"}(" + torch_archive.text("a") + torch_archive.tensor("1", 4) + b"u"
    items = torch_archive.text("state_dict") + state + torch_archive.text("optimizer") + moments
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("archive/data.pkl", b"\x80\x02}(" + items + b"u.")
        for number in range(2):
            file.writestr(f"archive/data/{number}", bytes(16))
        file.writestr("archive/version", "3\n")
    model = read("a.ckpt", out.getvalue())
    assert {tensor.group for tensor in model.tensors} == {"", "optimizer"}
    assert model.problems == ()
