"""Asks the helper process for the types and shapes of all values of an ONNX model."""

import json
import os
import sys
from importlib.util import find_spec
from typing import IO, Any, NamedTuple, cast

from gitops_model.errors import Problem
from gitops_model.gpu.onnx_needs import Schema, schema_from
from gitops_model.gpu.onnx_values import Inferred, Plan
from gitops_model.gpu.part import Bytes
from gitops_model.ir import TensorType
from gitops_model.readers.onnx.dtypes import DTYPES

TIMEOUT = 120.0
MAX_MODEL = 1 << 30
"""Bytes of a model file that are given to the helper, which holds them twice."""
MAX_ANSWER = 1 << 28
CHUNK = 1 << 20


class NotInferred(Exception):
    """There is no answer; `problem` says why. What the file itself tells of its values remains."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.problem = Problem("GM012", message, hint=hint)


class Inference(NamedTuple):
    """What is known of the values of every graph, and the schemas of the operators by (domain, operator, opset)."""

    values: Inferred
    schemas: dict[tuple[str, str, int], Schema]


def infer(file: Bytes, plan: Plan, timeout: float = TIMEOUT) -> Inference:
    """Run shape inference with the planned shapes put in; raises NotInferred."""
    if find_spec("onnx") is None:
        raise NotInferred("shapes are not inferred: the package 'onnx' is absent", "pip install 'gitops-model[gpu]'")
    if file.size > MAX_MODEL:
        raise NotInferred(f"shapes are not inferred: the model file has more than {MAX_MODEL >> 20} MiB")
    return _answer(_ask(file, json.dumps({"inputs": plan.inputs}).encode() + b"\n", timeout))


def _ask(file: Bytes, terms: bytes, timeout: float) -> bytes:
    import subprocess
    import tempfile
    import threading
    from subprocess import PIPE

    # Nothing may be imported from the repository under review: not the script's folder (-P), and another current folder
    # in case PYTHONPATH holds a relative one.
    command = [sys.executable, "-P", os.path.join(os.path.dirname(os.path.abspath(__file__)), "shape_worker.py")]
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=errors, cwd="/") as process:
            late = threading.Timer(timeout, process.kill)
            late.start()
            try:
                _send(cast("IO[bytes]", process.stdin), file, terms)
                answer = cast("IO[bytes]", process.stdout).read(MAX_ANSWER + 1)
                if len(answer) > MAX_ANSWER:
                    process.kill()
            finally:
                late.cancel()
        if process.returncode or not answer or len(answer) > MAX_ANSWER:
            errors.seek(max(0, errors.seek(0, 2) - 2000))
            lines = errors.read().decode("utf-8", "replace").strip().splitlines()
            reason = lines[-1] if lines else f"the helper ended with {process.returncode}"
            raise NotInferred(f"shapes are not inferred: {reason[:300]}")
    return answer


def _send(stream: IO[bytes], file: Bytes, terms: bytes) -> None:
    try:
        with stream:
            stream.write(terms)
            for at in range(0, file.size, CHUNK):
                stream.write(file.read(at, min(CHUNK, file.size - at)))
    except BrokenPipeError:
        pass  # the helper died; what it said last is the reason


def _answer(line: bytes) -> Inference:
    answer = cast(dict[str, list[Any]], json.loads(line))
    schemas = {(row[0], row[1], row[2]): schema_from(row[3:]) for row in answer["schemas"]}
    return Inference(
        tuple(
            {
                name: TensorType(DTYPES[kind].name, None if shape is None else tuple(shape))
                for name, (kind, shape) in table.items()
                if kind in DTYPES
            }
            for table in answer["graphs"]
        ),
        {key: schema for key, schema in schemas.items() if schema is not None},
    )
