"""The two documents: what the schema refuses is said with its place, and nothing is read as something else."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.machines import MACHINE, RELEASE, machine, release

from gitops_model.blob import Blob
from gitops_model.errors import CouldNotRun
from gitops_model.gpu.compat import judge, matrix
from gitops_model.gpu.documents import MAX_SIZE, load, read, schema
from gitops_model.gpu.profiles import names, profile, resolve


def refused(document: Any, kind: str = "target") -> str:
    needs, target = (RELEASE, document) if kind == "target" else (document, MACHINE)
    with pytest.raises(CouldNotRun) as caught:
        judge(needs, target)
    return str(caught.value)


@pytest.mark.parametrize(
    "document, text",
    [
        ({"driver": 550.54}, "driver: 550.54, expected"),
        ({"driver": "550.54.15\n"}, "driver"),
        ({"driver": "five"}, "driver: 'five'"),
        ({"drivers": "550.54.15"}, "did you mean 'driver'?"),
        ({"gpus": [{"compute_capabilty": "9.0"}]}, "gpus/0: the key 'compute_capabilty' is not known; did you mean"),
        ({"gpus": [{"compute_capability": "9"}]}, "gpus/0/compute_capability"),
        ({"gpus": [{"memory_mib": -1}]}, "gpus/0/memory_mib"),
        ({"gpus": [{"memory_mib": "81559"}]}, "gpus/0/memory_mib"),
        ({"gpus": [{"memory_mib": float("nan")}]}, "nan is no number"),
        ({"gpus": [{"memory_mib": float("inf")}]}, "inf is no number"),
        ({"gpus": [{"memory_mib": 10**30}]}, "too large"),
        ({"gpus": [{"memory_mib": True}]}, "gpus/0/memory_mib"),
        ({"gpus": [{"fabric": "done"}]}, "gpus/0/fabric"),
        ({"gpus": [{"ecc_uncorrected": -1}]}, "gpus/0/ecc_uncorrected"),
        ({"gpus": {}}, "gpus"),
        ({"gpus": [None]}, "gpus/0"),
        ({"libcuda_present": 1}, "libcuda_present"),
        ({"libcuda_present": "true"}, "libcuda_present"),
        ({"nvml_status": "0"}, "nvml_status"),
        ({"environment": {"A": None}}, "environment/A"),
        ({"environment": [1]}, "environment"),
        ({"libraries": [{"version": "1"}]}, "libraries/0 has no 'soname'"),
        ({"compat": {"cuda": 12.9}}, "compat/cuda"),
        ([], "the document"),
        (None, "the document"),
        ("h100", "the document"),
        ({1: 2}, "the key 1 is no text"),
        ({"gpus": object()}, "is no JSON value"),
        ({"name": b"x"}, "is no JSON value"),
        ({"profile": "h1000"}, "no GPU profile 'h1000'"),
    ],
)
def test_a_target_that_is_none_is_said_with_its_place(document: Any, text: str) -> None:
    assert text in refused(document)


@pytest.mark.parametrize(
    "document, text",
    [
        ({"cuda_runtime": 12.4}, "cuda_runtime: 12.4, expected"),
        ({"cuda_runtime": "12"}, "cuda_runtime"),
        ({"binaries": [{"images": []}]}, "binaries/0 has no 'path'"),
        ({"binaries": [{"path": "a", "images": [{"kind": "sass"}]}]}, "binaries/0/images/0 has no 'arch'"),
        ({"binaries": [{"path": "a", "images": [{"kind": "SASS", "arch": "90"}]}]}, "binaries/0/images/0/kind"),
        ({"binaries": [{"path": "a", "images": [{"kind": "sass", "arch": "9"}]}]}, "binaries/0/images/0/arch"),
        ({"binaries": [{"path": "a", "images": [{"kind": "sass", "arch": "90A"}]}]}, "binaries/0/images/0/arch"),
        ({"binaries": [{"path": "a", "images": [{"kind": "sass", "arch": "٩٠"}]}]}, "binaries/0/images/0/arch"),
        ({"binaries": [{"path": "a", "containers": [{"count": 0, "images": []}]}]}, "containers/0/count"),
        ({"symbols": ["name"]}, "symbols/0"),
        ({"symbols": ["name@"]}, "symbols/0"),
        ({"onnx": {"opset": {"ai.onnx": "17"}}}, "onnx/opset/ai.onnx"),
        ({"onnx": {"operators": [{"name": "Conv"}]}}, "onnx/operators/0"),
        ({"memory": 5}, "the key 'memory' is not known"),
        ({"memory_mib": "5"}, "memory_mib"),
        ({"dtypes": [1]}, "dtypes/0"),
        ({"engines": [{"compute_capability": "9"}]}, "engines/0/compute_capability"),
    ],
)
def test_requirements_that_are_none_are_said_with_their_place(document: Any, text: str) -> None:
    assert text in refused(document, "requirements")


def test_deep_nesting_is_refused_without_recursion() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert "nesting" in refused({"gpus": deep})


def test_an_integer_may_be_written_as_a_number_with_a_zero_fraction() -> None:
    assert judge(RELEASE, machine(nvml_status=0.0, gpu={"compute_mode": 0.0, "brand": 14.0})).verdict == "allow"


# --- files ---------------------------------------------------------------------------------------------------------
YAML = """
# a machine of ours
driver: 550.54.15
cuda_driver: 12.4
libcuda_present: true
nvml_status: 0
compat: null
environment: {CUDA_DISABLE_PTX_JIT: 1}
libraries: []
gpus:
  - name: NVIDIA H100 80GB HBM3
    compute_capability: 9.0
    brand: 14
    memory_mib: 81559
    memory_free_mib: 80000.5
    mig: false
    ecc_uncorrected: 0
    remap_failed: false
    compute_mode: default
    fabric: ~
