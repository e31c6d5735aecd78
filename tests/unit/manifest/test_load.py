"""The value of a manifest, and where its parts are."""

import hashlib

import pytest

from gitops_model.blob import Blob, Pointer
from gitops_model.ir import ELEMENT_BITS
from gitops_model.manifest import Manifest, Place, is_manifest_path, load
from gitops_model.manifest.validate import schema

HEX = hashlib.sha256(b"").hexdigest()
HEAD = "name: m\nversion: 1.10.0-rc.1\narchitecture: [amd64, arm64]\n"


def whole(text: str | bytes) -> Manifest:
    data = text.encode() if isinstance(text, str) else text
    manifest, problems = load(Blob.of_bytes("model.yaml", data))
    assert problems == ()
    assert manifest is not None
    return manifest


def test_the_parts() -> None:
    manifest = whole(
        HEAD
        + f"checksums:\n  a.onnx: {{sha256: {HEX}, blake3: {HEX}}}\n  d/b.bin: {{sha256: {HEX}}}\n"
        + "inputs:\n  x: {dtype: float32, shape: [1, n, null]}\n  y: {type: opaque}\n  z: {dtype: bool, shape: null}\n"
        + "outputs: {}\nruntime: {memory_mib: 12, cuda_runtime: 12.10}\ntargets: [l4]\n"
        + "acceptance: {max_abs_diff: 1e-3}\nprovenance: {mlflow_run: 7}\nserving: {a: [1, true]}\n"
    )
    assert (manifest.name, manifest.version, manifest.architecture) == ("m", "1.10.0-rc.1", ("amd64", "arm64"))
    assert list(manifest.checksums) == ["a.onnx", "d/b.bin"]
    assert [digest.algorithm for digest in manifest.checksums["a.onnx"].digests] == ["sha256", "blake3"]
    assert manifest.inputs is not None
    x, y, z = manifest.inputs
    assert (x.name, x.dtype, x.shape, x.type) == ("x", "float32", (1, "n", None), None)
    assert (y.dtype, y.shape, y.type) == (None, None, "opaque")
    assert (z.dtype, z.shape) == ("bool", None)
    assert manifest.outputs == ()
    assert manifest.runtime == {"memory_mib": 12, "cuda_runtime": "12.10"}
    assert manifest.targets == ("l4",)
    assert manifest.acceptance == {"max_abs_diff": 0.001}
    assert manifest.provenance == {"mlflow_run": "7"}
    assert manifest.serving == {"a": ["1", "true"]}, "a free section is text"


def test_the_places() -> None:
    manifest = whole(
        HEAD
        + f"checksums:\n  é.onnx: {{sha256: {HEX}}}\n"
        + "inputs:\n  x: {dtype: float32, shape: [1, n]}\nruntime:\n  batch: 3\n"
    )
    listed = manifest.checksums["é.onnx"]
    assert listed.place == Place(5, 3)
    assert listed.digests[0].place == Place(5, 20)
    assert manifest.inputs is not None
    value = manifest.inputs[0]
    assert (value.place, value.dtype_place, value.shape_place) == (Place(7, 3), Place(7, 14), Place(7, 30))
    assert value.dims == (Place(7, 31), Place(7, 34))
    assert manifest.where("runtime", "batch") == Place(9, 10)
    assert manifest.where_key("runtime", "batch") == Place(9, 3)
    assert manifest.where("runtime", "absent") == Place(9, 3), "the nearest parent"
    assert manifest.where("inputs", "x", "shape", 1) == Place(7, 34)
    assert manifest.where() == Place(1, 1)


@pytest.mark.parametrize(
    "entry, fixable",
    [
        (f"{{sha256: {HEX}}}", True),
        (f"{{sha256: '{HEX}'}}", True),
        (f'{{"sha256": "{HEX}"}}', True),
        (f"\n    sha256:\n      {HEX}  # c", True),
        (f"{{sha256: &x {HEX}}}", True),
        (f'{{sha256: "\\x{ord(HEX[0]):02x}{HEX[1:]}"}}', False),
        (f"\n    sha256: >-\n      {HEX}", False),
    ],
)
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_bytes_of_a_digest(entry: str, fixable: bool, before: bytes, end: str) -> None:
    text = (HEAD + "checksums:\n  模型.bin: " + entry + "\n").replace("\n", end)
    data = before + text.encode()
    digest = whole(data).checksums["模型.bin"].digests[0]
    assert digest.value == HEX
    assert digest.fixable is fixable
    if fixable:
        assert data[digest.start : digest.end] == HEX.encode()


def test_a_digest_that_an_alias_shares_is_not_fixable() -> None:
    manifest = whole(HEAD + f"checksums:\n  a.bin: &a {{sha256: {HEX}}}\n  b.bin: *a\n  c.bin: {{sha256: &h {HEX}}}\n")
    assert [listed.digests[0].fixable for listed in manifest.checksums.values()] == [False, False, True]


def test_what_is_wrong_is_left_out() -> None:
    data = "version: v1\narchitecture: [amd64, mips]\nchecksums:\n"
    data += f"  ../x: {{sha256: {HEX}}}\n  y: {{sha256: 0, blake3: {HEX}}}\n"
    manifest, problems = load(Blob.of_bytes("model.yaml", data.encode()))
    assert manifest is not None
    assert (manifest.name, manifest.version, manifest.architecture) == ("", "", ("amd64",))
    assert list(manifest.checksums) == ["y"]
    assert [digest.algorithm for digest in manifest.checksums["y"].digests] == ["blake3"]
    assert [problem.code for problem in problems] == ["GM104", "GM105", "GM106", "GM110", "GM109"]


def test_problems_come_in_the_order_of_the_file() -> None:
    _, problems = load(Blob.of_bytes("model.yaml", b"zz: 1\nversion: 1\nname: a b\nyy: 2\n"))
    places = [(problem.line, problem.column) for problem in problems]
    assert places == sorted(places)


def test_a_large_file_is_not_read() -> None:
    class Unread(Blob):
        def read(self, offset: int, length: int) -> bytes:
            raise AssertionError((offset, length))

    _, problems = load(Unread("model.yaml", 1001, data=b""), max_size=1000)
    assert [problem.code for problem in problems] == ["GM113"]


def test_a_pointer_is_said_to_be_one() -> None:
    pointer = Pointer("lfs", "sha256", HEX, 5)
    _, problems = load(Blob("model.yaml", 1, data=b"x", pointer=pointer, content_is_local=False))
    assert [problem.code for problem in problems] == ["GM003"]


def test_the_schema_knows_the_element_types_of_the_description() -> None:
    definitions = schema()["$defs"]
    assert isinstance(definitions, dict)
    dtype = definitions["dtype"]
    assert isinstance(dtype, dict)
    assert isinstance(dtype["enum"], list)
    assert set(dtype["enum"]) == {*ELEMENT_BITS, "string"}


@pytest.mark.parametrize("path", ["model.yaml", "a/model.yaml", "vad.model.yaml", "a.b/x.model.yaml"])
def test_manifests_by_name(path: str) -> None:
    assert is_manifest_path(path)


@pytest.mark.parametrize(
    "path", ["", "Model.yaml", "model.yml", ".model.yaml", "xmodel.yaml", "model.yaml/x", "model.yaml~"]
)
def test_other_files_by_name(path: str) -> None:
    assert not is_manifest_path(path)
