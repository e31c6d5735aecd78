"""`init MODEL` writes a manifest that is right at once."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from support.gitrepo import GitRepo
from support.small_models import SAFETENSORS, pointer

from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.pipeline.check import check
from gitops_model.pipeline.init_manifest import Initial, init_manifest, name_of

Factory = Callable[..., GitRepo]


def init(folder: Path, *models: str, **options: object) -> Initial:
    return init_manifest(str(folder), os.environ, models, **options)  # type: ignore[arg-type]


def clean(folder: Path, *paths: str) -> bool:
    report = check(str(folder), os.environ, paths=paths)
    assert [(finding.code, finding.message) for finding in report.findings] == []
    return report.manifests > 0


def hostile() -> bytes:
    """An ONNX model whose names are everything that YAML could take for something else."""
    names = [
        "on",
        "null",
        "~",
        "1.0",
        "<<",
        "a: b",
        "- x",
        "# y",
        "é\u202e\x07",
        "!t",
        "&a",
        "*a",
        "%d",
        "'",
        '"',
        "\\",
    ]
    dims = ["batch", "3", "", "on", "null", "a, b", "]", "2*n", "-1", "0x10", "n\n"]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [dims[at % len(dims)], 3])
        for at, name in enumerate(names)
    ]
    output = helper.make_tensor_value_info("yes", TensorProto.BFLOAT16, None)
    node = helper.make_node("Identity", ["on"], ["yes"])
    graph = helper.make_graph([node], "g", inputs, [output])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


def test_a_first_manifest(git_repo: Factory) -> None:
    repo = git_repo("repo", files={"models/My Model.v2.safetensors": SAFETENSORS})
    made = init(repo.path, "models/My Model.v2.safetensors", algorithms=("sha256", "blake3"))
    assert made.path == "models/model.yaml"
    assert (repo.path / "models/model.yaml").read_text() == made.text
    assert made.text.startswith("name: My-Model.v2\nversion: 0.1.0\narchitecture: [amd64, arm64]\n")
    assert clean(repo.path)


def test_real_and_hostile_names(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(hostile())
    made = init(tmp_path, "m.onnx")
    assert made.path == "model.yaml"
    assert clean(tmp_path, ".")


def test_external_data_is_listed(tmp_path: Path) -> None:
    weight = onnx.numpy_helper.from_array(np.arange(64, dtype=np.float32), "w")
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [64])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [64])
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", [value], [result], [weight])
    onnx.save_model(
        helper.make_model(graph),
        str(tmp_path / "m.onnx"),
        save_as_external_data=True,
        location="m.data",
        size_threshold=0,
    )
    made = init(tmp_path, "m.onnx")
    assert "  m.data:\n    sha256: " in made.text
    assert clean(tmp_path, ".")


def test_a_neighbour_gets_a_manifest_of_its_own(tmp_path: Path) -> None:
    for name in ("a.safetensors", "b.safetensors"):
        (tmp_path / name).write_bytes(SAFETENSORS)
    assert init(tmp_path, "a.safetensors").path == "a.model.yaml"
    assert init(tmp_path, "b.safetensors").path == "b.model.yaml"
    assert clean(tmp_path, ".")


def test_several_models_in_one_manifest(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.safetensors", "sub/b.safetensors"):
        (tmp_path / name).write_bytes(SAFETENSORS)
    repo = GitRepo(tmp_path)
    repo.git("init", "-q")
    assert init(tmp_path, "a.safetensors", "sub/b.safetensors").path == "model.yaml"
    assert clean(tmp_path)


def test_nothing_is_overwritten_without_being_told(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(SAFETENSORS)
    (tmp_path / "model.yaml").write_text("mine")
    (tmp_path / "a.model.yaml").write_text("mine too")
    with pytest.raises(CouldNotRun, match=r"a\.model\.yaml is there already"):
        init(tmp_path, "a.safetensors")
    with pytest.raises(CouldNotRun, match="there already"):
        init(tmp_path, "a.safetensors", output="model.yaml")
    assert (tmp_path / "model.yaml").read_text() == "mine"
    assert init(tmp_path, "a.safetensors", output="model.yaml", force=True).path == "model.yaml"
    assert (tmp_path / "model.yaml").read_text() != "mine"


def test_a_listed_model_is_not_listed_again(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(SAFETENSORS)
    init(tmp_path, "a.safetensors")
    with pytest.raises(CouldNotRun, match=r"listed in model\.yaml already") as caught:
        init(tmp_path, "a.safetensors")
    assert caught.value.hint == "gitops-model check --fix model.yaml"
    assert init(tmp_path, "a.safetensors", force=True).path == "model.yaml"


def test_printing_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(SAFETENSORS)
    made = init(tmp_path, "a.safetensors", output="-", name="mine", version="2.0.0-rc.1", architecture=("arm64",))
    assert made.path is None
    assert made.text.startswith("name: mine\nversion: 2.0.0-rc.1\narchitecture: [arm64]\n")
    assert [item.name for item in tmp_path.iterdir()] == ["a.safetensors"]


@pytest.mark.parametrize(
    "options, says",
    [
        ({"name": "not valid"}, "name is not valid"),
        ({"version": "v1"}, "must not begin with 'v'"),
        ({"architecture": ("mips",)}, "no known architecture"),
        ({"algorithms": ("md5",)}, "no digest"),
        ({"output": "elsewhere/model.yaml"}, "in the folder of its models"),
    ],
)
def test_options_that_make_no_manifest(tmp_path: Path, options: dict[str, object], says: str) -> None:
    (tmp_path / "a.safetensors").write_bytes(SAFETENSORS)
    with pytest.raises(CouldNotRun, match=says):
        init(tmp_path, "a.safetensors", **options)
    assert [item.name for item in tmp_path.iterdir()] == ["a.safetensors"]


@pytest.mark.parametrize(
    "content, code",
    [(b"", "GM001"), (b"<!DOCTYPE html><html></html>", "GM004"), (pointer(b"x").encode(), "GM003"), (None, "GM116")],
)
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes | None, code: str) -> None:
    path = tmp_path / "a.safetensors"
    if content is None:
        path.symlink_to("/etc/passwd")
    else:
        path.write_bytes(content)
    with pytest.raises(BadFile) as caught:
        init(tmp_path, "a.safetensors")
    assert caught.value.problem.code == code
    assert [item.name for item in tmp_path.iterdir()] == ["a.safetensors"]


def test_a_manifest_or_a_missing_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text("x")
    for words in (("model.yaml",), ("gone.onnx",), ()):
        with pytest.raises(CouldNotRun):
            init(tmp_path, *words)


@pytest.mark.parametrize(
    "path, name",
    [
        ("silero_vad.onnx", "silero_vad"),
        ("a/b/Model 1.5.safetensors", "Model-1.5"),
        ("x.pth.tar", "x"),
        ("..onnx", "model"),
        ("-.onnx", "model"),
        ("é.onnx", "model"),
        ("a..b.lock.onnx", "a-b"),
        ("m" * 300 + ".onnx", "m" * 100),
    ],
)
def test_names(path: str, name: str) -> None:
    assert name_of(path) == name
