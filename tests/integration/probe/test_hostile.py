"""Models that are bad to whoever runs them: each is a finding, and nothing of them gets out."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.hostile import NAMES
from support.onnx_models import model, value
from support.probe_models import BAD, WEIGHT, dense, external, node
from support.program import Program, Result

from gitops_model.errors import CouldNotRun, MissingExtra
from gitops_model.finding import Severity
from gitops_model.pipeline import probe as module
from gitops_model.pipeline.diff import diff_files
from gitops_model.pipeline.diff_arguments import TwoFiles
from gitops_model.pipeline.probe import Limits
from gitops_model.render.diff import FileDiff


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.onnx").write_bytes(dense())


def ran(after: bytes, **limits: Any) -> FileDiff:
    Path("b.onnx").write_bytes(after)
    found = diff_files(TwoFiles("a.onnx", "b.onnx"), str(Path.cwd()), os.environ, Limits(**{"seconds": 60} | limits))
    return found.files[0]


@pytest.mark.parametrize("name", BAD)
def test_each_is_a_finding_of_its_side(cli: Program, name: str) -> None:
    make, word = BAD[name]
    Path("b.onnx").write_bytes(make())
    for words, side in ((("a.onnx", "b.onnx"), "after"), (("b.onnx", "a.onnx"), "before")):
        limit = ("--run-seconds", "8") if name == "endless" else ()
        result = cli("diff", "--run", *limit, *words, "--format", "json", check=0)
        (problem,) = result.json()["problems"]
        assert (problem["side"], problem["code"]) == (side, "GM013")
        assert word in problem["message"]
        assert result.json()["probe"]["runs"] == 0
        assert result.err == ""


def test_a_limit_that_is_too_low_for_the_runtime_itself_is_not_the_models_fault() -> None:
    with pytest.raises(CouldNotRun, match="onnxruntime cannot be loaded within 64 MiB"):
        ran(dense(2 * WEIGHT), memory=64 << 20)


def test_without_the_runtime_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra) as caught:
        ran(dense(2 * WEIGHT))
    assert caught.value.hint == "pip install 'gitops-model[run]'"


@pytest.mark.parametrize("where", ["initializer", "constant"])
@pytest.mark.parametrize("location", ["../secret", "/etc/hostname", "a/../../secret"])
def test_no_file_outside_is_read(cli: Program, location: str, where: str) -> None:
    Path("b.onnx").write_bytes(external(location, where))
    Path("../secret").write_bytes(bytes(16))
    result = cli("diff", "--run", "a.onnx", "b.onnx", check=1)
    assert "GM601" in result.err


def test_all_models_together_have_a_limit_too() -> None:
    limits = Limits()
    Path("b.onnx").write_bytes(dense(2 * WEIGHT))
    pair = TwoFiles("a.onnx", "b.onnx")
    assert found(diff_files(pair, str(Path.cwd()), os.environ, limits).files[0]).runs == 6
    assert 0 < limits.spent < limits.total
    limits.spent = limits.total + 1.0
    assert (
        found(diff_files(pair, str(Path.cwd()), os.environ, limits).files[0]).why == "the models before it took 1200 s"
    )


def test_external_data_in_the_place_of_the_model() -> None:
    shutil.copy("a.onnx", "model.onnx")
    file = ran(external("model.onnx"))
    assert [problem.code for _, problem in file.problems] == ["GM013"]


def test_external_data_that_is_there_is_taken() -> None:
    Path("w.bin").write_bytes(bytes(16))
    probe = found(ran(external("w.bin")))
    assert probe.runs == 6


def found(file: FileDiff) -> Any:
    assert file.diff is not None
    assert file.diff.probe is not None
    return file.diff.probe


def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    ran(dense(2 * WEIGHT))
    ran(BAD["mistyped"][0]())
    assert os.listdir(scratch) == []


def test_a_full_disk_is_not_the_models_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with pytest.raises(CouldNotRun, match="could not be laid out"):
        ran(dense(2 * WEIGHT))


def test_nothing_of_the_folder_is_executed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("onnxruntime", "numpy", "json", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('executed')")
    assert found(ran(dense(2 * WEIGHT))).runs == 6


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_hostile_names_of_a_real_run(cli: Program, form: str) -> None:
    names = [name for name in NAMES if name and name.isprintable()][:12]
    names = [name for name in dict.fromkeys(names) if not any("\ud800" <= one <= "\udfff" for one in name)]
    for path, op in (("a.onnx", "Relu"), ("b.onnx", "Abs")):
        nodes = [node(op, [name], [f"{name}-out"]) for name in names]
        given = ([value(name, [name, 4]) for name in names], [value(f"{name}-out", [name, 4]) for name in names])
        Path(path).write_bytes(model(nodes, *given))
    text = cli("diff", "--run", "a.onnx", "b.onnx", "--format", form, check=0).out
    assert "umeric probe" in text or form == "json"
    assert form == "json" or not [line for line in text.splitlines() if line.strip().startswith("::") or "##[" in line]
    if form in ("markdown", "html"):
        assert "<script" not in text
        assert "@team" not in text


# --- processes that end badly -----------------------------------------------------------------------------------------
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Another program in the worker's place, which gets its task."""
    worker = tmp_path / "worker.py"
    worker.write_text(f"import json, os, signal, sys\ntask = json.load(sys.stdin)\n{body}\n")
    monkeypatch.setattr(module, "WORKER", str(worker))


