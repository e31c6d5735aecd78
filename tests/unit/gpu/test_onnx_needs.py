"""IR, opset, operators with their types, and element types of a model."""

from typing import Any

import pytest
from onnx import TensorProto, helper
from support.onnx_models import BOOL, FLOAT, INT64, model, read, value, weight

from gitops_model.gpu.onnx_needs import element_types, onnx_needs, schema_of
from gitops_model.gpu.onnx_values import Values, numbered
from gitops_model.ir import Model, TensorType

F16 = TensorProto.FLOAT16


def operators(found: Model, inferred: Any = ()) -> dict[tuple[str, str], list[dict[str, Any]]]:
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in onnx_needs(found, inferred)["operators"]:
        rows.setdefault((row["domain"], row["op_type"]), []).append(row)
    return rows


def test_a_model_says_its_ir_opset_and_operators() -> None:
    found = read(
        model(
            [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Relu", ["y"], ["z"])],
            [value("x", [1, 4])],
            [value("z", [1, 2])],
            (weight("w", 4, 2),),
            ir_version=9,
        )
    )
    assert onnx_needs(found) == {
        "ir_version": 9,
        "opset": {"ai.onnx": 17},
        "operators": [
            {"op_type": "MatMul", "domain": "ai.onnx", "since_version": 13, "types": {"T": ["float32"]}, "count": 1},
            {"op_type": "Relu", "domain": "ai.onnx", "since_version": 14, "types": {"T": ["float32"]}, "count": 1},
        ],
    }


def test_the_form_of_an_operator_is_that_of_the_models_opset() -> None:
    data = model([helper.make_node("Relu", ["x"], ["y"])], [value("x", [1])], [value("y", [1])], opset={"": 12})
    assert operators(read(data))["ai.onnx", "Relu"][0]["since_version"] == 6


def test_the_same_operator_with_other_types_is_another_row() -> None:
    found = read(
        model(
            [helper.make_node("Relu", [name], [f"{name}y"]) for name in ("a", "b", "c")],
            [value("a", [1]), value("b", [1]), value("c", [1], F16)],
            [value("ay", [1]), value("by", [1]), value("cy", [1], F16)],
        )
    )
    assert [(row["types"], row["count"]) for row in operators(found)["ai.onnx", "Relu"]] == [
        ({"T": ["float16"]}, 1),
        ({"T": ["float32"]}, 2),
    ]


def test_every_parameter_has_its_own_type() -> None:
    found = read(
        model(
            [helper.make_node("Cast", ["x"], ["h"], to=F16), helper.make_node("Gather", ["h", "i"], ["y"])],
            [value("x", [4]), value("i", [1], INT64)],
            [value("y", [1], F16)],
        )
    )
    rows = operators(found)
    assert rows["ai.onnx", "Gather"][0]["types"] == {"T": ["float16"], "Tind": ["int64"]}
    assert rows["ai.onnx", "Cast"][0]["types"] == {"T1": ["float32"]}, "the type of h is not in the file"
    inferred = ({"h": TensorType("float16", (4,))},)
    assert operators(found, inferred)["ai.onnx", "Cast"][0]["types"] == {"T1": ["float32"], "T2": ["float16"]}


def test_variadic_inputs_share_a_parameter_and_omitted_ones_have_no_type() -> None:
    found = read(
        model(
            [
                helper.make_node("Concat", ["a", "b", "c"], ["y"], axis=0),
                helper.make_node("Clip", ["y", "", "top"], ["z"]),
            ],
            [value(name, [1]) for name in ("a", "b", "c")],
            [value("z", [3])],
            (weight("top"),),
        )
    )
    assert operators(found)["ai.onnx", "Concat"][0]["types"] == {"T": ["float32"]}
    assert operators(found)["ai.onnx", "Clip"][0]["types"] == {"T": ["float32"]}


def test_operators_of_other_domains_are_listed_without_types() -> None:
    found = read(
        model(
            [helper.make_node("Attention", ["x"], ["y"], domain="com.microsoft")],
            [value("x", [1])],
            [value("y", [1])],
            opset={"": 17, "com.microsoft": 1},
        )
    )
    (row,) = onnx_needs(found)["operators"]
    assert row == {"op_type": "Attention", "domain": "com.microsoft", "since_version": None, "types": {}, "count": 1}
    assert onnx_needs(found)["opset"] == {"ai.onnx": 17, "com.microsoft": 1}


def branch(name: str, op_type: str) -> Any:
    node = helper.make_node(op_type, ["x"], [f"{name}_y"])
    return helper.make_graph([node], name, [], [value(f"{name}_y", [1])])


def branching() -> Model:
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch("t", "Relu"), else_branch=branch("e", "Abs"))
    return read(model([node], [value("c", [], BOOL), value("x", [1])], [value("y", [1])]))


