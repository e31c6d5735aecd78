"""GM305 and `bump`: a version that moves as far as its models change, and not one other byte written."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.gitrepo import GitRepo
from support.program import Program
from support.small_models import sha256

HEAD = "# kept\r\nname: m\r\nversion: {version}   # the version 1.2.0\r\narchitecture: amd64\r\nchecksums:\r\n"


def onnx_model(weight: float = 1.0, *, inputs: tuple[str, ...] = ("x",)) -> bytes:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in (*inputs, "y")]
    tensor = numpy_helper.from_array(np.full(4, weight, np.float32), "w")
    node = helper.make_node("Sum", [*inputs, "w"], ["y"])
    graph = helper.make_graph([node], "g", values[:-1], values[-1:], [tensor])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


def files(version: str, model: bytes) -> dict[str, str | bytes]:
    text = HEAD.format(version=version) + f"  m.onnx: {{sha256: {sha256(model)}}}\r\n"
    text += "inputs:\r\n  x: {dtype: float32, shape: [4]}\r\noutputs:\r\n  y: {dtype: float32, shape: [4]}\r\n"
    return {"model.yaml": text.encode(), "m.onnx": model}


WEIGHTS, INTERFACE = onnx_model(2.0), onnx_model(inputs=("x", "z"))


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    return git_repo(files=files("1.2.0", onnx_model()))


def found(cli: Program, repo: GitRepo, *words: str, code: int) -> list[dict[str, Any]]:
    document = cli("check", "--select", "GM305", "--format", "json", *words, cwd=repo.path, check=code).json()
    return document["findings"]


@pytest.mark.parametrize(
    "version, model",
    [
        ("1.2.0", onnx_model()),
        ("1.2.1", WEIGHTS),
        ("1.3.0", WEIGHTS),
        ("2.0.0-rc.1", INTERFACE),
        ("1.1.0", onnx_model()),
    ],
    ids=["nothing changed", "patch", "more than needed", "prerelease of a major", "back without a change"],
)
def test_enough(cli: Program, repo: GitRepo, version: str, model: bytes) -> None:
    repo.commit("Next", files(version, model))
    assert found(cli, repo, "--base", "HEAD~1", code=0) == []


@pytest.mark.parametrize(
    "change",
    [("1.2.0", WEIGHTS, "1.2.1"), ("1.2.1", INTERFACE, "2.0.0"), ("1.1.0", WEIGHTS, "1.2.1")],
    ids=["stayed", "too little", "back"],
)
@pytest.mark.parametrize("where", ["work tree", "index", "commit", "review"])
def test_too_little(cli: Program, repo: GitRepo, change: tuple[str, bytes, str], where: str) -> None:
    version, model, least = change
    for name, content in files(version, model).items():
        repo.write(name, content)
    words = {"work tree": (), "index": ("--staged",), "commit": ("--rev", "HEAD"), "review": ()}[where]
    base = "HEAD"
    if where == "index":
        repo.git("add", "--all")
    elif where in {"commit", "review"}:
        repo.commit("Next")
        base = "HEAD~1"
    if where == "review":
        document = cli("review", "--base", base, "--format", "json", cwd=repo.path).json()
        findings = [one for one in document["findings"] if one["code"] == "GM305"]
    else:
        findings = found(cli, repo, "--base", base, *words, code=1)
    (one,) = findings
    assert (one["path"], one["line"], one["column"]) == ("model.yaml", 3, 10)
    assert (one["expected"], one["found"]) == (f"{least} or above", version)
    assert one["hint"].startswith("gitops-model bump model.yaml --base ")


def test_bump_writes_the_characters_of_the_version_and_nothing_else(cli: Program, repo: GitRepo) -> None:
    repo.write("m.onnx", WEIGHTS)
    before = (repo.path / "model.yaml").read_bytes()
    assert cli("bump", cwd=repo.path, check=0).out == "1.2.1\n"
    assert (repo.path / "model.yaml").read_bytes() == before.replace(b"version: 1.2.0 ", b"version: 1.2.1 ")
    assert cli("bump", cwd=repo.path, check=0).out == "1.2.1\n"  # it moved already
    repo.write("m.onnx", INTERFACE)
    assert cli("bump", "model.yaml", cwd=repo.path, check=0).out == "2.0.0\n"
    assert found(cli, repo, "--base", "HEAD", code=0) == []


def test_bump_counts_from_the_commit_that_set_the_version(cli: Program, repo: GitRepo) -> None:
    repo.commit("A change that moved nothing", {"m.onnx": WEIGHTS})
    assert cli("bump", cwd=repo.path, check=0).out == "1.2.1\n"
    repo.git("checkout", "--quiet", "model.yaml")
    assert cli("bump", "--base", "HEAD", cwd=repo.path, check=0).out == "1.2.0\n"


@pytest.mark.parametrize("part, after", [("patch", "1.2.1"), ("minor", "1.3.0"), ("major", "2.0.0")])
def test_bump_of_a_part(cli: Program, repo: GitRepo, part: str, after: str) -> None:
    assert cli("bump", "--part", part, cwd=repo.path, check=0).out == f"{after}\n"


@pytest.mark.parametrize("version", ['"1.2.0"', "'1.2.0'"])
def test_quotes_stay(cli: Program, repo: GitRepo, version: str) -> None:
    repo.commit("Quotes", files(version, onnx_model()))
    cli("bump", "--part", "minor", cwd=repo.path, check=0)
    assert f"version: {version.replace('1.2.0', '1.3.0')} ".encode() in (repo.path / "model.yaml").read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        'name: &v "1.2.0"\nversion: *v\narchitecture: amd64\nchecksums: {}\n',
        'name: m\nversion: "1.2.\\x30"\narchitecture: amd64\nchecksums: {}\n',
        "name: *x\n",
    ],
    ids=["alias", "escape", "no manifest"],
)
def test_what_cannot_be_replaced_alone_is_left(cli: Program, repo: GitRepo, text: str) -> None:
    repo.write("model.yaml", text)
    cli("bump", "--part", "minor", cwd=repo.path, check=2)
    assert (repo.path / "model.yaml").read_text() == text


def test_which_manifest(cli: Program, repo: GitRepo) -> None:
    other = files("0.1.0", onnx_model())
    repo.commit("Two", {f"sub/{name}": content for name, content in other.items()})
    assert cli("bump", "--part", "minor", cwd=repo.path / "sub", check=0).out == "0.2.0\n"
    (repo.path / "x").mkdir()
    assert "which manifest?" in cli("bump", cwd=repo.path / "x", check=2).err
