"""The ONNX reader: what a model looks like to it, how little it reads, and what it does not let happen."""

import struct
import time
from pathlib import Path

import pytest
from onnx import TensorProto, helper
from support import onnx_zoo, wire

from gitops_model.blob import Blob, NoSource, Pointer
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Attribute, Inline, Model, Span, Tensor, TensorType, Value, Varints
from gitops_model.readers import read_model
from gitops_model.readers.onnx.model import read, sniff


class Counted(Blob):
    """A blob that counts the bytes read from it."""

    total = 0

    def read(self, offset: int, length: int) -> bytes:
        self.total += length
        return super().read(offset, length)


def describe(content: bytes) -> Model:
    return read_model(Blob.of_bytes("m.onnx", content), NoSource())


def small_model() -> bytes:
    weight = helper.make_tensor("w", TensorProto.FLOAT, [2, 2], b"\0" * 16, raw=True)
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [0, 300])
    graph = helper.make_graph(
        [
            helper.make_node("Constant", [], ["c"], value_int=7),
            helper.make_node("MatMul", ["x", "w"], ["y"], name="mm"),
        ],
        "g",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2]),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, [2, 2]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [weight, axes],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


# --- the description ------------------------------------------------------------------------------------------------
def test_a_small_model_is_described() -> None:
    content = small_model()
    model = describe(content)
    assert model.opset == {"ai.onnx": 17}
    assert model.outputs == (Value("y", TensorType("float32", None)),)
    assert [(t.name, t.dtype, t.shape, t.nbytes) for t in model.tensors] == [
        ("c", "int64", (), 8),
        ("w", "float32", (2, 2), 16),
        ("axes", "int64", (2,), 16),
    ]
    constant, weight, axes = (tensor.data for tensor in model.tensors)
    assert constant == Inline((7).to_bytes(8, "little"))
    assert isinstance(weight, Span)
    assert content[weight.offset : weight.offset + weight.length] == b"\0" * 16
    assert isinstance(axes, Varints)
    assert axes.width == 8
    assert model.graph is not None
    assert [node.op_type for node in model.graph.nodes] == ["Constant", "MatMul"]
    assert model.header is None


def test_an_initializer_that_is_listed_as_input_is_no_input() -> None:
    model = describe(small_model())
    assert model.inputs == (Value("x", TensorType("float32", ("N", 2))),)
    assert model.graph is not None
    assert [value.name for value in model.graph.inputs] == ["x", "w"]


def test_names_of_tensors_say_where_they_sit() -> None:
    names = {tensor.name for tensor in describe(onnx_zoo.nested().SerializeToString()).tensors}
    assert names == {
        "s/c.an.body/w",
        "s/c.an.body/Loop#0.body/w",
        "s/c.an.body/Loop#0.body/choice.then_branch/w",
        "s/c.an.body/Loop#0.body/choice.then_branch/c",
        "s/c.an.body/Loop#0.body/choice.else_branch/w",
        "s/c.an.body/Loop#0.body/choice.else_branch/c",
        "If#1.then_branch/w",
        "If#1.then_branch/c",
    }


def test_names_in_functions_and_lists_of_graphs() -> None:
    names = [tensor.name for tensor in describe(onnx_zoo.functions().SerializeToString()).tensors]
    assert names == ["local:F:/c", "local:F:/If#2.then_branch/w", "local:F:two/c", "local:F:two/If#2.then_branch/w"]
    names = [tensor.name for tensor in describe(onnx_zoo.attributes().SerializeToString()).tensors]
    assert names == ["all.g/w", "all.graphs[0]/w", "all.graphs[1]/w"]


def test_a_value_of_the_caller_is_no_weight() -> None:
    function = describe(onnx_zoo.functions().SerializeToString()).functions[0]
    assert function.nodes[1].attributes == (Attribute("value_int", "ref", b"k"),)


def test_a_model_without_tensors_has_a_header() -> None:
    content = onnx_zoo.model([onnx_zoo.node("Relu")]).SerializeToString()
    assert describe(content).header == Span(0, len(content))


