"""The probe as each format tells it, of a fixed pair; only the version of ONNX Runtime is taken out."""

import json
import re
from collections.abc import Callable
from pathlib import Path

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
    text = cli("diff", "--run", "before.onnx", "after.onnx", "--format", form, cwd=tmp_path, check=0).out
    golden(f"{name}.{ENDINGS[form]}", told(form, text.replace(onnxruntime.__version__, "VERSION")))


def told(form: str, text: str) -> str:
    """What the format says of the probe: the rest has goldens of its own."""
    if form == "json":
        document = json.loads(text)
        return json.dumps({key: document[key] for key in ("problems", "probe")}, indent=2) + "\n"
    pattern = {
        "text": r"^  (?:numeric probe|after: GM).*(?:\n    .*)*",
        "markdown": r"^.*(?:numeric probe|GM013).*$|<details><summary>Numeric probe(?s:.*?)</details>",
        "html": r"<li>after.*?</li>|numeric probe.*?</p>|<details[^>]*><summary>Numeric probe(?s:.*?)</details>",
    }[form]
    return "\n".join(re.findall(pattern, text, re.MULTILINE)) + "\n"
