"""Which bytes of a model are alive at the same time."""

import itertools
from typing import Any

import pytest
from onnx import TensorProto, helper
from support.onnx_models import BOOL, INT64, model, read, value, weight

from gitops_model.gpu.model_memory import CONTEXT_MIB, MIB, WORKSPACE_MIB, Memory, memory_of, mib_of
from gitops_model.gpu.onnx_values import Plan, planned
from gitops_model.ir import Model, Span, Tensor, TensorType


def chain(*shapes: list[Any], dtype: int = 1) -> Model:
    """x → v1 → v2 … → y, every value in the file."""
    names = ["x", *(f"v{index}" for index in range(len(shapes) - 2)), "y"]
    nodes = [helper.make_node("Relu", [one], [two]) for one, two in itertools.pairwise(names)]
    graph = helper.make_graph(
        nodes,
        "g",
        [value("x", shapes[0], dtype)],
        [value("y", shapes[-1], dtype)],
        value_info=[value(name, shape, dtype) for name, shape in zip(names[1:-1], shapes[1:-1], strict=True)],
    )
    return read(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10).SerializeToString()
    )


def activations(found: Model, **plan: Any) -> int | None:
    return memory_of(found, planned(found, **plan)).activations


def test_inputs_and_outputs_are_alive_all_the_time() -> None:
    assert activations(chain([10], [20])) == 40 + 80


def test_a_value_is_alive_from_its_maker_to_its_last_reader() -> None:
    assert activations(chain([1], [100], [200], [50], [1])) == 4 + 4 + 400 + 800
    assert activations(chain([1], [1], [1], [1], [1])) == 4 + 4 + 8, "two neighbours at a time"


@pytest.mark.parametrize(
    "dtype, size",
    [
        (TensorProto.FLOAT, 40),
        (TensorProto.FLOAT16, 20),
        (TensorProto.BOOL, 10),
        (TensorProto.DOUBLE, 80),
        (TensorProto.INT4, 5),
    ],
)
def test_sizes_are_those_of_the_element_types(dtype: int, size: int) -> None:
    assert activations(chain([10], [10], dtype=dtype)) == 2 * size


