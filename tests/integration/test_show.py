"""`show`: text that diffs well line by line, from wherever the model is."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from support.gitrepo import GitRepo
from support.onnx_text import encoded
from support.program import Program

Factory = Callable[..., GitRepo]
TEXT = """\
(float[N, 3] x, bool b) => (float[N, 4] y)
<float[3, 4] w = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, float[4] bias = {0, 0, 0, 1}> {
  t = Gemm <alpha = 0.5, transB = 0> (x, w, bias)
  y = If (b) <
    then_branch = yes () => (float[N, 4] p) { p = LeakyRelu <alpha = 0.25> (t) },
    else_branch = no () => (float[N, 4] q) {
      k = Constant <value = float[1] {2}> ()
      q = com.example.Scale <table = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]> (t, k)
    }
  >
}"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(encoded(TEXT))
    return path


@pytest.mark.parametrize("options", [(), ("--no-digests",), ("--nodes",)], ids=["plain", "no-digests", "nodes"])
def test_text(cli: Program, model: Path, golden: Callable[[str, str], None], options: tuple[str, ...]) -> None:
    golden(f"show{''.join(options)}.txt", cli("show", model, *options, check=0).out)


def test_names_and_order_of_nodes_are_no_lines(cli: Program, model: Path) -> None:
    """What exporters make up anew each time does not show up in a line diff."""
    before = cli("show", "--textconv=1", model, check=0).out
    noise = TEXT.replace("t = ", "t_17 = ").replace("(t)", "(t_17)").replace("(t, k)", "(t_17, k)")
    model.write_bytes(
        encoded(
            noise.replace("float[3, 4] w = ", "float[4] bias = {0, 0, 0, 1}, float[3, 4] w = ").replace(
                "12}, float[4] bias = {0, 0, 0, 1}>", "12}>"
            )
        )
    )
    assert cli("show", "--textconv=1", model, check=0).out == before


@pytest.mark.parametrize(
    "old, new, lines",
    [
        ("{0, 0, 0, 1}", "{0, 0, 0, 2}", {"weights", "tensor"}),
        ("alpha = 0.25", "alpha = 0.5", {"structure", "node"}),
        ("float[N, 4] y", "float[M, 4] y", {"signature", "output"}),
        ("transB = 0", "transB = 0, beta = 2.0", {"structure", "node"}),
    ],
)
def test_one_change_is_one_line_and_its_digest(cli: Program, model: Path, old: str, new: str, lines: set[str]) -> None:
    before = cli("show", "--textconv=1", model, check=0).out.splitlines()
    model.write_bytes(encoded(TEXT.replace(old, new)))
    after = cli("show", "--textconv=1", model, check=0).out.splitlines()
    changed = [line for line in after if line not in before]
    assert {line.split()[0] for line in changed} == lines
    assert len(changed) == len(lines)
    assert len(after) == len(before)


# --- from where -------------------------------------------------------------------------------------------------------
def test_of_a_commit_of_the_index_and_of_a_file(cli: Program, git_repo: Factory, model: Path) -> None:
    versions = [encoded(TEXT.replace("alpha = 0.5", f"alpha = {n}.5")) for n in range(3)]
    repo = git_repo(files={"sub/m.onnx": versions[0]})
    repo.write("sub/m.onnx", versions[1])
    repo.git("add", "--all")
    repo.write("sub/m.onnx", versions[2])
    shown = {}
    for target in ("HEAD:sub/m.onnx", ":sub/m.onnx", "sub/m.onnx"):
        shown[target] = cli("show", target, "--nodes", cwd=repo.path, check=0).out
    for number, text in enumerate(shown.values()):
        assert f"node Gemm alpha={number}.5 transB=0\n" in text
    inside = cli("show", "HEAD:./m.onnx", "--nodes", cwd=repo.path / "sub", check=0).out
    assert inside == shown["HEAD:sub/m.onnx"]
    repo.write("HEAD:odd.onnx", versions[2])
    assert "alpha=2.5" in cli("show", "HEAD:odd.onnx", "--nodes", cwd=repo.path, check=0).out


