"""NVML without a GPU: the stub library, compiled here, read by the real `pynvml` in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gitops_model

SOURCE = Path(__file__).with_name("nvml_stub.c")
FLAGS = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-Wl,-soname,libnvidia-ml.so.1")

_PROBE = """
import json, os, sys
from gitops_model.errors import GitopsModelError
from gitops_model.gpu.probe import probe
answers = {}
for name, case in json.load(sys.stdin).items():
    os.environ["NVML_STUB"] = case["file"]
    try:
        answers[name] = probe(case["environment"], machine="x86_64", root=case["root"])
    except GitopsModelError as error:
        answers[name] = {"error": type(error).__name__, "text": str(error), "hint": getattr(error, "hint", None)}
json.dump(answers, sys.stdout)
"""


def build(folder: Path, *omitted: str) -> Path:
    """Compile the stub into `folder`, which then goes on LD_LIBRARY_PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / "libnvidia-ml.so.1"
    omit = [f"-DOMIT_{name}" for name in omitted]
    subprocess.run(["gcc", *FLAGS, *omit, "-o", output, SOURCE], check=True)
    return folder


def stub(**facts: Any) -> str:
    """The text that the stub reads; `__` in a name is a dot (`gpu0__cc="9.0"`)."""
    return "".join(f"{name.replace('__', '.')}={value}\n" for name, value in facts.items())


def machine(**changes: Any) -> str:
    """A healthy H100 under driver 550, as text for the stub; a change of None leaves the line out."""
    healthy: dict[str, Any] = {
        "driver": "550.54.15",
        "cuda": 12040,
        "count": 1,
        "gpu0__name": "NVIDIA H100 80GB HBM3",
        "gpu0__uuid": "GPU-0",
        "gpu0__cc": "9.0",
        "gpu0__brand": 14,
        "gpu0__total": 81559,
        "gpu0__free": 81000,
        "gpu0__mig": 0,
        "gpu0__ecc_mode": 1,
        "gpu0__ecc": 0,
        "gpu0__remap": "0,0",
        "gpu0__mode": 0,
        "gpu0__procs": 0,
        "gpu0__fabric": "3,0",
    }
    return stub(**{name: value for name, value in (healthy | changes).items() if value is not None})


def probe_each(
    library: Path | None,
    cases: dict[str, str],
    scratch: Path,
    root: str = "",
    environment: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What `probe` says under each text, in one process that finds the library in `library` (None: nowhere)."""
    asked: dict[str, Any] = {}
    for name, text in cases.items():
        file = scratch / f"{len(asked)}.txt"
        file.write_text(text)
        asked[name] = {"file": str(file), "environment": environment or {}, "root": root}
    env = {key: value for key, value in os.environ.items() if key not in {"LD_LIBRARY_PATH", "LD_PRELOAD"}}
    env["PYTHONPATH"] = os.path.dirname(os.path.dirname(gitops_model.__file__))
    if library is not None:
        env["LD_LIBRARY_PATH"] = str(library)
    done = subprocess.run(
        [sys.executable, "-c", _PROBE], input=json.dumps(asked).encode(), env=env, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)
