"""Laws of the ONNX reader: how a message is written does not count; any bytes give a model or one BadFile."""

import random
from collections.abc import Callable

import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper
from support import onnx_oracle, onnx_zoo, wire
from support.onnx_random import all_graphs

from gitops_model.blob import Blob, NoSource
from gitops_model.errors import BadFile
from gitops_model.ir import Model
from gitops_model.readers import read_model
from gitops_model.readers.bytes import TensorBytes
from gitops_model.readers.onnx.model import read, sniff
from gitops_model.readers.protobuf import varint

SMALL = [name for name in onnx_zoo.ZOO if name not in ("large", "attributes", "constants", "30 levels")]
CODES = {"GM001", "GM002", "GM005", "GM007", "GM010", "GM601"}


# --- random models --------------------------------------------------------------------------------------------------
@given(all_graphs, st.randoms(use_true_random=False))
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_a_random_model_is_described_as_the_library_does(graph: onnx.GraphProto, source: random.Random) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    onnx_oracle.check_bytes(model.SerializeToString())
    onnx_oracle.check_bytes(wire.scrambled(model, source))


# --- one message, many ways of writing it ---------------------------------------------------------------------------
@pytest.mark.parametrize("name", onnx_zoo.ZOO)
def test_how_a_message_is_written_does_not_count(name: str) -> None:
    """Order of fields, messages in two pieces, packed or not, padded varints, unknown fields, overwritten scalars."""
    model = onnx_zoo.ZOO[name]()
    straight = plain(onnx_oracle.check_bytes(model.SerializeToString()))
    for seed in range(2):
        content = wire.scrambled(model, random.Random(seed))
        assert plain(onnx_oracle.check_bytes(content)) == straight, seed


def plain(model: Model) -> object:
    """The description without places in the file and order of fields."""
    return (
        sorted((t.name, t.dtype, t.shape, t.nbytes) for t in model.tensors),
        model.inputs,
        model.outputs,
        model.opset,
        model.metadata,
        model.properties,
        model.problems,
    )


# --- broken files ---------------------------------------------------------------------------------------------------
def well_formed(content: bytes) -> bool:
    """What protobuf and the format ask of a whole file."""
    try:
        model = onnx.ModelProto.FromString(content)
    except Exception:  # noqa: BLE001 - whatever protobuf raises, the file is not whole
        return False
    return model.HasField("graph") and bool(model.opset_import)


@pytest.mark.parametrize("make", [onnx_zoo.around, onnx_zoo.nested, onnx_zoo.functions, onnx_zoo.sparse_initializers])
@pytest.mark.parametrize("seed", [None, 0, 1])
def test_every_proper_prefix_is_truncated(make: Callable[[], onnx.ModelProto], seed: int | None) -> None:
    model = make()
    content = model.SerializeToString() if seed is None else wire.scrambled(model, random.Random(seed))
    reader = read_model if seed is None else read  # what begins with fields unknown to ONNX is not recognised
    truncated = 0
    for length in range(len(content)):
        blob = Blob.of_bytes("model.onnx", content[:length])
        if well_formed(content[:length]):
            reader(blob, NoSource())
            continue
        truncated += 1
        with pytest.raises(BadFile) as caught:
            reader(blob, NoSource())
        assert caught.value.problem.code == "GM001", length
    assert truncated > 100


@pytest.mark.parametrize("name", onnx_zoo.ZOO)
def test_a_sniffer_knows_every_beginning(name: str) -> None:
    content = onnx_zoo.ZOO[name]().SerializeToString()
    assert all(sniff(content[:length]) for length in range(1, min(len(content), 4096)))


def survive(content: bytes) -> None:
    """Any bytes: a model whose tensors can be hashed or not, or one BadFile; nothing else."""
    blob = Blob.of_bytes("model.onnx", content)
    try:
        model = read(blob, NoSource())
        with TensorBytes(blob, NoSource()) as data:
            for tensor in model.tensors:
                onnx_oracle.held(tensor, data)
    except BadFile as error:
        assert error.problem.code in CODES  # noqa: PT017 - most of these files are good ones
    except ValueError as error:
        assert "invalid entry in coordinates array" in str(error)  # noqa: PT017 - NumPy, of the oracle's sparse indices


@given(
    st.sampled_from(SMALL),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4),
)
@settings(max_examples=300)
def test_changed_bytes_give_a_model_or_one_bad_file(name: str, changes: list[tuple[float, int]]) -> None:
    content = bytearray(onnx_zoo.ZOO[name]().SerializeToString())
    for place, value in changes:
        content[int(place * len(content))] = value
    survive(bytes(content))


@given(st.sampled_from(SMALL), st.floats(0, 1), st.floats(0, 1), st.binary(max_size=12))
@settings(max_examples=200)
def test_cut_and_pasted_bytes_give_a_model_or_one_bad_file(name: str, one: float, other: float, new: bytes) -> None:
    content = onnx_zoo.ZOO[name]().SerializeToString()
    survive(content[: int(one * len(content))] + new + content[int(other * len(content)) :])


@given(st.binary(max_size=200))
def test_any_bytes_give_a_model_or_one_bad_file(content: bytes) -> None:
    survive(content)
    sniff(content)


@given(st.integers(0, 2**64 - 1), st.integers(0, 9))
def test_a_varint_reads_back(value: int, padding: int) -> None:
    data = wire.varint(value)
    data = wire.varint(value, padding=min(padding, 10 - len(data)))
    assert varint(data, 0) == (value, len(data))