"""


def test_yaml_and_json_are_the_same_document(tmp_path: Path) -> None:
    (tmp_path / "target.yaml").write_text(YAML)
    document = load(str(tmp_path / "target.yaml"), "target")
    (tmp_path / "target.json").write_text(json.dumps(document))
    assert load(str(tmp_path / "target.json"), "target") == document
    assert document["cuda_driver"] == "12.4"
    assert document["gpus"][0]["compute_capability"] == "9.0"
    assert document["gpus"][0]["memory_free_mib"] == 80000.5
    assert document["gpus"][0]["fabric"] is None
    assert judge(RELEASE, document).verdict == "allow"


def test_a_version_in_yaml_keeps_its_zero() -> None:
    document = read(Blob.of_bytes("t.yaml", b"cuda_driver: 12.10\n"), "target")
    assert document == {"cuda_driver": "12.10"}
    needs = read(
        Blob.of_bytes("r.yaml", b"binaries:\n- path: a\n  images: [{kind: ptx, arch: 90, ptx_isa: 8.0}]\n"),
        "requirements",
    )
    assert needs["binaries"][0]["images"][0] == {"kind": "ptx", "arch": "90", "ptx_isa": "8.0"}


@pytest.mark.parametrize(
    "data, text",
    [
        (b'{"driver": "1.2", "driver": "3.4"}', "the key 'driver' is there twice"),
        (b'{"nvml_status": NaN}', "NaN is no number"),
        (b'{"nvml_status": 0', "no JSON"),
        (b'{"name": "\xff"}', "UTF-8"),
        (b"[" * 200_000, "nesting"),
        (b'{"gpus": ' + b"[" * 200_000, "nesting"),
        (b"", "empty"),
        (b"driver: 1.2\ndriver: 3.4\n", "2:1"),
        (b"driver: !!python/object:os.system x\n", "tag"),
        (b"a: &a [*a]\n", "alias"),
        (b"driver: 1.2\n---\ndriver: 3.4\n", "more than one"),
        (b"drivre: 1.2\n", "did you mean 'driver'?"),
        (b"libcuda_present: yes\n", "libcuda_present"),
        (b"just text", "the document"),
    ],
)
def test_a_file_that_is_none_is_an_error_of_the_call(data: bytes, text: str) -> None:
    with pytest.raises(CouldNotRun, match=r"^t\.yaml: ") as caught:
        read(Blob.of_bytes("t.yaml", data), "target")
    assert text in str(caught.value)


def test_a_file_that_is_too_large_is_not_read() -> None:
    class Large(Blob):
        def read(self, *_: int) -> bytes:
            raise AssertionError("it was read")

    with pytest.raises(CouldNotRun, match="too many"):
        read(Large("t.json", MAX_SIZE + 1), "target")


def test_a_file_that_is_not_there_or_no_file_is_an_error_of_the_call(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(CouldNotRun, match=str(path)):
            load(str(path), "target")


@pytest.mark.parametrize("kind", ["requirements", "target"])
def test_the_schemas_are_schemas(kind: str) -> None:
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(schema(kind))


# --- profiles ------------------------------------------------------------------------------------------------------
def test_every_profile_is_a_target_with_sources_that_a_fitting_release_runs_on() -> None:
    assert len(names()) >= 14
    needs = release(
        cuda_runtime="12.4", binaries=[{"path": "a.so", "images": [{"kind": "ptx", "arch": "75", "ptx_isa": "8.4"}]}]
    )
    for found, name in zip(matrix(needs, [{"profile": name} for name in names()]), names(), strict=True):
        assert profile(name)["sources"], name
        assert (found.target, found.verdict) == (name, "jit-fallback"), found.reasons


def test_a_profile_is_found_however_its_name_is_written() -> None:
    assert profile("RTX 4090") == profile("rtx_4090") == profile("rtx-4090")


def test_a_target_states_what_differs_from_its_profile() -> None:
    document = resolve({"profile": "l4", "driver": "525.60.13", "gpus": [{"memory_free_mib": 10}, {}]})
    assert "profile" not in document
    assert document["driver"] == "525.60.13"
    assert [gpu["memory_free_mib"] for gpu in document["gpus"]] == [10, profile("l4")["gpus"][0]["memory_free_mib"]]
    orin = resolve({"profile": "orin", "driver": "540.5.0"})
    assert "cuda_driver" not in orin  # it was that of another driver
    assert judge(RELEASE, {"profile": "l4", "driver": "520.61.05"}).verdict == "reject"


def test_a_profile_is_never_changed_by_its_use() -> None:
    before = json.dumps(profile("h100"))
    document = resolve({"profile": "h100", "gpus": [{"name": "x"}]})
    document["gpus"][0]["name"] = "y"  # type: ignore[index]
    assert json.dumps(profile("h100")) == before
