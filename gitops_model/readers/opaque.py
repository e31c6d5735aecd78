"""What is no model that can be read here: pickles, which are looked through for what loading would call, and strangers.

A pickle (`.pkl .pickle .joblib`) gets GM603 for every name beyond the allow-list, and also where it cannot be followed
to its end: what cannot be analysed is not safe. Its weights, if it has any, are not described: the whole file stands
for them.
"""

import re

from gitops_model.blob import Blob, Source
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Model, Span
from gitops_model.readers.pickling.allowed import outside
from gitops_model.readers.pickling.machine import Machine

TITLE = "a Python pickle"

UNKNOWN = "bytes of no known kind"
_WHAT = re.compile(r"\bthis is (an? .+?)(?:,? (?:which|not|but|with) .*)?$", re.DOTALL)
"""What a reader called the file in its message."""

LIMIT_STREAMS = 10_000
"""Pickles one after another in a file."""


def sniff(head: bytes) -> bool:
    from gitops_model.readers.recognise import foreign

    stranger = foreign(head)
    return stranger is not None and stranger.kind == "pickle"


def read(blob: Blob, _source: Source) -> Model:
    """What a pickle would call. Raises BadFile: GM001 cut short, GM004 no pickle at all."""
    from gitops_model.readers.recognise import foreign

    stranger = foreign(blob.head(4096))
    if stranger is None or stranger.kind == "pickle":
        return describe(blob, TITLE, *analyse(blob))
    if stranger.kind in PACKED:
        return describe(blob, stranger.what, unanalysed(f"it is {stranger.what}"))
    if stranger.kind == "text":  # protocol 0 is text, and begins in many ways
        problems = analyse(blob)
        if not any(problem.found is None for problem in problems):
            return describe(blob, TITLE, *problems)
    raise BadFile(stranger.problem(blob, None))


PACKED = ("gzip", "bzip2", "xz", "zstd", "lz4")
"""What joblib compresses pickles with, beside zlib, whose streams have no signature."""


def analyse(blob: Blob) -> list[Problem]:
    """GM603 for what loading the streams of a file would call, and where they cannot be followed."""
    machine = Machine(blob)
    try:
        for _ in range(LIMIT_STREAMS):
            machine.run()
            if machine.offset == blob.size:
                return outside(machine)
        trouble = f"it holds more than {LIMIT_STREAMS} pickles"
    except BadFile as error:
        if error.problem.code == "GM001" and not outside(machine):
            raise
        trouble = error.problem.message
    return [*outside(machine), unanalysed(trouble)]


def unanalysed(why: str) -> Problem:
    return Problem(
        "GM603",
        f"this cannot be analysed, and loading a pickle runs code: {why}",
        expected="a pickle that can be followed to its end",
        hint="gitops-model explain GM603",
    )


def describe(blob: Blob, what: str, *problems: Problem) -> Model:
    """An opaque file: its whole content stands for its weights."""
    return Model(
        "opaque", (), properties={"what": what, "size": blob.size}, problems=problems, header=Span(0, blob.size)
    )


def of_stranger(blob: Blob, problem: Problem) -> Model | None:
    """The opaque description of a file that was refused as another kind of thing (GM004, GM009); None otherwise."""
    if problem.code not in ("GM004", "GM009"):
        return None
    said = _WHAT.search(problem.message)
    return describe(blob, said[1] if said is not None else UNKNOWN, problem)
