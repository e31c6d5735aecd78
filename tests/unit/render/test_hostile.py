"""Whole results full of hostile names, in every format: as many lines, rows and commands as with plain names."""

import json
import re
from typing import Any

import pytest
from markdown_it import MarkdownIt
from support.hostile import NAMES
from support.hostile_diff import compared

from gitops_model.errors import Problem
from gitops_model.finding import Finding, Report, Severity
from gitops_model.gpu.compat import Verdict as GpuCompared
from gitops_model.gpu.reasons import Effect, Reason
from gitops_model.ir import Attribute, Graph, Model, Node, OtherType, Span, Tensor, TensorType, Value
from gitops_model.render import RENDERERS, Look, render
from gitops_model.render.gpu import Checked, History, Judged, Past
from gitops_model.render.review import Review, model_review
from gitops_model.render.setup import Fact, Health, Step
from gitops_model.render.show import Shown

STEERS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
GFM = MarkdownIt("commonmark", {"html": True}).enable("table")


def report(name: str) -> Report:
    finding = Finding("GM201", "checksum-mismatch", Severity.ERROR, name, f"{name!r} or {name}", 3, 4, name, name, name)
    return Report((finding, finding._replace(severity=Severity.NOTE, line=None, column=None)), 1, 1)


def shown(name: str) -> Shown:
    tensor = Tensor(name, "float32", (2, 3), Span(0, 24, name or "x"), 24)
    nodes = (Node(name, name, name, (name,), (name,), (Attribute(name, "string", name.encode("utf-8", "replace")),)),)
    values = (Value(name, TensorType("float32", (name, None, 3))), Value(name, OtherType(name)), Value(name, None))
    model = Model(
        "onnx",
        (tensor,),
        inputs=values,
        outputs=values,
        graph=Graph(name, values, values, nodes, {name: tensor}),
        opset={name: 3},
        properties={"producer_name": name},
        metadata={name: name},
        deps=(name,),
        problems=(Problem("GM002", name),),
    )
    return Shown(name, model, ("0" * 64,), nodes=True)


def reviewed(name: str) -> Review:
    found = report(name)
    models = tuple(model_review(file) for file in compared(name).files)
    return Review("0" * 40, "1" * 40, "2" * 40, models, 2, (name,), found, 2, (name,))


def set_up(name: str) -> tuple[Step, ...]:
    return (Step("changed", "attributes", name), Step("left", "notes refspec", name))


def health(name: str) -> Health:
    return Health((Fact("wrong", "configuration", name, name),))


def gpu_checked(name: str) -> Checked:
    reason = Reason("GM402", "209", f"{name} or {name!r}", name, f"use {name}", Effect.REJECT, 0)
    verdict = GpuCompared(name, "reject", (reason, reason._replace(effect=Effect.NOTE, code="GM401")), ())
    return Checked(name, {}, (Judged(verdict, name),), ((f"m/{name}", Problem("GM002", name)),), (name,), (name,))


def gpu_history(name: str) -> History:
    return History(name, name, name, (Past(name, name, name, (name,), (name,), valid=False),))


def gpu_document(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "binaries": [{"path": name, "problems": [name, "x" * 200 + name]}],
        "environment": {"X": "x" * 200 + name},
    }


MAKERS = {"report": [report], "show": [shown], "diff": [compared], "review": [reviewed], "setup": [set_up, health]}
MAKERS |= {"gpu.check": [gpu_checked], "gpu.history": [gpu_history], "gpu.document": [gpu_document]}
CASES = [
    pytest.param(make, kind, form, id=f"{make.__name__}-{form}")
    for kind, makers in MAKERS.items()
    for make in makers
    for form in RENDERERS[kind]
]


@pytest.mark.parametrize("make, kind, form", CASES)
def test_nothing_gets_out(make: Any, kind: str, form: str) -> None:
    plain = render(kind, form, make("plain"), Look())
    for name in NAMES:
        text = render(kind, form, make(name), Look())
        assert text.endswith("\n"), ascii(name)
        assert text.count("\n") == plain.count("\n"), ascii(name)
        assert not STEERS.search(text), ascii(name)
        assert text.encode()
        SAME.get(form, no_command)(text, plain, name)


def no_command(text: str, _plain: str, _name: str) -> None:
    assert not [line for line in text.splitlines() if line.strip().startswith("::") or "##[" in line]


def same_json(text: str, plain: str, _name: str) -> None:
    assert text.isascii() or "…" in text
    assert shape(json.loads(text)) == shape(json.loads(plain))


def shape(value: Any) -> Any:
    """The document without its texts; keys that are names count as one."""
    if isinstance(value, dict):
        return sorted((repr(shape(inner)) for inner in value.values()), key=str)
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__ if isinstance(value, str) else value


def same_commands(text: str, plain: str, _name: str) -> None:
    commands = [
        [line.split("::")[1].split()[0] for line in t.splitlines() if line.startswith("::")] for t in (text, plain)
    ]
    assert commands[0] == commands[1] == ["error", "notice"]
    assert all(line.strip().startswith("::") == line.startswith("::") for line in text.splitlines())
    assert all(line.count("::") == 2 for line in text.splitlines() if line.startswith("::") and "::" not in _name)


def same_markdown(text: str, plain: str, _name: str) -> None:
    assert tags(text) == tags(plain)
    assert "@team" not in text
    assert "<!--" not in text


def tags(text: str) -> list[str]:
    """The elements of the rendered page, without the two that stand around a name."""
    return [tag for tag in re.findall(r"</?[a-z0-9]+[^>]*>", GFM.render(text)) if "code" not in tag]


def same_page(text: str, plain: str, _name: str) -> None:
    found, wanted = (
        [re.sub(r"[0-9.]+", "0", tag) for tag in re.findall(r"<[^>]*>", t) if "code" not in tag] for t in (text, plain)
    )
    assert found == wanted  # but for the lengths of what is drawn


SAME = {"html": same_page, "json": same_json, "sarif": same_json, "markdown": same_markdown, "github": same_commands}
