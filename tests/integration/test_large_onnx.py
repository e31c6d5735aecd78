"""An ONNX model of more than 2 GB through external data: protobuf cannot hold it in one file."""

import os
from pathlib import Path

import onnx
from onnx import TensorProto, helper
from support.program import Program

SIDE = 24_000
NBYTES = 4 * SIDE * SIDE


def sparse_model(folder: Path) -> Path:
    """One tensor of 2.3 GB, all zeros but for its last element: a hole on disk."""
    weight = TensorProto(data_type=TensorProto.FLOAT, dims=[SIDE, SIDE], name="w")
    weight.data_location = TensorProto.EXTERNAL
    for key, value in {"location": "model.data", "offset": "0", "length": str(NBYTES)}.items():
        weight.external_data.add(key=key, value=value)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", SIDE])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", SIDE])
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [x], [y], [weight])
    path = folder / "model.onnx"
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())
    with (folder / "model.data").open("wb") as data:
        data.truncate(NBYTES)
        data.seek(NBYTES - 4)
        data.write(b"\0\0\x80\x3f")
    return path


def test_it_is_described_and_checked(cli: Program, tmp_path: Path) -> None:
    path = sparse_model(tmp_path)
    assert NBYTES > 1 << 31
    assert (tmp_path / "model.data").stat().st_blocks * 512 < 1 << 20, "a hole"
    assert onnx.load(path, load_external_data=False).graph.initializer[0].name == "w"
    shown = cli("show", "--no-digests", path.name, "--format", "json", cwd=tmp_path).json()
    assert shown["tensors"][0]["nbytes"] == NBYTES
    assert shown["tensors"][0]["external"] == {"path": "model.data", "offset": 0, "length": NBYTES}
    assert "no findings" in cli("check", path.name, cwd=tmp_path).out


def test_data_that_ends_too_early_is_found(cli: Program, tmp_path: Path) -> None:
    path = sparse_model(tmp_path)
    os.truncate(tmp_path / "model.data", NBYTES - 1)
    result = cli("show", path.name, cwd=tmp_path, check=1)
    assert "GM001" in result.out + result.err