def test_operators_in_branches_are_found_with_the_types_of_what_is_around_them() -> None:
    rows = operators(branching())
    assert rows["ai.onnx", "Relu"][0]["types"] == {"T": ["float32"]}
    assert rows["ai.onnx", "Abs"][0]["types"] == {"T": ["float32"]}
    assert rows["ai.onnx", "If"][0]["types"] == {"B": ["bool"], "V": ["float32"]}


def test_graphs_are_numbered_in_preorder() -> None:
    assert [(graph.name, number, outer) for graph, number, outer in numbered(branching())] == [
        ("g", 0, -1),
        ("e", 1, 0),
        ("t", 2, 0),
    ], "make_node sorts attributes by name: else_branch comes first"


def test_an_answer_for_other_graphs_is_not_believed() -> None:
    values = Values(branching(), ({"x": TensorType("float16", (9,))},))
    assert values.type_of(1, "x") == TensorType("float32", (1,))


def test_bodies_of_functions_count_and_their_calls_do_not() -> None:
    body = helper.make_function(
        "local", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 14)]
    )
    found = read(
        model(
            [helper.make_node("Twice", ["x"], ["y"], domain="local")],
            [value("x", [1])],
            [value("y", [1])],
            opset={"": 17, "local": 1},
            functions=(body,),
        )
    )
    rows = operators(found)
    assert set(rows) == {("ai.onnx", "Add")}
    assert rows["ai.onnx", "Add"][0]["since_version"] == 14


def test_an_opset_that_the_package_does_not_know_leaves_operators_without_a_form() -> None:
    data = model([helper.make_node("Relu", ["x"], ["y"])], [value("x", [1])], [value("y", [1])], opset={"": 999})
    (row,) = onnx_needs(read(data))["operators"]
    # onnx gives the newest form that is not above the opset, for opsets of the future too
    assert row["op_type"] == "Relu"


@pytest.mark.parametrize("domain, name", [("ai.onnx", "NoSuch"), ("com.microsoft", "Attention"), ("", "x" * 10_000)])
def test_an_operator_without_a_schema_has_none(domain: str, name: str) -> None:
    assert schema_of(domain, name, 17) is None


def test_without_the_package_there_are_no_schemas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitops_model.gpu.onnx_needs.find_spec", lambda _: None)
    data = model([helper.make_node("Relu", ["x"], ["y"])], [value("x", [1])], [value("y", [1])])
    (row,) = onnx_needs(read(data))["operators"]
    assert row == {"op_type": "Relu", "domain": "ai.onnx", "since_version": None, "types": {}, "count": 1}


def test_element_types_are_those_of_weights_and_values_but_not_texts() -> None:
    found = read(
        model(
            [
                helper.make_node("Cast", ["x"], ["h"], to=F16),
                helper.make_node("Cast", ["h"], ["s"], to=TensorProto.STRING),
            ],
            [value("x", [4])],
            [value("s", [4], TensorProto.STRING)],
            (weight("unused", 2, dtype=TensorProto.BFLOAT16),),
        )
    )
    assert element_types(found) == ["bfloat16", "float32"]
    assert element_types(found, ({"h": TensorType("float16", (4,))},)) == ["bfloat16", "float16", "float32"]
    assert FLOAT == 1
