"""The probe as each format tells it, of a fixed pair; only the version of ONNX Runtime is taken out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from support.onnx_models import INT64, model, value
from support.probe_models import constant, embedding, mistyped, node, simple, stored
from support.program import Program


def network(turned: int, extra: str) -> bytes:
    """Logits that differ, a label that flips, noise, and a renamed output. Every number is a small multiple of 1/4, so
    that no processor rounds."""
    nodes = [
        node("Gather", ["table", "ids"], ["e"]),
        node("MatMul", ["e", "w"], ["logits"]),
        node("ArgMax", ["logits"], ["label"], axis=-1, keepdims=0),
        node("RandomNormalLike", ["logits"], ["noise"]),
        node("Abs", ["logits"], [extra]),
    ]
    table, weight = (np.arange(200) % 7 - 3) / 4, np.roll((np.arange(16) % 5 - 2) / 4, turned)
    weights = (stored("table", table.reshape(50, 4)), stored("w", weight.reshape(4, 4)))
    outputs = [value("logits", ["n", 4]), value("label", ["n"], INT64), value("noise", ["n", 4]), value(extra, ["n"])]
    return model(nodes, [value("ids", ["n"], INT64)], outputs, weights)


PAIRS: dict[str, tuple[bytes, bytes]] = {
    "differs": (network(0, "size"), network(3, "magnitude")),
    "agrees": (simple(node("Relu", ["x"], ["y"])), simple(node("Relu", ["x"], ["v"]), node("Identity", ["v"], ["y"]))),
    "does-not-run": (simple(constant("w", [1, 1, 1, 1]), node("Add", ["x", "w"], ["y"])), mistyped()),
    "table": (embedding(9), embedding(7, scale=1 + 1e-7)),
}
ENDINGS = {"text": "txt", "json": "json", "markdown": "md", "html": "html"}


@pytest.mark.parametrize("form", ENDINGS)
@pytest.mark.parametrize("name", PAIRS)
def test_each_format(name: str, form: str, cli: Program, tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    for path, data in zip(("before.onnx", "after.onnx"), PAIRS[name], strict=True):
        (tmp_path / path).write_bytes(data)
    words: list[Any] = ["diff", "--run", "before.onnx", "after.onnx", "--format", form]
    text = cli(*words, cwd=tmp_path, check=0).out
    if form == "json":
        assert cli(*words, cwd=tmp_path, check=0).out == text or name == "differs"
    golden(f"{name}.{ENDINGS[form]}", text.replace(onnxruntime.__version__, "VERSION"))