def test_a_value_that_is_read_late_stays() -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["skip"]),
        helper.make_node("Relu", ["skip"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Add", ["b", "skip"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes, "g", [value("x", [1])], [value("y", [1])], value_info=[value(name, [100]) for name in ("skip", "a", "b")]
    )
    found = read(helper.make_model(graph, ir_version=10).SerializeToString())
    assert activations(found) == 8 + 3 * 400


def test_an_unused_value_dies_at_once() -> None:
    nodes = [helper.make_node("Relu", ["x"], [name]) for name in ("a", "b", "c")] + [
        helper.make_node("Relu", ["x"], ["y"])
    ]
    graph = helper.make_graph(
        nodes, "g", [value("x", [1])], [value("y", [1])], value_info=[value(name, [100]) for name in ("a", "b", "c")]
    )
    found = read(helper.make_model(graph, ir_version=10).SerializeToString())
    assert activations(found) == 8 + 400


def branching(then_size: int, else_size: int) -> Model:
    def branch(name: str, size: int) -> Any:
        nodes = [
            helper.make_node("Relu", ["x"], [f"{name}v"]),
            helper.make_node("ReduceSum", [f"{name}v"], [f"{name}y"]),
        ]
        return helper.make_graph(nodes, name, [], [value(f"{name}y", [1])], value_info=[value(f"{name}v", [size])])

    node = helper.make_node("If", ["c"], ["y"], then_branch=branch("t", then_size), else_branch=branch("e", else_size))
    return read(model([node], [value("c", [], BOOL), value("x", [1])], [value("y", [1])]))


def test_of_two_branches_the_larger_counts() -> None:
    ends = 1 + 4 + 4
    assert activations(branching(100, 10)) == ends + 400 + 4
    assert activations(branching(10, 100)) == ends + 400 + 4


def test_weights_are_counted_once_and_training_state_not_at_all() -> None:
    found = read(
        model([helper.make_node("Add", ["x", "w"], ["y"])], [value("x", [4])], [value("y", [4])], (weight("w", 4),))
    )
    assert memory_of(found, planned(found)).weights == 16
    found.tensors = (*found.tensors, Tensor("m", "float32", (100,), Span(0, 400), 400, "optimizer"))
    assert memory_of(found, planned(found)).weights == 16


# --- sizes to plan for ----------------------------------------------------------------------------------------------
def test_an_open_dimension_leaves_the_memory_open() -> None:
    found = chain(["batch", 10], ["batch", 20])
    assert memory_of(found, planned(found)) == Memory(0, None, ("x", "y"))
    assert mib_of([memory_of(found, planned(found))]) is None


def test_batch_is_an_open_first_dimension_and_its_symbol() -> None:
    assert activations(chain(["batch", 10], ["batch", 20], ["batch", 5]), batch=3) == 3 * 4 * (10 + 20 + 5)
    assert activations(chain([5, 10], [5, 10]), batch=3) == 2 * 200, "a fixed one stays"


def test_sizes_are_given_by_symbol() -> None:
    found = chain(["batch", "seq"], ["batch", "seq"])
    assert activations(found, sizes={"seq": 7}, batch=2) == 2 * 4 * 14
    assert activations(found, sizes={"seq": 7}) is None
    assert activations(found, sizes={"seq": 7, "batch": 5}, batch=2) == 2 * 4 * 35, "its own size wins over batch"


def test_a_manifest_may_name_what_the_file_leaves_without_a_symbol() -> None:
    found = chain([None, None], [4, 6])
    assert planned(found, {"seq": 6}, 4, {"x": ("batch", "seq")}) == Plan({"x": (4, 6)}, {"seq": 6})
    assert planned(found, declared={"x": (4, 6)}) == Plan({"x": (4, 6)}, {})
    assert planned(found, declared={"x": (4,)}) == Plan({"x": (None, None)}, {}), "another rank says nothing"
    assert activations(found, sizes={"seq": 6}, batch=4, declared={"x": ("batch", "seq")}) == 2 * 4 * 24


def test_inferred_shapes_fill_what_the_file_does_not_say() -> None:
    data = model(
        [helper.make_node("Relu", ["x"], ["v"]), helper.make_node("Relu", ["v"], ["y"])],
        [value("x", [10])],
        [value("y", [10])],
    )
    found = read(data)
    assert memory_of(found, planned(found)).unsized == ("v",)
    inferred = ({"v": TensorType("float32", (10,))},)
    assert memory_of(found, planned(found), inferred).activations == 3 * 40


def test_a_function_body_has_no_known_size() -> None:
    body = helper.make_function(
        "local", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 14)]
    )
    data = model(
        [helper.make_node("Twice", ["x"], ["y"], domain="local")], [value("x", [1])], [value("y", [1])],
        opset={"": 17, "local": 1}, functions=(body,),
    )  # fmt: skip
    found = read(data)
    assert memory_of(found, planned(found)).unsized == ("the body of Twice",)


def test_a_format_without_a_graph_has_weights_alone() -> None:
    found = Model("safetensors", (Tensor("w", "float32", (4,), Span(0, 16), 16),))
    assert memory_of(found, planned(found)).weights == 16
    assert memory_of(found, planned(found)).activations is None


def test_the_sum_holds_the_context_once() -> None:
    assert mib_of([Memory(MIB, MIB, ()), Memory(3 * MIB, 0, ())]) == 5 + CONTEXT_MIB + WORKSPACE_MIB
    assert mib_of([Memory(MIB, MIB, ()), Memory(MIB, None, ("x",))]) is None


def test_more_batch_is_never_less_memory() -> None:
    sizes = [activations(chain(["n", 10], ["n", 30], ["n", 20], ["n", 1]), batch=batch) or 0 for batch in range(1, 20)]
    assert sizes == sorted(sizes)
    assert INT64 == 7
