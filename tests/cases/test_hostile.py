"""The hostile files (tests/cases/hostile/make.py): each gives its findings, soon; nothing runs, nothing leaks."""

import importlib.util
import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from support.program import Program

from gitops_model.pipeline.check import check

HERE = Path(__file__).parent / "hostile"
EXPECTED = HERE / "expected.json"


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hostile_make", HERE / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = script()


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return MAKE.lay(tmp_path_factory.mktemp("hostile"))


def test_each_gives_what_is_expected_and_soon(
    laid: dict[str, Path], model_file: Callable[[str, str], Path], request: pytest.FixtureRequest
) -> None:
    found: dict[str, list[str]] = {}
    slow: dict[str, float] = {}
    for name, path in laid.items():
        start = time.process_time()
        report = check(str(path.parent), os.environ, paths=[path.name])
        if (spent := time.process_time() - start) > 1:
            slow[name] = spent
        found[name] = sorted(f"{one.code} {one.severity.label}" for one in report.findings)
    if request.config.getoption("--update-golden"):
        EXPECTED.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert len(found) >= 150
    assert found == json.loads(EXPECTED.read_text(encoding="utf-8"))
    assert not slow, "seconds of processor time"
    assert not list(laid["onnx-empty"].parents[1].rglob(MAKE.MARKER)), "a payload ran"


def test_every_case_is_found_out() -> None:
    """A case without an error would be a trick that works. (The exceptions hold nothing that could harm.)"""
    harmless = {
        "gguf-template-escapes",  # a warning: whether it runs depends on the server
        *("torch-holds-itself", "torch-list-doubles", "torch-shared-lists"),  # no tensor in it, and read in no time
    }
    expected: dict[str, list[str]] = json.loads(EXPECTED.read_text(encoding="utf-8"))
    quiet = {name for name, codes in expected.items() if not any("error" in code for code in codes)}
    assert quiet - harmless == set()


def test_one_finding_says_what_a_damaged_file_is(laid: dict[str, Path], cli: Program) -> None:
    for name in ("onnx-empty", "pt-html", "gguf-lfs-pointer", "h5-fifo", "torch-os-system", "onnx-external-parent"):
        result = cli("check", laid[name].name, cwd=laid[name].parent, check=1)
        assert re.search(r"GM\d{3}", result.out), name
        assert "Traceback" not in result.out + result.err


def test_no_system_call_opens_what_lies_outside(
    laid: dict[str, Path], cli: Program, tmp_path: Path, require_tool: Callable[[str], Path]
) -> None:
    """Every path that is opened lies in the folder of the case, or is the interpreter's or the system's own."""
    strace = require_tool("strace")
    names = ("onnx-external-parent", "onnx-external-absolute", "onnx-external-link", "onnx-external-device")
    names += ("hdf5-external-link", "hdf5-external-storage", "hdf5-virtual", "npz-traversal", "torch-os-system")
    for name in names:
        log = tmp_path / f"{name}.log"
        watched = "openat,open,openat2,execve,connect"
        command = [strace, "-f", "-qq", "-e", f"trace={watched}", "-o", log, cli.path, "check", laid[name].name]
        done = subprocess.run(command, cwd=laid[name].parent, capture_output=True, check=False)
        assert done.returncode == 1, done.stderr
        calls = log.read_text(errors="replace")
        assert "/etc/passwd" not in calls, name
        assert "/dev/zero" not in calls, name
        programs = re.findall(r'execve\("([^"]+)"', calls)
        assert {Path(program).name for program in programs} <= {"gitops-model", "git", "python", "python3", "env"}, name
        assert "connect(" not in calls, name
