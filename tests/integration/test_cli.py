"""What every verb has in common, seen from outside: exit codes, streams, help, completion, what is imported."""

import json
import os
import pty
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo
from support.manifests import SWIFT, add_swift
from support.program import Program
from support.wheel import ROOT

from gitops_model.cli import VERBS
from gitops_model.cli.describe import describe
from gitops_model.render.usage import leaves

ModelFile = Callable[[str, str], Path]
Factory = Callable[..., GitRepo]


# --- exit codes -------------------------------------------------------------------------------------------------------
def test_0_clean(cli: Program, git_repo: Factory, model_file: ModelFile) -> None:
    repo = git_repo(files={"README": "x"})
    add_swift(repo, model_file(*SWIFT))
    result = cli("check", cwd=repo.path, check=0)
    assert result.out == "no findings in 1 manifest and 1 model file\n"
    assert result.err == ""


@pytest.mark.parametrize("verb", ["check", "show", "diff"])
def test_1_a_bad_model_file(cli: Program, tmp_path: Path, verb: str) -> None:
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"<!DOCTYPE html><html></html>")
    words = [bad, bad] if verb == "diff" else [bad]
    result = cli(verb, *words, cwd=tmp_path, check=1)
    assert "GM004" in result.out + result.err
    assert "HTML" in result.out + result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("level, code", [("note", 1), ("warning", 1), ("error", 0), ("none", 0)])
def test_fail_on(cli: Program, git_repo: Factory, model_file: ModelFile, level: str, code: int) -> None:
    repo = git_repo(files={".gitops-model.toml": '[severity]\nGM201 = "warning"\n'})
    add_swift(repo, model_file(*SWIFT))
    manifest = repo.path / "models/model.yaml"
    manifest.write_text(manifest.read_text().replace("sha256: ", "sha256: 0", 1)[:-1].replace("sha256: 0", "sha256: "))
    digest = manifest.read_text().partition("sha256: ")[2][:64]
    manifest.write_text(manifest.read_text().replace(digest, "0" * 64))
    assert "warning GM201" in cli("check", "--fail-on", level, cwd=repo.path, check=code).out


def test_fail_on_of_the_configuration(cli: Program, git_repo: Factory) -> None:
    repo = git_repo(files={".gitops-model.toml": 'fail-on = "none"\n', "m.onnx": "x" * 100})
    cli("check", cwd=repo.path, check=0)
    cli("check", "--fail-on", "error", cwd=repo.path, check=1)


