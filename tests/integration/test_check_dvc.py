"""A manifest may list a model that DVC keeps: git has only `NAME.dvc`, and ignores NAME."""

import hashlib
from collections.abc import Callable

import pytest
from support.gitrepo import GitRepo
from support.program import Program
from support.recording import valid, weights

MakeRepo = Callable[..., GitRepo]


def manifest(content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    return f"name: m\nversion: 1.0.0\narchitecture: amd64\nchecksums:\n  m.safetensors:\n    sha256: {sha256}\n"


def dvc_file(content: bytes) -> str:
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return f"outs:\n- md5: {md5}\n  size: {len(content)}\n  hash: md5\n  path: m.safetensors\n"


@pytest.fixture
def repo(git_repo: MakeRepo) -> GitRepo:
    repo = git_repo()
    repo.commit(
        "Model",
        {
            "m/model.yaml": manifest(weights(1)),
            "m/m.safetensors.dvc": dvc_file(weights(1)),
            "m/.gitignore": "/m.safetensors\n",
        },
    )
    return repo


def findings(cli: Program, repo: GitRepo, *words: str, check: int = 0) -> list[tuple[str, str]]:
    document = valid("report", cli("check", *words, "--format", "json", cwd=repo.path, check=check).json())
    return [(finding["code"], finding["path"]) for finding in document["findings"]]


PLACES = [("--rev", "HEAD"), ("m/model.yaml",), ()]


@pytest.mark.parametrize("where", PLACES)
def test_content_that_is_here_is_compared(cli: Program, repo: GitRepo, where: tuple[str, ...]) -> None:
    repo.write("m/m.safetensors", weights(1))
    assert findings(cli, repo, *where) == []


@pytest.mark.parametrize("where", PLACES)
def test_content_that_is_not_here_is_a_note(cli: Program, repo: GitRepo, where: tuple[str, ...]) -> None:
    assert findings(cli, repo, *where) == [("GM003", "m/m.safetensors")]


def test_a_new_version_without_its_manifest_is_stopped(cli: Program, repo: GitRepo) -> None:
    repo.write("m/m.safetensors", weights(2))
    repo.write("m/m.safetensors.dvc", dvc_file(weights(2)))
    repo.git("add", "--all")
    assert findings(cli, repo, "--staged", check=1) == [("GM201", "m/model.yaml")]