def test_only_the_length_decides_whether_a_list_is_held() -> None:
    """However it is written: a digest must not depend on that."""
    values = [index % 3 - 1 for index in range(1025)]
    for count, located in ((1024, False), (1025, True)):
        packed = wire.message(8, b"".join(wire.varint(value) for value in values[:count]))
        single = b"".join(wire.number(8, value) for value in values[:count])
        for listed in (packed, single, single[: len(single) // 2 // 11 * 11] + single[len(single) // 2 // 11 * 11 :]):
            attribute = wire.message(5, wire.message(1, "a"), listed, wire.number(20, 7))
            graph = wire.message(1, wire.message(4, "Op"), attribute)
            model = describe(wire.number(1, 8) + wire.message(7, graph) + wire.message(8, wire.number(2, 17)))
            assert model.graph is not None
            value = model.graph.nodes[0].attributes[0].value
            assert isinstance(value, Tensor) == located
            assert located or value == tuple(values[:count])


# --- how much is read -----------------------------------------------------------------------------------------------
def test_no_byte_of_a_large_weight_is_read(tmp_path: Path) -> None:
    """100 weights of together 6 GiB (a file with holes): a few KiB for each header, wherever a weight sits."""
    size, count = 64 << 20, 100
    shape = wire.number(1, size // 4) + wire.number(2, 1)
    parts: list[tuple[bytes, int]] = []
    for index in range(count):
        header = shape + wire.message(8, f"w{index}") + wire.tag(9, wire.LEN) + wire.varint(size)
        if index % 2:  # an initializer
            parts.append((wire.tag(5, wire.LEN) + wire.varint(len(header) + size) + header, size))
            continue
        kind = wire.number(20, 4)  # a Constant node; the type of the attribute comes behind the weight
        value = wire.message(1, "value") + wire.tag(5, wire.LEN) + wire.varint(len(header) + size) + header
        inside = wire.message(2, f"c{index}") + wire.message(4, "Constant")
        inside += wire.tag(5, wire.LEN) + wire.varint(len(value) + size + len(kind)) + value
        parts += [(wire.tag(1, wire.LEN) + wire.varint(len(inside) + size + len(kind)) + inside, size), (kind, 0)]
    path = tmp_path / "holes.onnx"
    with path.open("wb") as out:
        total = sum(len(data) + hole for data, hole in parts)
        out.write(wire.number(1, 8) + wire.tag(7, wire.LEN) + wire.varint(total))
        for data, hole in parts:
            out.write(data)
            out.seek(hole, 1)
        out.write(wire.message(8, wire.number(2, 17)))
    with path.open("rb") as stream:
        blob = Counted("holes.onnx", path.stat().st_size, fd=stream.fileno())
        model = read(blob, NoSource())
    assert len(model.tensors) == count
    assert all(tensor.nbytes == size for tensor in model.tensors)
    assert blob.total <= count * 5 * 4096


def test_a_graph_of_many_nodes_is_read_about_once() -> None:
    nodes = [onnx_zoo.node("Relu", name=f"n{index}", outputs=(f"v{index}",)) for index in range(20_000)]
    content = onnx_zoo.model(nodes).SerializeToString()
    blob = Counted("m.onnx", len(content), data=content)
    read(blob, NoSource())
    assert blob.total <= 1.25 * len(content)


# --- hostile files --------------------------------------------------------------------------------------------------
def test_20000_nested_subgraphs_are_one_finding() -> None:
    """Written inside out, without copying: every level wraps the one before."""
    heads: list[bytes] = []
    length = 0
    for _ in range(20_000):
        graph = wire.tag(6, wire.LEN) + wire.varint(length)
        length += len(graph)
        attribute = wire.tag(5, wire.LEN) + wire.varint(length + 3)
        length += len(attribute) + 3
        node = wire.tag(1, wire.LEN) + wire.varint(length)
        length += len(node)
        heads.append(node + attribute + graph)
    body = b"".join(reversed(heads)) + wire.number(20, 5) * 20_000
    content = wire.number(1, 8) + wire.message(7, body) + wire.message(8, wire.number(2, 17))
    blob = Counted("m.onnx", len(content), data=content)
    before = time.process_time()
    with pytest.raises(BadFile) as caught:
        read(blob, NoSource())
    assert caught.value.problem.code == "GM005"
    assert time.process_time() - before < 1
    assert blob.total < 64 * 3 * (1 << 18)


def test_many_problems_are_counted_not_listed() -> None:
    tensors = [onnx_zoo.raw(TensorProto.FLOAT, [1], f"w{index // 2}") for index in range(1000)]
    problems = describe(onnx_zoo.model([], tensors).SerializeToString()).problems
    assert len(problems) == 101
    assert {problem.code for problem in problems} == {"GM006"}
    assert "400 more" in problems[-1].message


def test_names_that_are_no_text_are_one_problem_and_stay_apart() -> None:
    tensors = [wire.message(5, wire.number(2, 1), wire.number(1, 0), wire.message(8, bytes((0xFF, i)))) for i in (1, 2)]
    model = describe(wire.number(1, 8) + wire.message(7, *tensors) + wire.message(8, wire.number(2, 17)))
    assert [problem.code for problem in model.problems] == ["GM002"]
    assert [tensor.name for tensor in model.tensors] == ["\\xff\x01", "\\xff\x02"]
    assert all(tensor.name.encode() for tensor in model.tensors)


def test_held_texts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitops_model.readers.onnx.reading.MOST_TEXT", 1000)
    nodes = [onnx_zoo.node("Relu", name=f"name {index:09}") for index in range(100)]
    with pytest.raises(BadFile) as caught:
        describe(onnx_zoo.model(nodes).SerializeToString())
    assert caught.value.problem.code == "GM005"


# --- other files ----------------------------------------------------------------------------------------------------
def external(*locations: str) -> bytes:
    tensors: list[TensorProto] = []
    for index, location in enumerate(locations):
        tensor = TensorProto(name=f"w{index}", data_type=1, dims=[2], data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value=location)
        tensor.external_data.add(key="offset", value=str(8 * index))
        tensors.append(tensor)
    return onnx_zoo.model([], tensors).SerializeToString()


class Files:
    """A source of blobs in memory that counts what it opens."""

    def __init__(self, **files: Blob) -> None:
        self.files = files
        self.opened: list[str] = []

    def open(self, path: str) -> Blob:
        self.opened.append(path)
        if path not in self.files:
            raise BadFile(Problem("GM010", f"{path} is not there"))
        return self.files[path]


def test_a_file_that_is_missing_is_one_problem() -> None:
    source = Files()
    model = read(Blob.of_bytes("m.onnx", external("data", "./data", "data")), source)
    assert [problem.code for problem in model.problems] == ["GM010"]
    assert source.opened == ["data"]
    assert model.deps == ("data",)
    assert [tensor.data for tensor in model.tensors] == [Span(8 * index, 8, "data") for index in range(3)]


def test_a_file_that_is_too_short_is_truncated() -> None:
    source = Files(data=Blob.of_bytes("data", bytes(15)))
    with pytest.raises(BadFile) as caught:
        read(Blob.of_bytes("m.onnx", external("data", "data")), source)
    assert caught.value.problem.code == "GM001"
    assert "'data'" in caught.value.problem.message
    read(Blob.of_bytes("m.onnx", external("data")), source)


def test_a_pointer_without_content_is_said_so() -> None:
    pointer = Pointer("lfs", "sha256", "0" * 64, 8)
    blob = Blob("data", 130, data=bytes(130), pointer=pointer, content_is_local=False)
    model = read(Blob.of_bytes("m.onnx", external("data")), Files(data=blob))
    assert [problem.code for problem in model.problems] == ["GM003"]


def test_a_padding_bit_in_another_file_is_seen() -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.INT4, dims=[3], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="data")
    content = onnx_zoo.model([], [tensor]).SerializeToString()
    for last, codes in ((0x03, []), (0x13, ["GM011"])):
        model = read(Blob.of_bytes("m.onnx", content), Files(data=Blob.of_bytes("data", bytes((0, last)))))
        assert [problem.code for problem in model.problems] == codes


# --- sniffing -------------------------------------------------------------------------------------------------------
STRANGERS = {
    "nothing": b"",
    "text": b"# a model\n",
    "an LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "HTML": b"<!DOCTYPE html><html>",
    "JSON": b'{"a": 1}',
    "a quoted text": b'"producer", of what?',
    "safetensors": struct.pack("<Q", 20) + b'{"__metadata__":{}} ',
    "gzip": b"\x1f\x8b\x08\x00",
    "zip": b"PK\x03\x04\x14\x00",
    "pickle 2": b"\x80\x02}q\x00.",
    "pickle 4": b"\x80\x04\x95",
    "HDF5": b"\x89HDF\r\n\x1a\n",
    "NumPy": b"\x93NUMPY\x01\x00",
    "GGUF": b"GGUF\x03\x00\x00\x00",
    "TFLite": b"\x1c\x00\x00\x00TFL3",
    "a TensorFlow GraphDef": wire.message(1, wire.message(1, "x"), wire.message(2, "Placeholder")),
    "a TensorFlow SavedModel": wire.number(1, 1) + wire.message(2, wire.message(1, bytes(20))),
    "a CoreML model": wire.number(1, 4) + wire.message(2, wire.message(1, wire.message(1, "input"))),
    "zeros": bytes(100),
}


@pytest.mark.parametrize("head", STRANGERS.values(), ids=STRANGERS)
def test_other_files_are_not_onnx(head: bytes) -> None:
    assert not sniff(head)


def test_a_model_is_known_by_any_first_field() -> None:
    model = onnx_zoo.around()
    for field, value in model.ListFields():
        alone = type(model)()
        if field.is_repeated:
            getattr(alone, field.name).extend(value)
        elif field.type == field.TYPE_MESSAGE:
            getattr(alone, field.name).CopyFrom(value)
        else:
            setattr(alone, field.name, value)
        assert sniff(alone.SerializePartialToString()[:4096]), field.name
