"""Any bytes give a model or one BadFile; what this reader takes without a finding, the format's library takes too."""

import json
import random
import struct

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_model.blob import Blob, NoSource
from gitops_model.errors import BadFile
from gitops_model.ir import Model, Span
from gitops_model.readers.safetensors.model import DTYPES, read

ORIGINAL = safetensors.numpy.save(
    {
        "layer.0.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
        "layer.0.bias": np.zeros((0, 2), np.int8),
        "step": np.array(7, np.int64),
    },
    {"format": "pt", "note": 'é "x"'},
)
HEADER = json.loads(ORIGINAL[8 : 8 + int.from_bytes(ORIGINAL[:8], "little")])
PIECES = [b'"', b"{", b"}", b"[", b",", b"0", b"-1", b" ", b"\\", b"1e5", b"\xff"]
CODES = {"GM001", "GM002", "GM005"}


def outcome(content: bytes) -> Model | str:
    try:
        return read(Blob.of_bytes("m.safetensors", content), NoSource())
    except BadFile as error:
        return error.problem.code


def judge(content: bytes) -> None:
    model = outcome(content)
    if isinstance(model, str):
        assert model in CODES
        return
    if model.problems:
        assert {problem.code for problem in model.problems} == {"GM006"}
        return
    theirs = dict(safetensors.deserialize(content))
    assert theirs.keys() == {tensor.name for tensor in model.tensors}
    for tensor in model.tensors:
        other = theirs[tensor.name]
        assert isinstance(tensor.data, Span)
        assert (DTYPES[other["dtype"]], tuple(other["shape"])) == (tensor.dtype, tensor.shape)
        assert content[tensor.data.offset : tensor.data.offset + tensor.data.length] == bytes(other["data"])


@pytest.mark.fuzz
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    judge(content)


@pytest.mark.fuzz
@given(st.text(max_size=200), st.binary(max_size=20))
def test_any_header(text: str, data: bytes) -> None:
    header = ("{" + text).encode("utf-8", "surrogatepass")
    judge(struct.pack("<Q", len(header)) + header + data)


@pytest.mark.fuzz
@settings(max_examples=300)
@given(st.randoms(use_true_random=False), st.integers(1, 6))
def test_mutated_files(rng: random.Random, count: int) -> None:
    content = bytearray(ORIGINAL)
    for _ in range(count):
        place = rng.randrange(len(content))
        match rng.randrange(5):
            case 0:
                content[place] ^= 1 << rng.randrange(8)
            case 1:
                content[place : place + rng.randrange(9)] = b""
            case 2:
                content[place:place] = rng.choice(
                    [b'"', b"{", b"}", b"[", b",", b"0", b"-1", b" ", b"\\", b"1e5", b"\xff"]
                )
            case 3:
                content[place:place] = content[rng.randrange(len(content)) :][: rng.randrange(40)]
            case _:
                content[place] = rng.randrange(256)
        if not content:
            break
    judge(bytes(content))
    fitted = len(content) - 8 - rng.choice([32, 33, 0])
    judge(struct.pack("<Q", max(0, fitted)) + bytes(content[8:]))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 40) | st.floats(0, 9) | st.sampled_from(["F32", "I8", "I64", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["dtype", "shape", "a"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@pytest.mark.fuzz
@settings(max_examples=300)
@given(st.data())
def test_a_header_with_another_value_somewhere(data: st.DataObject) -> None:
    header = json.loads(json.dumps(HEADER))
    name = data.draw(st.sampled_from(sorted(header)))
    if name == "__metadata__" or data.draw(st.booleans()):
        header[name] = data.draw(json_values)
    else:
        key = data.draw(st.sampled_from(["dtype", "shape", "data_offsets", "more"]))
        header[name][key] = data.draw(json_values | st.lists(st.integers(0, 40), min_size=2, max_size=2))
    separators = data.draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    text = json.dumps(header, separators=separators).encode()
    judge(struct.pack("<Q", len(text)) + text + ORIGINAL[-32:])
