"""What the words of `diff` mean: as git reads them, and two files besides."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo
from support.manifests import SWIFT, SWIFT_NEXT
from support.program import Program

ModelFile = Callable[[str, str], Path]


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo], model_file: ModelFile) -> GitRepo:
    """main: old → new (tagged) ; topic left main at the first commit; index and work tree differ from both."""
    old, new = (model_file(*pin).read_bytes() for pin in (SWIFT, SWIFT_NEXT))
    made = git_repo(files={"m.onnx": old, "sub/n.onnx": old})
    made.git("branch", "topic")
    made.commit("New", {"m.onnx": new})
    made.git("switch", "--quiet", "topic")
    made.commit("Other", {"sub/n.onnx": new})
    made.write("index.onnx", old)
    made.git("add", "index.onnx")
    made.write("m.onnx", new)
    return made


@pytest.mark.parametrize(
    "words, paths",
    [
        ((), {"m.onnx"}),
        (("--staged",), {"index.onnx"}),
        (("--cached",), {"index.onnx"}),
        (("--staged", "main"), {"index.onnx", "m.onnx", "sub/n.onnx"}),
        (("HEAD",), {"m.onnx", "index.onnx"}),
        (("main",), {"sub/n.onnx", "index.onnx"}),
        (("main", "topic"), {"m.onnx", "sub/n.onnx"}),
        (("main..topic",), {"m.onnx", "sub/n.onnx"}),
        (("main...topic",), {"sub/n.onnx"}),
        (("topic...main",), {"m.onnx"}),
        (("main..",), {"m.onnx", "sub/n.onnx"}),
        (("main", "topic", "sub"), {"sub/n.onnx"}),
        (("main", "topic", "--", "m.onnx"), {"m.onnx"}),
        (("main", "topic", "--", "gone.onnx"), set()),
        (("HEAD~1", "HEAD", "sub/n.onnx"), {"sub/n.onnx"}),
        (("m.onnx",), {"m.onnx"}),
        (("--", "m.onnx", "sub/n.onnx"), {"m.onnx"}),
    ],
    ids=lambda value: " ".join(sorted(value) if isinstance(value, set) else value),
)
def test_states(cli: Program, repo: GitRepo, words: tuple[str, ...], paths: set[str]) -> None:
    document = cli("diff", "--format", "json", *words, cwd=repo.path, check=0).json()
    assert {file["path"] for file in document.get("files", [document])} == paths


@pytest.mark.parametrize(
    "words",
    [
        ("m.onnx", "sub/n.onnx"),
        ("--no-index", "m.onnx", "sub/n.onnx"),
        ("main:m.onnx", "m.onnx"),
        ("m.onnx", "topic:sub/n.onnx"),
        ("topic:m.onnx", "main:m.onnx"),
        (":m.onnx", "main:m.onnx"),
    ],
    ids=" ".join,
)
def test_two_files(cli: Program, repo: GitRepo, words: tuple[str, ...]) -> None:
    document = cli("diff", "--format", "json", *words, cwd=repo.path, check=0).json()
    assert document["status"] == "compared"
    assert (document["old_path"], document["path"]) == words[-2:]


def test_below_a_folder_paths_are_the_callers(cli: Program, repo: GitRepo) -> None:
    document = cli("diff", "main", "topic", "--format", "json", "n.onnx", cwd=repo.path / "sub", check=0).json()
    assert document["path"] == "sub/n.onnx"
    document = cli("diff", "topic:./n.onnx", "../m.onnx", "--format", "json", cwd=repo.path / "sub", check=0).json()
    assert document["status"] == "compared"


@pytest.mark.parametrize(
    "words, said",
    [
        (("topic",), "both a revision and a file"),
        (("topic", "m.onnx"), "both a revision and a file"),
        (("m.onnx", "topic"), "both a revision and a file"),
        (("nothing",), "neither a revision nor a file"),
        (("main", "nothing.onnx"), "neither a revision nor a file"),
        (("nothing", "--", "m.onnx"), "names no revision"),
        (("main..topic", "HEAD"), "two states by itself"),
        (("main", "HEAD", "HEAD~1"), "3 revisions"),
        (("--staged", "main", "HEAD"), "with one revision"),
        (("--no-index", "m.onnx"), "compares two files"),
        (("main:nothing.onnx", "m.onnx"), "'nothing.onnx' is not in main"),
        (("main", "/etc"), "outside the repository"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_ambiguous_or_nothing_is_refused(
    cli: Program, repo: GitRepo, words: tuple[str, ...], said: str
) -> None:
    repo.write("topic", "a file that is called like a branch")
    result = cli("diff", *words, cwd=repo.path, check=2)
    assert said in result.err
    assert result.out == ""


def test_dashes_settle_it(cli: Program, repo: GitRepo) -> None:
    repo.write("topic", "a file that is called like a branch")
    assert cli("diff", "topic", "--", cwd=repo.path, check=0).out.startswith("index.onnx\n")
    assert cli("diff", "--", "topic", cwd=repo.path, check=0).out == ""
    assert cli("diff", "--no-index", "topic", "topic", cwd=repo.path, check=1).err.startswith("error: GM0")


@pytest.mark.parametrize(
    "words, code",
    [(("HEAD", "HEAD"), 0), (("HEAD~1", "HEAD"), 1), (("--no-index", "m.onnx", "m.onnx"), 0), (("--staged",), 1)],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_exit_code_is_1_when_a_bump_is_asked_for(
    cli: Program, repo: GitRepo, words: tuple[str, ...], code: int
) -> None:
    cli("diff", *words, cwd=repo.path, check=0)
    cli("diff", "--exit-code", *words, cwd=repo.path, check=code)


def test_outside_a_repository_two_files(cli: Program, model_file: ModelFile, tmp_path: Path) -> None:
    words = [model_file(*SWIFT), model_file(*SWIFT_NEXT)]
    assert "graph-only" in cli("diff", *words, cwd=tmp_path, check=0).out
    assert "no repository here" in cli("diff", words[0], cwd=tmp_path, check=2).err


def test_external_data_that_changed_makes_its_model_changed(cli: Program, git_repo: Callable[..., GitRepo]) -> None:
    """The model's own file is the same; what it computes is not."""
    onnx = pytest.importorskip("onnx")
    import numpy as np

    def write(repo: GitRepo, value: float) -> None:
        weight = onnx.numpy_helper.from_array(np.full((256,), value, np.float32), "w")
        x, y = (onnx.helper.make_tensor_value_info(n, 1, [256]) for n in "xy")
        graph = onnx.helper.make_graph([onnx.helper.make_node("Add", ["x", "w"], ["y"])], "g", [x], [y], [weight])
        (repo.path / "sub").mkdir(exist_ok=True)
        onnx.save_model(
            onnx.helper.make_model(graph),
            repo.path / "sub" / "m.onnx",
            save_as_external_data=True,
            location="weights.data",
            size_threshold=0,
        )

    repo = git_repo(files={"README": "x"})
    write(repo, 1.0)
    repo.commit("One")
    (repo.path / "sub" / "weights.data").unlink()
    write(repo, 2.0)
    assert repo.git("diff", "--name-only") == "sub/weights.data"
    document = cli("diff", "--format", "json", cwd=repo.path, check=0).json()
    assert document["path"] == "sub/m.onnx"
    assert document["verdict"]["kind"] == "weights-only"
    assert [tensor["name"] for tensor in document["weights"]["changed"]] == ["w"]
