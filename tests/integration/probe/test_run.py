"""`diff --run` through the installed program, with the real ONNX Runtime."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from onnx import TensorProto, helper
from support.gitrepo import GitRepo
from support.onnx_models import INT64, model, value
from support.probe_models import WEIGHT, X, Y, constant, dense, embedding, fixed_reshape, node, simple, stored
from support.program import Program, Result
from support.recording import weights
from support.wheel import ROOT

Run = Callable[..., dict[str, Any]]


def schema(kind: str) -> Any:
    return jsonschema.Draft202012Validator(
        json.loads((ROOT / f"gitops_model/render/{kind}.schema.json").read_text(encoding="utf-8"))
    )


@pytest.fixture
def compare(cli: Program, tmp_path: Path) -> Callable[..., Result]:
    def run(before: bytes, after: bytes, *words: str, code: int = 0, suffix: str = "onnx") -> Result:
        (tmp_path / f"a.{suffix}").write_bytes(before)
        (tmp_path / f"b.{suffix}").write_bytes(after)
        return cli("diff", "--run", f"a.{suffix}", f"b.{suffix}", *words, cwd=tmp_path, check=code)

    return run


@pytest.fixture
def run(compare: Callable[..., Result]) -> Run:
    """The whole JSON of a run."""

    def ran(before: bytes, after: bytes, *words: str, **more: Any) -> dict[str, Any]:
        document = compare(before, after, "--format", "json", *words, **more).json()
        schema("diff").validate(document)
        return document

    return ran


def only(document: dict[str, Any]) -> dict[str, Any]:
    (output,) = document["probe"]["outputs"]
    return output


# --- nothing to tell --------------------------------------------------------------------------------------------------
def test_nobody_asked(cli: Program, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.onnx").write_bytes(dense())
    document = cli("diff", "a.onnx", "b.onnx", "--format", "json", cwd=tmp_path, check=0).json()
    assert document["probe"] is None
    assert "probe" not in cli("diff", "a.onnx", "b.onnx", cwd=tmp_path, check=0).out


def test_the_same_bytes_are_not_run(run: Run) -> None:
    probe = run(dense(), dense())["probe"]
    assert (probe["runs"], probe["why_not_run"]) == (0, "the files are byte for byte the same")


def test_an_equivalent_change_agrees(run: Run) -> None:
    document = run(dense(), dense(identity=True))
    assert document["verdict"]["equivalent"]
    assert document["problems"] == []
    probe = document["probe"]
    assert (probe["agrees"], probe["runs"], probe["seeds"]) == (True, 6, [0, 1, 2])
    assert probe["sizes"] == [{"n": 2}, {"n": 1}]
    assert probe["onnxruntime"]
    assert only(document)["same_bits"]


# --- differences ------------------------------------------------------------------------------------------------------
def test_other_weights_differ_by_what_they_do(run: Run) -> None:
    document = run(dense(), dense(2 * WEIGHT))
    output = only(document)
    assert (output["agrees"], document["probe"]["agrees"]) == (False, False)
    assert 0.1 < output["max_abs"] < 10
    assert 0 < output["max_rel"] <= 1
    assert output["argmax_agreement"] == 1  # twice the same numbers
    assert output["after"] == {"name": "y", "type": "float32[1,4]"}


def test_rounding_agrees_without_being_the_same_bits(run: Run) -> None:
    output = only(run(dense(), dense(WEIGHT * (1 + 1e-6))))
    assert (output["agrees"], output["same_bits"]) == (True, False)
    assert 0 < output["max_abs"] < 1e-5


def test_the_same_inputs_under_other_names(run: Run) -> None:
    document = run(dense(), dense(names=("input", "logits")))
    assert document["probe"]["agrees"] is True
    assert document["probe"]["inputs"] == [
        {"before": {"name": "x", "type": "float32"}, "after": {"name": "input", "type": "float32"}, "values": "[-1, 1)"}
    ]
    assert only(document)["before"]["name"] == "y"


def test_new_nan_is_counted(run: Run) -> None:
    output = only(run(simple(node("Abs", ["x"], ["y"])), simple(node("Sqrt", ["x"], ["y"]))))
    assert output["nan"] > 0
    assert output["agrees"] is False


def test_integers_take_the_rows_that_both_tables_have(run: Run) -> None:
    document = run(embedding(50), embedding(40, scale=2))
    assert document["problems"] == []
    assert document["probe"]["inputs"][0]["values"] == "0 to 39"
    assert only(document)["max_abs"] > 20


def test_indices_that_are_given_as_floats(run: Run) -> None:
    def cast(rows: int) -> bytes:
        nodes = [node("Cast", ["x"], ["i"], to=TensorProto.INT32), node("Gather", ["t", "i"], ["y"])]
        return model(nodes, [X], [value("y", ["n", 4])], (stored("t", np.arange(rows)),))

    document = run(cast(30), cast(20))
    assert document["probe"]["inputs"][0]["values"] == "0 to 19"
    assert only(document)["after"]["type"] == "float32[1,4]"


def test_a_number_that_chooses_the_way_gets_its_turn(run: Run) -> None:
    """Only with mode 16000 do the two differ."""

    def switch(value_: float) -> bytes:
        branches = [
            helper.make_graph([node("Mul", ["x", f"{name}c"], [name])], name, [], [value(name, ["n", 4])],
                              [stored(f"{name}c", factor)])
            for name, factor in (("one", value_), ("two", 1.0))
        ]  # fmt: skip
        nodes = [constant("rate", 16000, np.int64), node("Equal", ["mode", "rate"], ["c"])]
        nodes.append(node("If", ["c"], ["y"], then_branch=branches[0], else_branch=branches[1]))
        return model(nodes, [X, value("mode", [], INT64)], [Y])

    document = run(switch(1.0), switch(3.0))
    assert [given["values"] for given in document["probe"]["inputs"]] == ["[-1, 1)", "0, 1 or 16000"]
    assert only(document)["agrees"] is False


def test_an_input_of_one_side_only_gets_a_value(run: Run) -> None:
    more = model([node("Add", ["x", "z"], ["y"])], [X, value("z", ["n", 4])], [Y])
    probe = run(simple(node("Relu", ["x"], ["y"])), more)["probe"]
    assert probe["runs"] == 6
    assert probe["notes"] == ["the input z is there only after, and got values of its own"]
    assert probe["inputs"][1]["before"] is None


def test_an_output_of_one_side_only_is_said(run: Run) -> None:
    both = model([node("Relu", ["x"], ["y"]), node("Abs", ["x"], ["z"])], [X], [Y, value("z", ["n", 4])])
    probe = run(simple(node("Relu", ["x"], ["y"])), both)["probe"]
    assert [(one["name"], one["agrees"], one["note"]) for one in probe["outputs"]] == [
        ("y", True, ""),
        ("z", None, "only after"),
    ]
    assert probe["agrees"] is None


def test_other_types(run: Run) -> None:
    half = model([node("Relu", ["x"], ["y"])], [value("x", ["n", 4], TensorProto.FLOAT16)],
                 [value("y", ["n", 4], TensorProto.FLOAT16)])  # fmt: skip
    output = only(run(simple(node("Relu", ["x"], ["y"])), half))
    assert output["agrees"] is True  # both were given numbers that float16 has
    assert output["max_abs"] == 0
    text = model([node("Cast", ["x"], ["y"], to=TensorProto.STRING)], [X], [value("y", ["n", 4], TensorProto.STRING)])
    output = only(run(simple(node("Relu", ["x"], ["y"])), text))
    assert (output["agrees"], output["note"]) == (None, "texts and numbers cannot be compared")


def test_bfloat16_texts_and_sequences_are_run(run: Run) -> None:
    def brain(op: str) -> bytes:
        kind = TensorProto.BFLOAT16
        nodes = [node("Cast", ["x"], ["f"], to=1), node(op, ["f"], ["g"]), node("Cast", ["g"], ["y"], to=kind)]
        return model(nodes, [value("x", ["n", 4], kind)], [value("y", ["n", 4], kind)])

    output = only(run(brain("Identity"), brain("Relu")))
    assert output["after"]["type"] == "bfloat16[1,4]"
    assert 0 < output["max_abs"] <= 1

    def texts(*inputs: str) -> bytes:
        values = [value(name, ["n"], TensorProto.STRING) for name in "xy"]
        nodes = [node("StringConcat" if len(inputs) > 1 else "Identity", list(inputs), ["y"])]
        return model(nodes, values[:1], values[1:], opset={"": 20})

    output = only(run(texts("x"), texts("x", "x")))
    assert (output["agrees"], output["max_abs"], output["after"]["type"]) == (False, None, "string[1]")
    assert "elements differ" in output["note"]

    def sequence(op: str) -> bytes:
        nodes = [node(op, ["x"], ["v"]), node("SequenceConstruct", ["v", "x"], ["y"])]
        return model(nodes, [X], [helper.make_tensor_sequence_value_info("y", 1, None)])

    assert only(run(sequence("Identity"), sequence("Neg")))["agrees"] is False


# --- sizes ------------------------------------------------------------------------------------------------------------
def test_a_size_that_one_side_does_not_take_is_told(run: Run) -> None:
    """What was made for one batch says that it takes any."""
    one = simple(constant("s", [1, 4], np.int64), node("Reshape", ["x", "s"], ["v"]), node("Relu", ["v"], ["y"]))
    document = run(simple(node("Relu", ["x"], ["y"])), one)
    assert document["problems"] == []
    assert document["probe"]["sizes"] == [{"n": 1}]
    assert document["probe"]["agrees"] is True
    assert [note.partition(":")[0] for note in document["probe"]["notes"]] == [
        "with n=2 only before runs",
        "with n=3 only before runs",
    ]


def test_no_size_will_do(run: Run) -> None:
    document = run(simple(node("Relu", ["x"], ["y"])), fixed_reshape())
    ((problem),) = document["problems"]
    assert (problem["side"], problem["code"]) == ("after", "GM013")
    assert "none of 3 sizes; with n=2: " in problem["message"]
    assert document["probe"]["why_not_run"] == "a model does not run"


def test_a_fixed_side_decides(run: Run) -> None:
    fixed = model([node("Relu", ["x"], ["y"])], [value("x", [7, 4])], [value("y", [7, 4])])
    document = run(simple(node("Relu", ["x"], ["y"])), fixed)
    assert document["probe"]["sizes"] == [{}]
    assert only(document)["before"]["type"] == "float32[7,4]"


# --- chance -----------------------------------------------------------------------------------------------------------
def test_chance_is_not_blamed_on_the_change(run: Run) -> None:
    noisy = simple(node("RandomNormalLike", ["x"], ["r"]), node("Add", ["x", "r"], ["y"]))
    document = run(simple(node("Relu", ["x"], ["y"])), noisy)
    output = only(document)
    assert output["varies"] == {"before": False, "after": True}
    assert (output["agrees"], output["max_abs"]) == (None, None)
    assert "random: after gives other values" in output["note"]
    assert document["problems"] == []


# --- what is not run --------------------------------------------------------------------------------------------------
def test_another_format_is_not_run(run: Run) -> None:
    document = run(weights(1.0), weights(2.0), suffix="safetensors")
    assert document["probe"]["why_not_run"] == "ONNX Runtime runs ONNX models only, and this is safetensors"
    assert document["problems"] == []


def test_an_input_that_nobody_can_make(run: Run) -> None:
    def at(place: int) -> bytes:
        nodes = [constant("i", place, np.int64), node("SequenceAt", ["x", "i"], ["y"])]
        return model(nodes, [helper.make_tensor_sequence_value_info("x", 1, None)], [value("y", None)])

    document = run(at(0), at(1))
    assert "no values can be made for the input x" in document["probe"]["why_not_run"]
    assert document["problems"] == []


def test_inputs_of_too_many_elements(run: Run) -> None:
    def huge(op: str) -> bytes:
        return model([node(op, ["x"], ["y"])], [value("x", [1 << 40])], [value("y", [1 << 40])])

    document = run(huge("Relu"), huge("Abs"))
    assert document["probe"]["why_not_run"] == "the inputs would have too many elements"
    assert document["problems"] == []


def test_a_model_with_a_thousand_inputs_is_not_run(run: Run) -> None:
    def wide(count: int) -> bytes:
        names = [f"x{number}" for number in range(count)]
        return model([node("Sum", names, ["y"])], [value(name, [4]) for name in names], [value("y", [4])])

    assert run(wide(3), wide(4))["probe"]["runs"] == 3
    assert "more than 1,000 inputs or outputs" in run(wide(3), wide(1001))["probe"]["why_not_run"]


def test_a_runtime_that_cannot_be_loaded_is_said(compare: Callable[..., Result], cli: Program, tmp_path: Path) -> None:
    compare(dense(), dense(2 * WEIGHT))
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('not here')")
    result = cli("diff", "--run", "a.onnx", "b.onnx", cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, check=2)
    assert "onnxruntime cannot be loaded within 8192 MiB: not here" in result.err
    assert "pip install 'gitops-model[run]'" in result.err


# --- revisions --------------------------------------------------------------------------------------------------------
def test_revisions(cli: Program, git_repo: Callable[..., GitRepo]) -> None:
    repo = git_repo(files={"a.onnx": dense(), "b.onnx": dense(), "gone.onnx": dense()})
    repo.git("rm", "-q", "gone.onnx")
    repo.commit("Next", {"a.onnx": dense(identity=True), "b.onnx": dense(2 * WEIGHT), "new.onnx": dense(3 * WEIGHT)})
    document = cli("diff", "--run", "HEAD~1", "HEAD", "--format", "json", cwd=repo.path, check=0).json()
    schema("diff").validate(document)
    found = {file["path"]: file["probe"] and file["probe"]["agrees"] for file in document["files"]}
    assert found == {"a.onnx": True, "b.onnx": False, "gone.onnx": None, "new.onnx": None}
    cli("record", "--all", cwd=repo.path, check=0)
    noted = cli("diff", "--run", "HEAD~1", "HEAD", "b.onnx", "--format", "json", cwd=repo.path, check=0).json()
    assert noted["probe"]["agrees"] is False  # notes spare reading the weights, not running