def test_a_large_file_of_a_commit(cli: Program, git_repo: Factory) -> None:
    """Beyond what is held in memory, the content comes through git as a stream."""
    weight = onnx.numpy_helper.from_array(np.arange(3_000_000, dtype=np.float32), "w")
    graph = onnx.helper.make_graph([], "g", [], [], [weight])
    repo = git_repo(files={"m.onnx": onnx.helper.make_model(graph).SerializeToString()})
    here = cli("show", "m.onnx", cwd=repo.path, check=0).out
    (repo.path / "m.onnx").unlink()
    assert cli("show", "HEAD:m.onnx", cwd=repo.path, check=0).out == here


@pytest.fixture
def external(tmp_path: Path) -> Path:
    """A model whose weights are in a file beside it."""
    weights = [onnx.numpy_helper.from_array(np.full((64,), n, np.float32), f"w{n}") for n in range(2)]
    graph = onnx.helper.make_graph([], "g", [], [], weights)
    path = tmp_path / "external" / "m.onnx"
    path.parent.mkdir()
    model = onnx.helper.make_model(graph)
    onnx.save_model(model, path, save_as_external_data=True, location="m.data", size_threshold=0)
    return path


def test_external_data_is_read_for_digests(cli: Program, external: Path) -> None:
    shown = cli("show", external, "--format", "json", check=0).json()
    assert shown["weights"].startswith("gm1-weights:")
    assert shown["deps"] == ["m.data"]
    assert {tensor["external"]["path"] for tensor in shown["tensors"]} == {"m.data"}


def test_textconv_says_where_external_data_is_and_opens_nothing(cli: Program, external: Path, tmp_path: Path) -> None:
    """Git hands over a copy of the committed side, in a folder that is not the model's."""
    copy = tmp_path / "copy" / "m.onnx"
    copy.parent.mkdir()
    shutil.copy(external, copy)
    os.mkfifo(copy.parent / "m.data")
    for path in (external, copy):
        out = cli("show", "--textconv=1", path, check=0).out
        assert "tensor w0 float32[64] in m.data offset 0 length 256\n" in out
        assert "\nweights " not in out
    assert cli("show", "--textconv=1", external, check=0).out == cli("show", "--textconv=1", copy, check=0).out


def test_missing_external_data_is_said_and_the_rest_shown(cli: Program, external: Path) -> None:
    (external.parent / "m.data").unlink()
    shown = cli("show", external, "--format", "json", check=0).json()
    assert shown["weights"] is None
    assert [problem["code"] for problem in shown["problems"]] == ["GM010"]
    assert [tensor["digest"] for tensor in shown["tensors"]] == [None, None]


def test_external_data_of_a_commit_comes_from_that_commit(cli: Program, git_repo: Factory, external: Path) -> None:
    repo = git_repo(files={name: (external.parent / name).read_bytes() for name in ("m.onnx", "m.data")})
    before = cli("show", "m.onnx", cwd=repo.path, check=0).out
    repo.write("m.data", bytes(512))
    assert cli("show", "m.onnx", cwd=repo.path, check=0).out != before
    assert cli("show", "HEAD:m.onnx", cwd=repo.path, check=0).out == before


@pytest.mark.parametrize("place", ["outside", "inside"])
def test_external_data_by_symlink_is_not_followed(
    cli: Program, git_repo: Factory, external: Path, tmp_path: Path, place: str
) -> None:
    folder = git_repo(files={"README": "x"}).path if place == "inside" else tmp_path / "plain"
    folder.mkdir(exist_ok=True)
    shutil.copy(external, folder / "m.onnx")
    (folder / "m.data").symlink_to(external.parent / "m.data")
    shown = cli("show", folder / "m.onnx", "--format", "json", check=0).json()
    assert [problem["code"] for problem in shown["problems"]] == ["GM602"]
    assert shown["weights"] is None
