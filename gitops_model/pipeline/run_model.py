"""Running an ONNX model in a process of its own, with limits: what `gpu check --smoke` and numeric probes stand on.

The model and the files that it names are laid into an empty folder first, through the doors that every reader uses, so
that ONNX Runtime cannot be led out of it; no custom operator library is loaded. What comes back is data: a crash, a
time that ran out and too little memory are answers.
"""

import json
import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, CouldNotRun, Problem
from gitops_model.ir import Model
from gitops_model.pipeline.load import Opened
from gitops_model.pipeline.worker import Ending, worked

WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run_model_worker.py")
NO_RUNTIME = 3
"""Exit code of the worker."""
MODEL = "model.onnx"
CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


@dataclass(slots=True)
class Task:
    """One run. `inputs` are name → (dtype, shape); `fixed` the value of all elements of some of them.

    Outputs are written below `folder`/`keep` and compared with those below `folder`/`compare`. `memory` is in bytes:
    address space on a CPU, private data with CUDA, which reserves address space that it does not use.
    """

    providers: tuple[str, ...] = (CPU,)
    inputs: Mapping[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict[str, tuple[str, tuple[int, ...]]])
    fixed: Mapping[str, float] = field(default_factory=dict[str, float])
    seed: int = 0
    runs: int = 20
    seconds: int = 300
    memory: int = 16 << 30
    keep: str | None = None
    compare: str | None = None


@contextmanager
def laid(opened: Opened, model: Model) -> Generator[str]:
    """A folder with the model, as `model.onnx`, and the files that it names. BadFile where one is absent."""
    import tempfile

    if not opened.blob.content_is_local:
        raise BadFile(Problem("GM003", f"{opened.blob.path}: only the pointer is here", hint="git lfs pull"))
    outside = [problem for problem in model.problems if problem.code in ("GM601", "GM602", "GM010")]
    if outside:
        raise BadFile(outside[0])
    with tempfile.TemporaryDirectory(prefix="gitops-model-") as folder:
        copy(opened.blob, os.path.join(folder, MODEL))
        for path in model.deps:
            full = os.path.normpath(os.path.join(folder, path))
            if not full.startswith(folder + os.sep) or os.path.lexists(full):
                raise BadFile(Problem("GM601", f"the model names the file {path!r}"))
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with opened.source.open(path) as blob:
                copy(blob, full)
        yield folder


def copy(blob: Blob, path: str) -> None:
    with open(path, "xb") as out:
        out.writelines(blob.windows(0, blob.size))


def run(folder: str, task: Task, environ: Mapping[str, str]) -> dict[str, Any]:
    """The answer of the worker: `problem` says what went wrong, in a sentence. CouldNotRun without ONNX Runtime."""
    ending = ask(WORKER, folder, asdict(task), environ)
    if ending.code == NO_RUNTIME:
        raise CouldNotRun(
            "a smoke run needs ONNX Runtime", hint="pip install onnxruntime-gpu (without a GPU: onnxruntime)"
        )
    if ending.trouble is not None:
        return {"problem": ending.trouble}
    try:
        return json.loads(ending.said)
    except ValueError:
        return {"problem": f"it ended with exit code {ending.code} and no answer"}


def ask(worker: str, folder: str, task: Mapping[str, Any], environ: Mapping[str, str]) -> Ending:
    """Run a worker of ONNX Runtime in `folder`; it sets the limits of the task itself, and is given time to say so."""
    environment = {name: environ[name] for name in _PASSED if name in environ}
    environment["OMP_NUM_THREADS"] = "1"
    return worked(worker, folder, task, environment, purpose="running a model", who="ONNX Runtime", grace=30)


_PASSED = ("PATH", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES", "HOME")
"""Variables that decide which GPU and which libraries CUDA finds. TF32 and others that change results are not among
them."""


def shapes_of(model: Model, planned: Mapping[str, Sequence[int | None]]) -> tuple[dict[str, Any], list[str]]:
    """Name → (dtype, shape) of every input that must be given; what is open is 1, and the second value names it."""
    from gitops_model.ir import TensorType

    inputs: dict[str, tuple[str, tuple[int, ...]]] = {}
    opened: list[str] = []
    weights = set(model.graph.initializers) if model.graph is not None else set[str]()
    for value in model.inputs or ():
        if value.name in weights:
            continue
        if not isinstance(value.type, TensorType) or value.type.shape is None:
            raise BadFile(Problem("GM009", f"no values can be made for the input {value.name}: it is no plain tensor"))
        shape = planned.get(value.name, (None,) * len(value.type.shape))
        opened += [f"{value.name}[{place}]" for place, dim in enumerate(shape) if dim is None]
        inputs[value.name] = (value.type.dtype, tuple(1 if dim is None else dim for dim in shape))
    return inputs, opened
