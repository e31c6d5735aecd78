"""Pairs that tools produce from small networks, each judged by the diff and by ONNX Runtime."""

import contextlib
import io
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from onnx import ModelProto

from gitops_model.diff import diff_models
from gitops_model.diff.result import ModelDiff
from support import referee, rewriters, small_nets
from support.onnx_text import side_of

NETS: dict[str, Callable[[], ModelProto]] = {**small_nets.NETS, **small_nets.exported()}


class Judged(NamedTuple):
    """`agree`: whether ONNX Runtime computes the same with both; None where it can run neither."""

    net: str
    diff: ModelDiff
    agree: bool | None
    unchanged: bool


def judged(
    tool: rewriters.Tool,
    nets: Mapping[str, Callable[[], ModelProto]] = NETS,
    given: Callable[[str, int], referee.Arrays] | None = None,
) -> Iterator[Judged | str]:
    """What the tool makes of each network; the network's name where the tool refuses it.

    `given` draws the inputs of a network from a seed, where its signature does not tell what it takes.
    """
    for net, make in nets.items():
        model = make()
        with tempfile.TemporaryDirectory() as folder:
            try:
                rewritten = quietly(tool, model, Path(folder))
            except Exception:  # noqa: BLE001 - each tool has errors of its own
                yield net
                continue
        diff = diff_models(side_of(model), side_of(rewritten))
        same = model.graph.SerializeToString() == rewritten.graph.SerializeToString()
        drawn = None if given is None else partial(given, net)
        yield Judged(net, diff, referee.agree(model, rewritten, 2, given=drawn), same)


def quietly(tool: rewriters.Tool, model: ModelProto, folder: Path) -> ModelProto:
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return tool(model, folder)
    finally:
        logging.disable(logging.NOTSET)
