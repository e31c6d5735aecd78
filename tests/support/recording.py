"""Making small models, recording them with the installed program, and reading what was recorded."""

import json
import struct
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from support.gitrepo import GitRepo
from support.program import Program
from support.wheel import ROOT

NOTES = "refs/notes/gitops-model"


def weights(*values: float) -> bytes:
    """A safetensors file with one tensor."""
    data = struct.pack(f"<{len(values)}f", *values)
    header = json.dumps({"w": {"dtype": "F32", "shape": [len(values)], "data_offsets": [0, len(data)]}}).encode()
    return struct.pack("<Q", len(header)) + header + data


def external(folder: Path, value: float) -> dict[str, bytes]:
    """An ONNX file and its external data; the ONNX file is the same for every value."""
    value_info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy"]
    tensor = numpy_helper.from_array(np.full(4, value, np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])], "g", value_info[:1], value_info[1:], [tensor]
    )
    folder.mkdir(exist_ok=True)
    (folder / "m.bin").unlink(missing_ok=True)
    onnx.save(
        helper.make_model(graph), folder / "m.onnx", save_as_external_data=True, location="m.bin", size_threshold=0
    )
    return {name: (folder / name).read_bytes() for name in ("m.onnx", "m.bin")}


def valid(kind: str, document: Any) -> Any:
    schema = json.loads((ROOT / "gitops_model/render" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    return document


def recorded(cli: Program, repo: GitRepo, *words: str, check: int = 0) -> list[tuple[str, str]]:
    document = valid("record", cli("record", *words, "--format", "json", cwd=repo.path, check=check).json())
    return [(file["state"], file["path"]) for file in document["files"]]


def note(repo: GitRepo, name: str) -> list[dict[str, Any]]:
    text = repo.git("notes", "--ref", NOTES, "show", repo.git("rev-parse", name))
    return [json.loads(line) for line in text.splitlines()]


def codes(cli: Program, repo: GitRepo, *words: str, check: int = 0) -> list[tuple[str, str]]:
    document = valid("report", cli("verify", *words, "--format", "json", cwd=repo.path, check=check).json())
    return [(finding["code"], finding["path"]) for finding in document["findings"]]