@pytest.mark.parametrize(
    "words, said",
    [
        ((), "which verb?"),
        (("chekc",), "did you mean 'check'?"),
        (("check", "--nonsense"), "unrecognized arguments"),
        (("check", "nowhere.onnx"), "nowhere.onnx: no such file"),
        (("show",), "one [REV:]PATH"),
        (("show", "nowhere.onnx"), "no such file"),
        (("show", "HEAD:nowhere.onnx"), "not a git repository"),
        (("explain", "GM99"), "no rule"),
        (("check", "--staged", "--rev", "HEAD"), "not allowed with"),
        (("check", "--select", "E501"), "no rule code"),
        (("diff",), "no repository here"),
        (("doctor", "--output", "no/such/folder/x", "--format", "json"), "cannot write"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_2_could_not_run(cli: Program, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    result = cli(*words, cwd=tmp_path, check=2)
    assert said in result.err
    assert result.out == ""
    assert "Traceback" not in result.err


def test_2_a_typo_names_the_nearest_rule(cli: Program) -> None:
    assert "checksum-mismatch" in cli("explain", "GM201", check=0).out
    assert "GM201" in cli("explain", "checksum-mismach", check=2).err


@pytest.fixture
def breakable(tmp_path: Path, scripts: Path) -> Callable[[str], "subprocess.Popen[bytes]"]:
    """Starts the program with `code` run in it first, as no user can."""
    text = (scripts / "gitops-model").read_text()

    def start(code: str, *words: str) -> "subprocess.Popen[bytes]":
        script = tmp_path / "program"
        script.write_text(text.replace("sys.exit(program())", f"{code}\nsys.exit(program())"))
        command = [sys.executable, script, *(words or ("explain",))]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)

    return start


def test_3_a_bug_of_ours(breakable: Callable[[str], "subprocess.Popen[bytes]"]) -> None:
    code = "import gitops_model.pipeline.explain as e\ndef f(): raise ValueError('\\x1b[31m')\ne.overview = f"
    process = breakable(code)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (3, b"")
    assert b"bug in gitops-model" in err
    assert b"\\x1b[31m" in err
    assert b"\x1b" not in err
    assert str(ROOT).encode() not in err


def test_130_interrupted(breakable: Callable[[str], "subprocess.Popen[bytes]"]) -> None:
    code = (
        "import gitops_model.pipeline.explain as e, os, signal\n"
        "def f(): os.kill(os.getpid(), signal.SIGINT); import time; time.sleep(60)\n"
        "e.overview = f"
    )
    process = breakable(code)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_141_a_closed_pipe_is_silent(cli: Program, model_file: ModelFile) -> None:
    words = [cli.path, "show", model_file("silero-vad==6.2.3", "silero_vad/data/silero_vad.onnx"), "--format", "json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(60) == 141


def test_textconv_always_ends_with_0(cli: Program, tmp_path: Path) -> None:
    for name, content in {"html.onnx": b"<html>", "empty.onnx": b"", "noise.safetensors": b"\xff" * 99}.items():
        (tmp_path / name).write_bytes(content)
        out = cli("show", "--textconv=1", name, cwd=tmp_path, check=0).out
        assert out.startswith("not readable as a model: GM0")
        assert out.count("\n") == 1
    os.mkfifo(tmp_path / "fifo.onnx")
    for name in ("fifo.onnx", ".", "nowhere"):
        assert cli("show", "--textconv=1", name, cwd=tmp_path, check=0).out.startswith("not readable as a model: ")


# --- streams ----------------------------------------------------------------------------------------------------------
def test_output_is_written_whole_and_keeps_its_mode(cli: Program, tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")
    target.chmod(0o640)
    (tmp_path / "bad.onnx").write_bytes(b"x")
    result = cli("check", "bad.onnx", "--format", "json", "--output", target, cwd=tmp_path, check=1)
    assert result.out == ""
    assert json.loads(target.read_text())["summary"]["errors"] == 1
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.onnx", "report.json"]


def on_terminal(command: list[str | Path], env: dict[str, str]) -> bytes:
    """What a program prints on a terminal of 80 columns."""
    main, child = pty.openpty()
    process = subprocess.Popen(command, stdout=child, stderr=child, stdin=child, env=os.environ | env)
    os.close(child)
    parts: list[bytes] = []
    try:
        while part := os.read(main, 4096):
            parts.append(part)
    except OSError:
        pass  # the other end is closed
    os.close(main)
    process.wait(60)
    return b"".join(parts)


@pytest.mark.parametrize(
    "env, words, colours",
    [
        ({}, (), True),
        ({"NO_COLOR": "1"}, (), False),
        ({"NO_COLOR": ""}, (), True),
        ({"TERM": "dumb"}, (), False),
        ({}, ("--color", "never"), False),
        ({"NO_COLOR": "1"}, ("--color", "always"), True),
    ],
)
def test_colours(cli: Program, tmp_path: Path, env: dict[str, str], words: tuple[str, ...], colours: bool) -> None:
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"x")
    out = on_terminal([cli.path, "check", bad, *words], {"TERM": "xterm", **env})
    assert b"GM0" in out
    assert (b"\x1b[" in out) == colours
    assert b"\x1b" not in cli("check", bad, check=1).stdout


def test_a_locale_that_cannot_spell_a_name(cli: Program, tmp_path: Path) -> None:
    (tmp_path / "modèle.onnx").write_bytes(b"x")
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    assert b"mod\\" in cli("check", "modèle.onnx", cwd=tmp_path, env=env, check=1).stdout


# --- arguments --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", [path for path, _ in leaves(describe())])
def test_every_argument_has_help(path: str) -> None:
    command = dict(leaves(describe()))[path]
    assert command.summary
    for argument in command.arguments:
        assert argument.help.strip(), f"{path} {argument.flags or argument.value}"
        assert "%(" not in argument.help


@pytest.mark.parametrize("verb", VERBS)
def test_help(cli: Program, verb: str) -> None:
    assert f"usage: gitops-model {verb}" in cli(verb, "--help", check=0).out


def test_help_of_the_program_names_every_verb(cli: Program) -> None:
    shown = cli("--help", check=0).out
    assert all(f"\n  {verb:<12}" in shown for verb in VERBS)
    assert cli("--version", check=0).out.startswith("gitops-model ")


def test_options_may_stand_between_and_after_paths(cli: Program, tmp_path: Path) -> None:
    for name in ("a.onnx", "-b.onnx", "--format.onnx"):
        (tmp_path / name).write_bytes(b"x")
    words = ("check", "a.onnx", "--format", "json", "--", "-b.onnx", "--format.onnx")
    found = cli(*words, cwd=tmp_path, check=1).json()["findings"]
    assert {finding["path"] for finding in found} == {"a.onnx", "-b.onnx", "--format.onnx"}
    found = cli("check", "--format", "json", "a.onnx", "--ignore", "GM0", "./-b.onnx", cwd=tmp_path, check=0).json()
    assert found["findings"] == []


def test_git_finds_the_program_as_a_subcommand(scripts: Path) -> None:
    env = os.environ | {"PATH": f"{scripts}:{os.environ['PATH']}"}
    done = subprocess.run(["git", "model", "--version"], env=env, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("gitops-model ")


# --- completion -------------------------------------------------------------------------------------------------------
def completed(*words: str, cwd: Path | None = None) -> set[str]:
    script = ROOT / "docs/share/bash-completion/completions/gitops-model"
    array = " ".join(f"'{word}'" for word in words)
    function = "_git_model" if words[0] == "git" else "_gitops_model"
    setting = f"COMP_WORDS=({array}); COMP_CWORD={len(words) - 1}"
    code = f"source '{script}'; {setting}; {function}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True, cwd=cwd)
    assert done.stderr == ""
    return set(done.stdout.split("\n")) - {""}


def test_bash_completes_verbs_options_and_values(git_repo: Factory) -> None:
    assert completed("gitops-model", "") == set(VERBS)
    assert completed("git", "model", "exp") == {"explain"}
    assert completed("gitops-model", "check", "--st") == {"--staged"}
    assert completed("gitops-model", "check", "--staged", "--format", "sa") == {"sarif"}
    assert completed("gitops-model", "notes", "s") == {"show", "sync"}
    assert completed("gitops-model", "show", "") == set()


def test_bash_does_not_run_what_stands_in_a_branch_name(git_repo: Factory) -> None:
    repo = git_repo(files={"README": "x"})
    repo.git("branch", "$(touch${IFS}pwned)")
    assert "main" in completed("gitops-model", "check", "--rev", "", cwd=repo.path)
    assert not (repo.path / "pwned").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_what_is_shipped(cli: Program, shell: str) -> None:
    shipped = {
        "bash": "docs/share/bash-completion/completions/gitops-model",
        "zsh": "docs/share/zsh/site-functions/_gitops-model",
        "fish": "docs/share/fish/vendor_completions.d/gitops-model.fish",
    }
    text = cli("completion", shell, check=0).out
    assert text == (ROOT / shipped[shell]).read_text(encoding="utf-8")
    for path, command in leaves(describe()):
        assert path.split()[-1] in text
        for argument in command.options:
            assert all(flag.lstrip("-") in text for flag in argument.flags)


# --- what is imported -------------------------------------------------------------------------------------------------
HEAVY = {
    *("pygit2", "yaml", "jsonschema", "onnx", "numpy", "rich", "github3", "pynvml", "requests", "google", "blake3"),
    *("subprocess", "asyncio", "urllib.request", "http", "email", "ssl", "sqlite3", "xml", "unittest"),
}
ALLOWED = {
    "show --no-digests": {"blake3"},
    "show": {"blake3"},
    "diff": {"blake3"},
    "check": {"blake3", "yaml", "jsonschema", "urllib.request", "http", "email", "ssl"},
}


@pytest.mark.parametrize("words", ["--version", "--help", "explain", "show --no-digests", "show", "diff", "check"])
def test_no_heavy_module_sneaks_in(site: Path, git_repo: Factory, model_file: ModelFile, words: str) -> None:
    repo = git_repo(files={"README": "x"})
    add_swift(repo, model_file(*SWIFT))
    verb = words.partition(" ")[0]
    paths = {"show": ["models/swift.onnx"], "diff": ["--staged"]}.get(verb, [])
    code = f"""
import sys
import zipfile
sys.path[:0] = {[str(site), *sys.path]!r}
from gitops_model.cli import main
main({[*words.split(), *paths]!r})
sys.stderr.write("\\n".join(sys.modules))
"""
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, cwd=repo.path, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.splitlines())
    heavy = {name for name in HEAVY if name in loaded}
    assert heavy <= ALLOWED.get(words, set())


def test_the_wheel_brings_manual_pages_and_completions(wheel: Path) -> None:
    """`git model --help` opens git-model(1); man and the shells look below share/ beside the folder of the program."""
    names = {name.partition(".data/data/")[2] for name in zipfile.ZipFile(wheel).namelist()}
    assert {
        "share/man/man1/git-model.1",
        "share/man/man1/gitops-model.1",
        "share/bash-completion/completions/gitops-model",
        "share/zsh/site-functions/_gitops-model",
        "share/fish/vendor_completions.d/gitops-model.fish",
    } <= names
