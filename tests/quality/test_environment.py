"""The surroundings of the tests do what they promise."""

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import environment
from support.gitrepo import GitRepo
from support.program import Program

PERSONAL = {
    "GIT_DIR": "/elsewhere/.git",
    "GIT_INDEX_FILE": "/elsewhere/index",
    "GITHUB_TOKEN": "secret",
    "PRE_COMMIT_HOME": "/elsewhere",
    "PYTHONPATH": "/elsewhere",
    "EDITOR": "vi",
}


@pytest.mark.parametrize("name", PERSONAL)
def test_personal_settings_do_not_reach_a_test(name: str) -> None:
    assert name not in environment.clean(PERSONAL, Path("/home"), Path("/bin"))


def test_the_tools_of_the_environment_come_first(tmp_path: Path) -> None:
    cleaned = environment.clean({"PATH": "/usr/bin:/tools"}, tmp_path, Path("/tools"))
    assert cleaned["PATH"] == os.pathsep.join(["/tools", "/usr/bin"])


def test_a_write_to_home_is_seen(tmp_path: Path) -> None:
    before = environment.fingerprint(tmp_path)
    (tmp_path / ".gitops-model").touch()
    assert environment.fingerprint(tmp_path) != before


def test_a_change_of_git_configuration_is_seen(tmp_path: Path) -> None:
    environment.lay_home(tmp_path)
    before = environment.fingerprint(tmp_path)
    os.utime(tmp_path / ".gitconfig", ns=(1, 1))
    assert environment.fingerprint(tmp_path) != before


def test_the_network_is_out_of_reach() -> None:
    with socket.socket() as client, pytest.raises(RuntimeError, match=r"192\.0\.2\.1"):
        client.connect(("192.0.2.1", 80))


def test_git_knows_nobody_of_this_machine(git_repo: Callable[..., GitRepo]) -> None:
    repo = git_repo(files={"a.txt": "a\n"})
    assert repo.git("log", "--format=%an <%ae>") == "Test Person <test@example.com>"
    origins = repo.git("config", "--list", "--show-origin", "--name-only").splitlines()
    assert {line.split("\t")[0] for line in origins} == {f"file:{os.environ['GIT_CONFIG_GLOBAL']}", "file:.git/config"}


def test_every_console_script_is_the_one_of_this_tree(scripts: Path) -> None:
    for name in ("gitops-model", "git-model"):
        assert Program(scripts / name)("--version", check=0).out.startswith("gitops-model ")


def test_git_finds_the_program_as_a_verb(scripts: Path, tmp_path: Path) -> None:
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["git", "model", "--version"], cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True, check=True
    )
    assert done.stdout.startswith(b"gitops-model ")
