"""`check --deep`: what the `onnx` library itself says of a model (onnx.checker with shape inference).

The library is C++ that parses whole files of strangers, so it runs in a process of its own, with limits of time and
memory, in an empty folder. It is given the model without its large weights (they are only counted, and the reader has
done that), and files with holes where the model names other files: a model of any size takes the same time.
"""

import errno
import json
import os
import tempfile
from importlib.util import find_spec
from typing import NamedTuple

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, CouldNotRun, MissingExtra, Problem
from gitops_model.ir import Model
from gitops_model.pipeline.worker import worked

WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "deep_worker.py")

NO_ONNX = 3
"""Exit code of the worker."""

LONGEST = 600
"""Characters of the library's message that are passed on; it likes to print whole nodes."""


UNFIT = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EFBIG, errno.EINVAL, errno.EILSEQ)
"""What the system says of a name or size that no file can have; anything else is the system's own trouble."""


class Limits(NamedTuple):
    seconds: int = 60
    memory: int = 2 << 30
    """Bytes of address space."""


def deep_problems(blob: Blob, model: Model, limits: Limits | None = None) -> tuple[Problem, ...]:
    """What the library finds: GM012, or nothing. A format without such a library has nothing to say.

    Raises MissingExtra without onnx, CouldNotRun where no process or folder can be made.
    """
    if model.format != "onnx":
        return ()
    if find_spec("onnx") is None:
        raise MissingExtra("review", "onnx")
    from gitops_model.readers.onnx.skeleton import skeleton

    try:
        content, files = skeleton(blob, model)
    except BadFile as error:
        return (error.problem,)
    with tempfile.TemporaryDirectory(prefix="gitops-model-") as folder:
        problem = _lay(folder, files)
        if problem is None:
            with open(os.path.join(folder, "model.onnx"), "wb") as out:
                out.write(content)
            problem = _ask(folder, limits or Limits())
    return () if problem is None else (_told(problem),)


def _told(what: str) -> Problem:
    text = what if len(what) <= LONGEST else what[: LONGEST - 1] + "…"
    return Problem("GM012", f"onnx.checker: {text}")


def _lay(folder: str, files: dict[str, int]) -> str | None:
    """Make the other files, as holes; what is wrong with their names, if anything."""
    for location, size in files.items():
        path = os.path.join(folder, location)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "xb") as out:
                out.truncate(size)
        except OSError as error:
            if error.errno not in UNFIT:
                raise CouldNotRun(f"{folder}: {error.strerror}") from error
            return f"the location {location!r} of external data cannot be a file of {size} bytes"
    return None


def _ask(folder: str, limits: Limits) -> str | None:
    """Run the worker in `folder`; the problem that it tells, or that it is."""
    alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    ending = worked(WORKER, folder, limits._asdict(), alone, purpose="--deep")
    if ending.code == NO_ONNX:
        raise MissingExtra("review", "onnx")
    if ending.trouble is not None:
        return ending.trouble
    try:
        said = json.loads(ending.said)
    except ValueError:
        return f"it ended with exit code {ending.code} and no answer"
    return said.get("problem")