LINE = '{"onnxruntime": "1"}'
MADE = (
    '{"attempt": 0, "seed": 0, "outputs": [{"dtype": "float32", "shape": [2, 4]}], "varies": [False], "compared": [%s]}'
)
NUMBERS = (
    '{"elements": 8, "beyond": 0, "max_abs": 0, "max_rel": 0, "nan": 0, "infinite": 0, "finite": 8, "same_bits": True}'
)


@pytest.mark.parametrize(
    "body, word",
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed (SIGSEGV)"),
        (f"print('{LINE}', flush=True); os.kill(os.getpid(), signal.SIGABRT)", "crashed (SIGABRT)"),
        ("signal.alarm(1); os.read(os.pipe()[0], 1)", "did not finish within 60 s"),
        ("sys.exit(9)", "exit code 9 and no answer"),
        ("print('no JSON')", "exit code 0 and no answer"),
        ("print('[]')", "no answer"),
        ("print('{}')", "no answer"),
    ],
)
def test_a_process_that_ends_badly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, word: str) -> None:
    stand_in(tmp_path, monkeypatch, body)
    file = ran(dense(2 * WEIGHT))
    assert {problem.code for _, problem in file.problems} == {"GM013"}
    assert word in file.problems[0][1].message
    assert found(file).runs == 0


@pytest.mark.parametrize("signal, problems", [("SIGSEGV", ["GM013"]), ("SIGALRM", [])])
def test_what_was_done_before_the_end_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signal: str, problems: list[str]
) -> None:
    """A crash is a finding all the same; that there was no time for all runs is only told."""
    line = MADE % NUMBERS
    body = f"print(json.dumps({line}), flush=True)\nif task['compare']: os.kill(os.getpid(), signal.{signal})\n"
    stand_in(
        tmp_path, monkeypatch, body + "print(json.dumps({'attempt': 0, 'ran': 1}))\nprint(json.dumps({'done': 1}))"
    )
    file = ran(dense(2 * WEIGHT))
    assert [problem.code for _, problem in file.problems] == problems
    assert found(file).runs == 1
    assert found(file).agrees is True
    assert any("could not make all runs" in note for note in found(file).notes) == (not problems)


def test_an_equivalent_change_that_is_none_is_shouted_about(tmp_path: Path, cli: Program) -> None:
    """A runtime that computes something else for the second model."""
    fake = tmp_path / "site"
    fake.mkdir()
    (fake / "onnxruntime.py").write_text(FAKE)
    Path("b.onnx").write_bytes(dense(identity=True))
    env = {"PYTHONPATH": str(fake)}
    result = cli("diff", "--run", "a.onnx", "b.onnx", env=env, check=1)
    assert "after: GM311 the change was proved to keep the outputs, and y came out different" in result.out
    document = cli("diff", "--run", "a.onnx", "b.onnx", "--format", "json", env=env, check=1).json()
    assert [problem["code"] for problem in document["problems"]] == ["GM311"]
    assert document["verdict"]["equivalent"]
    Path("b.onnx").write_bytes(dense(2 * WEIGHT))
    cli("diff", "--run", "a.onnx", "b.onnx", env=env, check=0)


FAKE = '''
"""An onnxruntime whose answer depends on the size of the model's file."""
import os
import types
import numpy as np

__version__ = "9.9.9"
GraphOptimizationLevel = types.SimpleNamespace(ORT_DISABLE_ALL=0)


class SessionOptions:
    def add_session_config_entry(self, name, value):
        pass


class OrtValue:
    def __init__(self, array):
        self.array = array

    @classmethod
    def ortvalue_from_numpy(cls, array):
        return cls(array)

    def numpy(self):
        return self.array

    def data_type(self):
        return "tensor(float)"


class InferenceSession:
    def __init__(self, path, options, providers):
        self.size = os.path.getsize(path)

    def get_inputs(self):
        return [types.SimpleNamespace(name="x", type="tensor(float)")]

    def get_outputs(self):
        return [types.SimpleNamespace(name="y", type="tensor(float)")]

    def run_with_ort_values(self, names, feed):
        return [OrtValue(feed["x"].array * self.size)]
'''


def test_the_severities() -> None:
    from gitops_model.checks import rule_of

    assert (rule_of("GM013").severity, rule_of("GM311").severity) == (Severity.WARNING, Severity.ERROR)


def test_other_words_than_numbers_are_refused(cli: Program) -> None:
    for words in (("--run-seconds", "0"), ("--run-memory", "x"), ("--run-seconds", "99999999999")):
        result: Result = cli("diff", "--run", *words, "a.onnx", "a.onnx", check=2)
        assert words[0] in result.err
