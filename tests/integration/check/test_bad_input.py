"""Bad files through the installed program: what each is, in one finding, quickly, in little memory, with exit 1."""

import json
import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper
from support.cases import walk
from support.program import Program
from support.small_models import SAFETENSORS, pointer

from gitops_model.cli import parse

MIB = 1 << 20


def onnx_model(**tensor: Any) -> bytes:
    """One that adds a weight; `tensor` sets fields of the weight."""
    weight = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    if location := tensor.get("location"):
        weight.ClearField("float_data")
        weight.data_location = TensorProto.EXTERNAL
        entry = weight.external_data.add()
        entry.key, entry.value = "location", location
    if dims := tensor.get("dims"):
        del weight.dims[:]
        weight.dims.extend(dims)
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", [value], [result], [weight])
    return helper.make_model(graph).SerializeToString()


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field of protobuf."""
    length, parts = len(content), [bytes([number << 3 | 2])]
    while length > 0x7F:
        parts.append(bytes([length & 0x7F | 0x80]))
        length >>= 7
    return b"".join([*parts, bytes([length]), content])


def nested_subgraphs(levels: int, opset: bytes = field(8, b"\x10\x11")) -> bytes:
    """An `If` in an `If` in an `If`…: GraphProto.node.attribute.g, built from the inside."""
    graph = b""
    for _ in range(levels):
        attribute = field(1, b"then_branch") + field(6, graph) + b"\xa0\x01\x05"
        graph = field(1, field(4, b"If") + field(5, attribute))
    return b"\x08\x08" + field(7, graph) + opset


BAD: dict[str, tuple[str, bytes, list[str]]] = {
    "empty": ("m.onnx", b"", ["GM001"]),
    "truncated": ("m.onnx", onnx_model()[:-5], ["GM001"]),
    "truncated safetensors": ("m.safetensors", SAFETENSORS[:-1], ["GM001"]),
    "pointer": ("m.onnx", pointer(b"x").encode(), ["GM003"]),
    "web page": ("m.onnx", b"<!DOCTYPE html>\n<html><body>404</body></html>", ["GM004"]),
    "pickle": ("m.onnx", pickle.dumps({"a": [1]}, protocol=4), ["GM004", "GM604"]),
    "path that escapes": ("m.onnx", onnx_model(location="../../../etc/passwd"), ["GM601"]),
    "absolute path": ("m.onnx", onnx_model(location="/etc/passwd"), ["GM601"]),
    "data that is not there": ("m.onnx", onnx_model(location="w.bin"), ["GM010"]),
    "huge dimensions": ("m.onnx", onnx_model(dims=[2**31, 2**31]), ["GM007"]),
    "huge header": ("m.safetensors", struct.pack("<Q", 2**62) + b"{}", ["GM002"]),
    "nested subgraphs": ("m.onnx", nested_subgraphs(20_000), ["GM005"]),
    "nested subgraphs alone": ("m.onnx", nested_subgraphs(20_000, opset=b""), ["GM005"]),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("in_repository", [False, True])
def test_a_bad_file_is_named_for_what_it_is(case: str, in_repository: bool, tmp_path: Path, cli: Program) -> None:
    name, content, codes = BAD[case]
    if in_repository:
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / name).write_bytes(content)
    result = cli("check", "--format", "json", name, cwd=tmp_path, check=1)
    found = json.loads(result.stdout)["findings"]
    assert [(one["code"], one["path"], one["severity"]) for one in found] == [(code, name, "error") for code in codes]


def test_a_fifo_does_not_block(tmp_path: Path, cli: Program) -> None:
    os.mkfifo(tmp_path / "m.onnx")
    result = cli("check", "--format", "json", "m.onnx", cwd=tmp_path, check=1, timeout=30)
    assert [one["code"] for one in json.loads(result.stdout)["findings"]] == ["GM008"]


@pytest.mark.parametrize("case", [*BAD, "limit_alias_bomb", "limit_brackets", "limit_nodes"])
def test_memory_is_bounded(case: str, tmp_path: Path, scripts: Path) -> None:
    """Under an address space of 1 GiB there is no room to allocate what a file merely claims."""
    if case in BAD:
        name, content, _ = BAD[case]
        (tmp_path / name).write_bytes(content)
    else:
        from support.cases import lay

        folder = next(path for path in walk("manifest/bad") if path.name == case)
        lay(folder, tmp_path / "case")
        name = "case/model.yaml"
    limited = (
        "import resource, os, sys; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30));"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, str(scripts / "gitops-model"), "check", name],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr.decode()


def test_the_memory_of_a_large_file_is_a_window(tmp_path: Path, scripts: Path) -> None:
    """1 GiB (sparse) is hashed and described in a fraction of its size."""
    with open(tmp_path / "m.safetensors", "wb") as stream:
        header = b'{"w":{"dtype":"U8","shape":[1073741824],"data_offsets":[0,1073741824]}}'
        header += b" " * (-len(header) % 8)
        stream.write(struct.pack("<Q", len(header)) + header)
        stream.truncate(8 + len(header) + (1 << 30))
    (tmp_path / "model.yaml").write_text(
        "name: m\nversion: 1.0.0\narchitecture: amd64\nchecksums:\n  m.safetensors: {blake3: " + "0" * 64 + "}\n"
    )
    measured = (
        "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode;"
        "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    words = [sys.executable, "-c", measured, str(scripts / "gitops-model"), "check", "model.yaml"]
    out = subprocess.run(words, cwd=tmp_path, capture_output=True, check=True).stdout.split()
    assert int(out[0]) == 1
    assert int(out[1]) * 1024 < 256 * MIB


def hints() -> list[str]:
    found = {
        finding["hint"]
        for case in walk("manifest/bad")
        for finding in json.loads((case / "expected.json").read_text())
        if finding["hint"].startswith("gitops-model ")
    }
    return sorted(found)


@pytest.mark.parametrize("hint", hints())
def test_a_hint_is_a_command_that_the_program_takes(hint: str) -> None:
    args = parse(hint.split()[1:])
    assert args.verb == hint.split()[1]


def test_explain_takes_every_code_that_a_hint_names(cli: Program) -> None:
    for hint in hints():
        if hint.startswith("gitops-model explain"):
            assert hint.split()[-1] in cli(*hint.split()[1:], check=0).out
