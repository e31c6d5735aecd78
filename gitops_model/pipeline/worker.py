"""A worker: a process that may crash, hang or eat memory, which are answers. It is run by path, never imported."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from gitops_model.errors import CouldNotRun

LATE = "it did not finish"
"""How the sentence begins that a worker had no more time."""


class Ending(NamedTuple):
    """How a worker ended: its exit code, what it wrote, and in a sentence that it was stopped or crashed."""

    code: int
    said: bytes
    trouble: str | None = None


def worked(
    worker: str,
    folder: str,
    task: Mapping[str, Any],
    env: Mapping[str, str],
    *,
    purpose: str,
    who: str = "it",
    grace: int = 0,
) -> Ending:
    """Run a worker in `folder` with the task, and with where modules are looked for, as JSON on its standard input.

    `seconds` and `memory` (bytes) of the task are its limits, which it sets itself; `grace` are the seconds more after
    which it is killed. `purpose` is what cannot be done without a worker, `who` crashed, if it does.
    """
    if not sys.executable:
        raise CouldNotRun(f"{purpose} needs a Python interpreter that can start another one")
    document = {**task, "search": [os.path.abspath(path) for path in sys.path if path]}
    late = f"{LATE} within {task['seconds']} s"
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-B", worker],
            input=json.dumps(document).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=dict(env),
            timeout=task["seconds"] + grace,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return Ending(-signal.SIGKILL, error.stdout or b"", late)
    except OSError as error:
        raise CouldNotRun(f"{sys.executable}: {error.strerror}") from error
    if done.returncode >= 0:
        return Ending(done.returncode, done.stdout)
    name = signal.Signals(-done.returncode).name
    crashed = f"{who} crashed ({name}), or needs more than {task['memory'] >> 20} MiB"
    return Ending(done.returncode, done.stdout, late if name in ("SIGALRM", "SIGXCPU") else crashed)
