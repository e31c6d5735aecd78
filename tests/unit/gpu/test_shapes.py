"""The helper process that infers shapes answers for every graph, and its trouble is a reason, not a crash."""

from pathlib import Path

import pytest
from onnx import TensorProto, helper
from support.onnx_models import BOOL, model, read, value, weight

from gitops_model.blob import Blob
from gitops_model.gpu import shapes
from gitops_model.gpu.model_memory import memory_of
from gitops_model.gpu.onnx_needs import lookup_in, onnx_needs, schema_of
from gitops_model.gpu.onnx_values import Inferred, Values, planned
from gitops_model.gpu.shapes import NotInferred, infer
from gitops_model.ir import TensorType


def inferred(data: bytes, **plan: object) -> Inferred:
    return infer(Blob.of_bytes("model.onnx", data), planned(read(data), **plan)).values  # type: ignore[arg-type]


def dynamic() -> bytes:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["v"]),
        helper.make_node("Cast", ["v"], ["h"], to=TensorProto.FLOAT16),
        helper.make_node("Reshape", ["h", "shape"], ["y"]),
    ]
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [-1, 8])
    return model(nodes, [value("x", ["n", 4])], [value("y", None, TensorProto.FLOAT16)], (weight("w", 4, 16), shape))


def test_planned_sizes_flow_through_the_model() -> None:
    (table,) = inferred(dynamic(), batch=3)
    assert table["v"] == TensorType("float32", (3, 16))
    assert table["h"] == TensorType("float16", (3, 16))
    assert table["y"] == TensorType("float16", (6, 8)), "small constants are kept for it"
    assert memory_of(read(dynamic()), planned(read(dynamic()), batch=3), (table,)).activations is not None


def test_types_are_known_without_sizes() -> None:
    (table,) = inferred(dynamic())
    assert table["h"].dtype == "float16"
    assert table["v"] == TensorType("float32", (None, 16))


def test_weights_are_not_needed() -> None:
    """The numbers of a large tensor are dropped before inference: the answer is the same."""
    data = model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [value("x", [2, 100])],
        [value("y", None)],
        (weight("w", 100, 100),),
    )
    (table,) = inferred(data)
    assert table["y"].shape == (2, 100)


def test_a_stale_shape_does_not_stand_in_the_way() -> None:
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["v"]), helper.make_node("Relu", ["v"], ["y"])], "g",
        [value("x", ["n", 4])], [value("y", [1, 4])], value_info=[value("v", [1, 4])],
    )  # fmt: skip
    data = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10).SerializeToString()
    (table,) = inferred(data, batch=5)
    assert (table["v"].shape, table["y"].shape) == ((5, 4), (5, 4))


def test_graphs_in_attributes_have_their_own_table() -> None:
    def branch(name: str, op_type: str) -> object:
        nodes = [helper.make_node(op_type, ["x"], ["v"]), helper.make_node("Relu", ["v"], [f"{name}y"])]
        return helper.make_graph(nodes, name, [], [value(f"{name}y", None)])

    node = helper.make_node("If", ["c"], ["y"], then_branch=branch("t", "Relu"), else_branch=branch("e", "Shape"))
    data = model([node], [value("c", [], BOOL), value("x", [7])], [value("y", None)])
    tables = inferred(data)
    assert len(tables) == 3
    values = Values(read(data), tables)
    assert values.type_of(1, "v") == TensorType("int64", (1,)), "else_branch comes first: make_node sorts by name"
    assert values.type_of(2, "v") == TensorType("float32", (7,))


def test_schemas_come_along_so_that_the_package_need_not_be_loaded() -> None:
    answer = infer(Blob.of_bytes("model.onnx", dynamic()), planned(read(dynamic())))
    assert set(answer.schemas) == {("ai.onnx", name, 17) for name in ("MatMul", "Cast", "Reshape")}
    assert all(schema == schema_of(*key) for key, schema in answer.schemas.items())
    found = read(dynamic())
    assert onnx_needs(found, answer.values, lookup_in(answer.schemas)) == onnx_needs(found, answer.values)


@pytest.mark.parametrize("data", [b"", b"\xff\xff\xff", b"\x08\x0a\x3a\xff\xff\xff\xff\x0f"])
def test_what_the_library_refuses_is_a_reason(data: bytes) -> None:
    good = read(dynamic())
    if data:
        with pytest.raises(NotInferred, match="not inferred"):
            infer(Blob.of_bytes("model.onnx", data), planned(good))
    else:
        assert infer(Blob.of_bytes("model.onnx", data), planned(good)).values == ({},), (
            "an empty message is a model without values"
        )


def test_the_helper_is_stopped_in_time() -> None:
    with pytest.raises(NotInferred, match="ended with -9"):
        infer(Blob.of_bytes("model.onnx", dynamic()), planned(read(dynamic())), timeout=0)


def test_a_large_file_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "MAX_MODEL", 10)
    with pytest.raises(NotInferred, match="more than 0 MiB"):
        inferred(dynamic())


def test_without_the_package_the_hint_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "find_spec", lambda _: None)
    with pytest.raises(NotInferred) as caught:
        inferred(dynamic())
    assert caught.value.problem.hint == "pip install 'gitops-model[gpu]'"


def test_nothing_is_imported_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "onnx.py").write_text("raise SystemExit('a file of the repository was run')")
    (tmp_path / "json.py").write_text("raise SystemExit('a file of the repository was run')")
    monkeypatch.chdir(tmp_path)
    assert inferred(dynamic(), batch=1)
