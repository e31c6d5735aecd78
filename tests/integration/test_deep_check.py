"""The deep check with the real library, in its real process."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper
from support import models, onnx_zoo
from support.program import Program

from gitops_model.blob import Blob, NoSource
from gitops_model.errors import MissingExtra
from gitops_model.ir import Model
from gitops_model.pipeline import deep
from gitops_model.pipeline.deep import Limits, deep_problems
from gitops_model.readers.onnx.model import read
from gitops_model.readers.onnx.skeleton import LARGE, skeleton


def described(content: bytes) -> tuple[Blob, Model]:
    blob = Blob.of_bytes("m.onnx", content)
    return blob, read(blob, NoSource())


def dense(*, sorted_nodes: bool = True, location: str | None = None) -> onnx.ModelProto:
    """x (N, 200) × w (200, 300) + b: a valid model with one tensor that is left out of a skeleton."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Constant", [], ["shape"], value_ints=[-1, 300]),
        helper.make_node("Reshape", ["a", "shape"], ["c"]),
        helper.make_node("Add", ["c", "b"], ["y"]),
    ]
    weight = onnx_zoo.raw(TensorProto.FLOAT, [200, 300], "w")
    if location is not None:
        weight = TensorProto(name="w", data_type=1, dims=[200, 300], data_location=TensorProto.EXTERNAL)
        weight.external_data.add(key="location", value=location)
    graph = helper.make_graph(
        nodes if sorted_nodes else nodes[::-1],
        "dense",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 200])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 300])],
        [weight, onnx_zoo.typed(TensorProto.FLOAT, [300], "b")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


# --- nothing wrong --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("package, path", models.model_files(".onnx")[:3])
def test_a_real_model_passes(model_file: Callable[[str, str], Path], package: str, path: str) -> None:
    with Blob.of_file(model_file(package, path)) as blob:
        assert deep_problems(blob, read(blob, NoSource())) == ()


@pytest.mark.parametrize("location", [None, "w.bin", "deep/er/w.bin", "weights"])
def test_a_valid_model_passes_without_its_weights(location: str | None) -> None:
    assert deep_problems(*described(dense(location=location).SerializeToString())) == ()


def test_another_format_is_not_asked_about() -> None:
    assert deep_problems(Blob.of_bytes("m.safetensors", b""), Model("safetensors", ())) == ()


# --- something wrong ------------------------------------------------------------------------------------------------
def unsorted() -> onnx.ModelProto:
    return dense(sorted_nodes=False)


def shapes_that_do_not_meet() -> onnx.ModelProto:
    """What the checker alone accepts: only shape inference sees it."""
    model = dense()
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 201
    onnx.checker.check_model(model)
    return model


def attribute_missing() -> onnx.ModelProto:
    model = dense()
    model.graph.node.append(onnx.NodeProto(op_type="Concat", input=["y", "y"], output=["z"]))
    return model


@pytest.mark.parametrize(
    "make, word",
    [
        (unsorted, "topologically sorted"),
        (shapes_that_do_not_meet, "MatMul"),
        (attribute_missing, "axis"),
    ],
)
def test_what_the_library_refuses_is_a_problem(make: Callable[[], onnx.ModelProto], word: str) -> None:
    (problem,) = deep_problems(*described(make().SerializeToString()))
    assert problem.code == "GM012"
    assert word in problem.message
    assert "\n" not in problem.message
    assert len(problem.message) < 700


def test_names_that_no_file_can_have_are_a_problem() -> None:
    (problem,) = deep_problems(*described(dense(location="n" * 300).SerializeToString()))
    assert problem.code == "GM012"
    assert "cannot be a file" in problem.message


def test_the_program_asks_only_when_told_to(cli: Program, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(unsorted().SerializeToString())
    cli("check", "m.onnx", cwd=tmp_path, check=0)
    found = cli("check", "--deep", "m.onnx", cwd=tmp_path, check=1).stdout
    assert b"GM012" in found
    cli("check", "--deep", "--fix", "m.onnx", cwd=tmp_path, check=2)


# --- limits ---------------------------------------------------------------------------------------------------------
def test_a_process_without_memory_is_a_problem() -> None:
    (problem,) = deep_problems(*described(dense().SerializeToString()), Limits(memory=40 << 20))
    assert problem.code == "GM012"


def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Another program in the worker's place."""
    worker = tmp_path / "worker.py"
    worker.write_text(f"import os, signal, sys, time\n{body}\n")
    monkeypatch.setattr(deep, "WORKER", str(worker))


@pytest.mark.parametrize(
    "body, word",
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", "did not finish"),
        ("os.read(os.pipe()[0], 1)", "did not finish within 1 s"),
        ("sys.exit(9)", "exit code 9"),
        ("print('no JSON')", "no answer"),
    ],
)
def test_a_process_that_ends_badly_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, word: str
) -> None:
    stand_in(tmp_path, monkeypatch, body)
    (problem,) = deep_problems(*described(dense().SerializeToString()), Limits(seconds=1))
    assert problem.code == "GM012"
    assert word in problem.message


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "sys.exit(3)")
    with pytest.raises(MissingExtra) as caught:
        deep_problems(*described(dense().SerializeToString()))
    assert caught.value.hint == "pip install 'gitops-model[review]'"


def test_the_process_runs_nothing_of_the_folder_it_is_started_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("onnx", "json", "resource", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('executed')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert deep_problems(*described(dense().SerializeToString())) == ()


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    deep_problems(*described(dense(location="a/w.bin").SerializeToString()))
    assert os.listdir(tmp_path) == []


def test_the_worker_alone_writes_no_files(tmp_path: Path) -> None:
    """It is given a folder; what it could be made to write by a hostile model is nothing."""
    done = subprocess.run(
        [sys.executable, "-I", "-B", deep.WORKER],
        input=b'{"search": [], "memory": 3000000000, "seconds": 10}',
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode in (1, 3)
    assert os.listdir(tmp_path) == []


# --- the skeleton ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["large", "attributes", "nested", "functions", "sparse", "constants"])
def test_a_skeleton_says_the_same_but_for_large_weights(name: str) -> None:
    content = onnx_zoo.ZOO[name]().SerializeToString()
    blob, model = described(content)
    bare, files = skeleton(blob, model)
    assert len(bare) < len(content) + 1000
    again = read(Blob.of_bytes("m.onnx", bare), NoSource())
    assert [tensor[:3] for tensor in again.tensors] == [tensor[:3] for tensor in model.tensors]
    assert again.inputs == model.inputs
    assert again.opset == model.opset
    theirs = onnx.ModelProto.FromString(bare)
    for tensor in theirs.graph.initializer:
        assert len(tensor.raw_data) <= LARGE
        if tensor.data_location == TensorProto.EXTERNAL:
            assert {entry.key: entry.value for entry in tensor.external_data}["location"] in files
            del tensor.external_data[:]
            tensor.ClearField("data_location")
    ours = onnx.ModelProto.FromString(content)
    for tensor in ours.graph.initializer:
        if len(tensor.raw_data) > LARGE:
            tensor.ClearField("raw_data")
    assert theirs == ours
