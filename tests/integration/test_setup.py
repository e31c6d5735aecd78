"""`init --hooks` and `init --uninstall` around what a team already has; `doctor`."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo
from support.manifests import SWIFT, SWIFT_NEXT, add_swift
from support.program import Program

ModelFile = Callable[[str, str], Path]
Factory = Callable[..., GitRepo]

HOOK_SEVEN = "#!/bin/sh\necho mine >> ran\nexit 7\n"
HOOK_FINE = '#!/bin/sh\necho "mine $*" >> ran\n'


def snapshot(repo: GitRepo) -> dict[str, tuple[int, bytes]]:
    """Mode and content of everything that set-up may touch: hooks, configuration, attributes."""
    git_dir = Path(repo.git("rev-parse", "--path-format=absolute", "--git-common-dir"))
    places = [git_dir / "config", *(git_dir / "hooks").rglob("*"), *repo.path.rglob(".gitattributes")]
    places += list((repo.path / ".githooks").rglob("*"))
    return {
        str(path): (
            path.lstat().st_mode,
            os.readlink(path).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b"",
        )
        for path in places
    }


def add_hook(repo: GitRepo, name: str, content: str, mode: int = 0o755, folder: str = ".git/hooks") -> Path:
    path = repo.write(f"{folder}/{name}", content)
    path.chmod(mode)
    return path


def commit(repo: GitRepo) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "commit", "--allow-empty", "-m", "x"], cwd=repo.path, capture_output=True, text=True, check=False
    )


def ran(repo: GitRepo) -> str:
    path = repo.path / "ran"
    return path.read_text() if path.exists() else ""


# --- nothing changes --------------------------------------------------------------------------------------------------
LFS = "*.onnx filter=lfs diff=lfs merge=lfs -text\n"
ATTRIBUTES = {
    "none": {},
    "lfs": {".gitattributes": LFS},
    "no last newline": {".gitattributes": "*.bin binary"},
    "empty": {".gitattributes": ""},
    "crlf": {".gitattributes": "*.txt text\r\n*.bin binary\r\n"},
    "deeper": {".gitattributes": "*.txt text\n", "deep/er/.gitattributes": LFS, "deep/er/m.onnx": "x"},
}


@pytest.mark.parametrize("files", [pytest.param(files, id=name) for name, files in ATTRIBUTES.items()])
def test_uninstall_puts_back_every_byte(git_repo: Factory, cli: Program, files: dict[str, str]) -> None:
    repo = git_repo(files={"README": "x", **files})
    add_hook(repo, "pre-commit", HOOK_FINE, 0o750)
    repo.git("remote", "add", "origin", "../nowhere")
    before = snapshot(repo)
    cli("init", "--hooks", cwd=repo.path, check=0)
    assert snapshot(repo) != before
    cli("init", "--uninstall", cwd=repo.path, check=0)
    assert snapshot(repo) == before


def test_a_second_time_changes_nothing(git_repo: Factory, cli: Program) -> None:
    repo = git_repo(files={"README": "x", ".gitattributes": LFS})
    repo.git("remote", "add", "origin", "../nowhere")
    add_hook(repo, "pre-push", HOOK_FINE)
    cli("init", "--hooks", cwd=repo.path, check=0)
    before = snapshot(repo)
    steps = cli("init", "--hooks", "--format", "json", cwd=repo.path, check=0).json()["steps"]
    assert snapshot(repo) == before
    assert {step["state"] for step in steps} == {"kept"}


def test_uninstalling_nothing_does_nothing(git_repo: Factory, cli: Program) -> None:
    repo = git_repo(files={"README": "x"})
    before = snapshot(repo)
    assert cli("init", "--uninstall", cwd=repo.path, check=0).out == "nothing to do\n"
    assert snapshot(repo) == before


def test_a_driver_of_the_same_name_comes_back(git_repo: Factory, cli: Program) -> None:
    repo = git_repo(files={"README": "x"})
    repo.git("config", "diff.gitops-model.textconv", "strings -a")
    before = snapshot(repo)
    for _ in range(2):
        cli("init", "--hooks", cwd=repo.path, check=0)
    assert repo.git("config", "diff.gitops-model.textconv") != "strings -a"
    cli("init", "--uninstall", cwd=repo.path, check=0)
    assert snapshot(repo) == before


# --- hooks that are there ---------------------------------------------------------------------------------------------
def test_the_hook_that_was_there_stops_the_commit_with_its_code(git_repo: Factory, cli: Program) -> None:
    repo = git_repo(files={"README": "x"})
    path = add_hook(repo, "pre-commit", HOOK_SEVEN)
    cli("init", "--hooks", cwd=repo.path, check=0)
    assert commit(repo).returncode == 1  # git's own code for "a hook refused"
    assert ran(repo) == "mine\n"
    assert subprocess.run([path], cwd=repo.path, check=False).returncode == 7


def test_the_hook_that_was_there_runs_first_and_then_ours(
    git_repo: Factory, cli: Program, model_file: ModelFile
) -> None:
    repo = git_repo(files={"README": "x"})
    add_hook(repo, "pre-commit", HOOK_FINE)
    cli("init", "--hooks", cwd=repo.path, check=0)
    add_swift(repo, model_file(*SWIFT))
    repo.write("models/swift.onnx", model_file(*SWIFT_NEXT).read_bytes())
    repo.git("add", "--all")
    done = commit(repo)
    assert (done.returncode, ran(repo)) == (1, "mine \n")
    assert "GM201" in done.stdout + done.stderr


def test_a_hook_that_git_would_not_run_is_not_run(git_repo: Factory, cli: Program) -> None:
    repo = git_repo(files={"README": "x"})
    add_hook(repo, "pre-commit", HOOK_SEVEN, 0o644)
    cli("init", "--hooks", cwd=repo.path, check=0)
    assert commit(repo).returncode == 0
    assert ran(repo) == ""


def test_a_hook_that_is_a_symbolic_link_stays_one(git_repo: Factory, cli: Program) -> None:
    repo = git_repo(files={"README": "x", "tools/hook": HOOK_FINE})
    (repo.path / "tools/hook").chmod(0o755)
    (repo.path / ".git/hooks/pre-commit").symlink_to("../../tools/hook")
    before = snapshot(repo)
    cli("init", "--hooks", cwd=repo.path, check=0)
    assert commit(repo).returncode == 0
    assert ran(repo) == "mine \n"
    cli("init", "--uninstall", cwd=repo.path, check=0)
    assert snapshot(repo) == before


def test_pre_push_of_the_user_gets_its_input_and_its_arguments(git_repo: Factory, cli: Program) -> None:
    repo, remote = git_repo(files={"README": "x"}), git_repo("remote", bare=True)
    add_hook(repo, "pre-push", '#!/bin/sh\necho "$1 $2" > ran\ncat >> ran\n')
    repo.git("remote", "add", "origin", str(remote.path))
    cli("init", "--hooks", cwd=repo.path, check=0)
    repo.git("push", "--quiet", "origin", "main")
    head = repo.git("rev-parse", "HEAD")
    assert ran(repo) == f"origin {remote.path}\nrefs/heads/main {head} refs/heads/main {'0' * 40}\n"


def test_pre_push_of_the_user_may_refuse(git_repo: Factory, cli: Program) -> None:
    repo, remote = git_repo(files={"README": "x"}), git_repo("remote", bare=True)
    add_hook(repo, "pre-push", "#!/bin/sh\nexit 3\n")
    repo.git("remote", "add", "origin", str(remote.path))
    cli("init", "--hooks", cwd=repo.path, check=0)
    assert subprocess.run(["git", "push", "-q", "origin", "main"], cwd=repo.path, check=False).returncode == 1
    assert remote.git("for-each-ref") == ""


def test_a_hook_written_over_ours_is_left_alone(git_repo: Factory, cli: Program) -> None:
    repo = git_repo(files={"README": "x"})
    path = add_hook(repo, "pre-commit", HOOK_FINE)
    cli("init", "--hooks", cwd=repo.path, check=0)
    path.write_text("#!/bin/sh\necho newest\n")
    result = cli("init", "--hooks", cwd=repo.path, check=2)
    assert "pre-commit.before-gitops-model" in result.err
    assert "left" in cli("init", "--uninstall", cwd=repo.path, check=0).out
    assert path.read_text() == "#!/bin/sh\necho newest\n"


# --- where hooks are --------------------------------------------------------------------------------------------------
def test_a_relative_hooks_path_is_respected(git_repo: Factory, cli: Program) -> None:
    repo = git_repo(files={"README": "x"})
    repo.git("config", "core.hooksPath", ".githooks")
    add_hook(repo, "pre-commit", HOOK_FINE, folder=".githooks")
    before = snapshot(repo)
    folder = repo.path / "sub"
    folder.mkdir()
    cli("init", "--hooks", cwd=folder, check=0)
    assert "gitops-model" in (repo.path / ".githooks/pre-commit").read_text()
    assert not (repo.path / ".git/hooks/pre-commit").exists()
    assert str(repo.path) not in (repo.path / ".githooks/pre-commit").read_text()
    assert commit(repo).returncode == 0
    assert ran(repo) == "mine \n"
    cli("init", "--uninstall", cwd=repo.path, check=0)
    assert snapshot(repo) == before


def test_a_hooks_path_of_all_repositories_is_refused(git_repo: Factory, cli: Program, tmp_path: Path) -> None:
    repo = git_repo(files={"README": "x"})
    repo.git("config", "--global", "core.hooksPath", str(tmp_path / "everywhere"))
    before = snapshot(repo)
    assert "core.hooksPath" in cli("init", "--hooks", cwd=repo.path, check=2).err
    assert snapshot(repo) == before
    assert not (tmp_path / "everywhere").exists()


def test_a_linked_work_tree_shares_the_hooks(git_repo: Factory, cli: Program, model_file: ModelFile) -> None:
    repo = git_repo(files={"README": "x"})
    linked = GitRepo(repo.path.parent / "linked tree")
    repo.git("worktree", "add", "--quiet", "-b", "linked", str(linked.path))
    cli("init", "--hooks", cwd=linked.path, check=0)
    assert (repo.path / ".git/hooks/pre-commit").exists()
    source = model_file(*SWIFT)
    (linked.path / "swift.onnx").symlink_to(source)
    linked.git("add", "--all")
    assert commit(linked).returncode == 1


@pytest.mark.parametrize("name", ["with space", "quo'te\"s", "$(touch pwned)", "-dash", "tab\tand\\slash", "日本"])
def test_strange_paths(git_repo: Factory, cli: Program, model_file: ModelFile, name: str) -> None:
    repo = git_repo(f"{name}/repo", files={"README": "x"})
    repo.git("config", "core.hooksPath", f"hooks {name}")
    cli("init", "--hooks", cwd=repo.path, check=0)
    add_swift(repo, model_file(*SWIFT), f"models {name}")
    assert commit(repo).returncode == 0
    assert "gm1-weights" in repo.git("show", "--ext-diff", "--textconv", "HEAD")
    repo.write(f"models {name}/swift.onnx", model_file(*SWIFT_NEXT).read_bytes())
    repo.git("add", "--all")
    assert commit(repo).returncode == 1
    assert not list(repo.path.parent.parent.rglob("pwned"))


def test_a_bare_repository_has_nothing_to_set_up(git_repo: Factory, cli: Program) -> None:
    assert "bare" in cli("init", "--hooks", cwd=git_repo(bare=True).path, check=2).err


# --- the program is gone ----------------------------------------------------------------------------------------------
@pytest.fixture
def gone(git_repo: Factory, cli: Program, tmp_path: Path) -> tuple[GitRepo, dict[str, str]]:
    """A repository that was set up, and an environment in which the program is nowhere."""
    repo = git_repo(files={"README": "x", "m.onnx": b"\x00old"})
    cli("init", "--hooks", cwd=repo.path, check=0)
    repo.git("config", "gitops-model.programs", str(tmp_path / "nowhere"))
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in ("git", "sh", "cat"):
        (folder / program).symlink_to(Path(subprocess.check_output(["which", program], text=True).strip()))
    return repo, os.environ | {"PATH": str(folder)}


def test_a_commit_is_refused_with_one_line(gone: tuple[GitRepo, dict[str, str]]) -> None:
    repo, environ = gone
    command = ["git", "commit", "--allow-empty", "-m", "x"]
    done = subprocess.run(command, cwd=repo.path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "gitops-model is not installed" in done.stderr


def test_a_push_goes_on_with_one_line(gone: tuple[GitRepo, dict[str, str]], git_repo: Factory) -> None:
    repo, environ = gone
    command = ["git", "push", "-q", str(git_repo("remote", bare=True).path), "main"]
    done = subprocess.run(command, cwd=repo.path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1


def test_git_diff_goes_on_with_one_line_and_init_forgets_it(gone: tuple[GitRepo, dict[str, str]], cli: Program) -> None:
    repo, environ = gone
    repo.write("m.onnx", b"\x00new")
    command = ["git", "diff"]
    done = subprocess.run(command, cwd=repo.path, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    repo.git("commit", "--quiet", "--no-verify", "-am", "Change it")
    done = subprocess.run(["git", "show"], cwd=repo.path, env=environ, capture_output=True, text=True, check=False)
    facts = {fact["part"]: fact for fact in cli("doctor", "--format", "json", cwd=repo.path, check=1).json()["facts"]}
    assert facts["diff cache"]["command"] == "git update-ref -d refs/notes/textconv/gitops-model"
    cli("init", "--hooks", cwd=repo.path, check=0)
    assert "not installed" not in repo.git("show")


# --- what git shows ---------------------------------------------------------------------------------------------------
def test_git_shows_models_as_text_and_caches_it(git_repo: Factory, cli: Program, model_file: ModelFile) -> None:
    repo = git_repo(files={".gitattributes": LFS.replace("filter=lfs ", ""), "README": "x"})
    cli("init", "--hooks", cwd=repo.path, check=0)
    repo.commit("Old", {"m.onnx": model_file(*SWIFT).read_bytes()})
    repo.commit("New", {"m.onnx": model_file(*SWIFT_NEXT).read_bytes()})
    for words in (["diff", "HEAD~1"], ["log", "-p", "-1"], ["show"]):
        shown = repo.git(*words)
        assert "\n-op ArgMax 1\n+op ArgMax 2\n" in shown
        assert "Binary files" not in shown
    assert repo.git("for-each-ref", "refs/notes/textconv/gitops-model")


def test_a_file_that_is_no_model_does_not_end_the_diff(git_repo: Factory, cli: Program) -> None:
    repo = git_repo(files={"a.onnx": b"\x00", "b.onnx": b"<!DOCTYPE html><html>", "c.txt": "one\n"})
    cli("init", "--hooks", cwd=repo.path, check=0)
    for name in ("a.onnx", "b.onnx", "c.txt"):
        repo.write(name, "")
    shown = repo.git("diff", "--", "a.onnx", "b.onnx", "c.txt")
    assert "-not readable as a model: GM" in shown
    assert "HTML" in shown
    assert "-one" in shown


# --- fetch, and doctor ------------------------------------------------------------------------------------------------
def test_fetch_works_before_the_remote_has_notes_and_brings_them_after(git_repo: Factory, cli: Program) -> None:
    repo, remote = git_repo(files={"README": "x"}), git_repo("remote", files={"README": "y"})
    repo.git("remote", "add", "origin", str(remote.path))
    cli("init", "--hooks", cwd=repo.path, check=0)
    repo.git("fetch", "--quiet", "origin")
    remote.git("notes", "--ref", "gitops-model", "add", "-m", "{}", remote.git("rev-parse", "HEAD:README"))
    repo.git("fetch", "--quiet", "origin")
    there = remote.git("rev-parse", "refs/notes/gitops-model")
    assert repo.git("rev-parse", "refs/gitops-model/remote/origin") == there


def test_doctor_names_what_is_missing_and_then_is_content(git_repo: Factory, cli: Program) -> None:
    repo = git_repo(files={"README": "x", "m.onnx": "x"})
    repo.git("remote", "add", "origin", "../nowhere")
    document = cli("doctor", "--format", "json", cwd=repo.path, check=1).json()
    missing = {fact["part"] for fact in document["facts"] if fact["state"] == "missing"}
    assert missing == {"hook pre-commit", "hook pre-push", "diff driver", "attributes", "notes refspec"}
    assert all(fact["command"] for fact in document["facts"] if fact["state"] == "missing")
    cli("init", "--hooks", cwd=repo.path, check=0)
    assert cli("doctor", "--format", "json", cwd=repo.path, check=0).json()["ok"] is True


def test_doctor_sees_the_framework(git_repo: Factory, cli: Program) -> None:
    ids = ("model-manifest", "model-check", "model-record", "model-notes-push")
    config = "repos:\n- repo: https://example.org/x\n  rev: v1\n  hooks:\n" + "".join(f"  - id: {i}\n" for i in ids)
    repo = git_repo(files={".pre-commit-config.yaml": config})
    facts = {f["part"]: f for f in cli("doctor", "--format", "json", cwd=repo.path, check=1).json()["facts"]}
    assert facts["hook pre-commit"]["command"] == "pre-commit install --hook-type pre-commit"
    add_hook(repo, "pre-commit", "#!/bin/sh\n# hook-impl\n")
    facts = {f["part"]: f for f in cli("doctor", "--format", "json", cwd=repo.path, check=1).json()["facts"]}
    assert facts["hook pre-commit"]["state"] == "ok"


def test_doctor_says_what_is_wrong_with_the_configuration(git_repo: Factory, cli: Program) -> None:
    repo = git_repo(files={".gitops-model.toml": 'fail_on = "error"\n'})
    facts = {f["part"]: f for f in cli("doctor", "--format", "json", cwd=repo.path, check=1).json()["facts"]}
    assert facts["configuration"]["state"] == "wrong"
    assert "fail-on" in facts["configuration"]["detail"]
