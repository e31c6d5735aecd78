"""Whatever lies in the files, what is said of them fits the published schema and can be judged."""

import contextlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from support.elf import Sym, library
from support.machines import MACHINE
from support.onnx_models import FLOAT, model, value, weight

import gitops_model.gpu
from gitops_model.blob import Blob, NoSource
from gitops_model.errors import BadFile
from gitops_model.gpu.compat import judge
from gitops_model.gpu.image import Image
from gitops_model.gpu.onnx_values import planned
from gitops_model.gpu.requirements import Found, Release, Weights, requirements_of
from gitops_model.readers import read_model

DATA = Path(__file__).parents[2] / "data" / "gpu"
SCHEMA = json.loads((Path(gitops_model.gpu.__file__).parent / "requirements.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
DEVICE = {name: (DATA / name).read_bytes() for name in ("ptx.fatbin", "speed.fatbin", "old.cubin", "library.so")}
ONNX = model(
    [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Relu", ["y"], ["z"])],
    [value("x", ["n", 4])],
    [value("z", [None, 2], FLOAT)],
    (weight("w", 4, 2),),
)

edits = st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=9)), min_size=1, max_size=5)


def edited(data: bytes, steps: list[tuple[int, bytes]]) -> bytes:
    copy = bytearray(data)
    for at, piece in steps:
        place = at % len(copy)
        copy[place : place + len(piece)] = piece
    return bytes(copy)


def is_published(found: Found) -> None:
    VALIDATOR.validate(json.loads(json.dumps(found.requirements)))
    assert judge(found.requirements, MACHINE).verdict in {"allow", "jit-fallback", "reject", "unknown"}


@pytest.mark.fuzz
@given(st.sampled_from(sorted(DEVICE)), edits)
def test_device_code(name: str, steps: list[tuple[int, bytes]]) -> None:
    is_published(requirements_of(Release(files=(Blob.of_bytes(name, edited(DEVICE[name], steps)),))))


@pytest.mark.fuzz
@given(edits, st.one_of(st.none(), st.integers(1, 4)))
def test_models(steps: list[tuple[int, bytes]], batch: int | None) -> None:
    with contextlib.suppress(BadFile):
        content = read_model(Blob.of_bytes("model.onnx", edited(ONNX, steps)), NoSource())
        is_published(requirements_of(Release(models=(Weights("model.onnx", content, planned(content, batch=batch)),))))


@pytest.mark.fuzz
@given(
    st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=5),
    st.lists(st.text(max_size=12), max_size=4),
)
def test_names_of_libraries_and_symbols(symbols: list[tuple[str, str]], needed: list[str]) -> None:
    clean = [(name.replace("\0", ""), soname.replace("\0", "")) for name, soname in symbols]
    rows = tuple(Sym(name, soname, soname) for name, soname in clean if name and soname)
    sonames = tuple(soname.replace("\0", "") for soname in needed) + tuple(soname for _, soname in clean)
    try:
        data = library("liba.so", needed=sonames, symbols=rows)
    except UnicodeEncodeError:
        return
    is_published(requirements_of(Release(files=(Blob.of_bytes("liba.so", data),))))


environments = st.dictionaries(
    st.sampled_from(["CUDA_VERSION", "NVIDIA_REQUIRE_CUDA", "NVIDIA_REQUIRE_X", "NV_CUDNN_VERSION", "TRT_VERSION"]),
    st.one_of(st.text(max_size=20), st.from_regex(r"[0-9.]{0,40}", fullmatch=True), st.just("x" * 70_000)),
)


@pytest.mark.fuzz
@given(
    environments, st.dictionaries(st.sampled_from(["cuda_runtime", "cudnn"]), st.from_regex(r"[0-9]+(\.[0-9]+){0,7}"))
)
def test_environments_of_images_and_versions_of_manifests(environment: dict[str, str], runtime: dict[str, Any]) -> None:
    image = Image("sha256:0", "amd64", "linux", environment, {}, ())
    is_published(requirements_of(Release(images=(image,), runtime=runtime)))


@settings(max_examples=30)
@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1), st.text(max_size=5))
def test_numbers_that_no_model_has(ir_version: int, opset: int, op_type: str) -> None:
    content = read_model(Blob.of_bytes("model.onnx", ONNX), NoSource())
    content.properties["ir_version"] = ir_version
    content.opset = {"ai.onnx": opset}
    assert content.graph is not None
    content.graph = content.graph._replace(nodes=(content.graph.nodes[0]._replace(op_type=op_type),))
    is_published(requirements_of(Release(models=(Weights("model.onnx", content, planned(content)),))))
