"""Weights digests against a script that knows the formats only through `onnx` and `safetensors`."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from support import models, onnx_zoo
from support.folder import Folder

from gitops_model.blob import Blob
from gitops_model.fingerprint import Fingerprint, fingerprint
from gitops_model.readers import read_model
from gitops_model.readers.bytes import TensorBytes

SCRIPT = Path(__file__).with_name("recompute_weights.py")


def ours(path: Path, jobs: int | None = None) -> Fingerprint:
    source = Folder(path.parent)
    with Blob.of_file(path) as blob, TensorBytes(blob, source) as data:
        return fingerprint(read_model(blob, source), data, jobs)


def theirs(*paths: Path) -> dict[Path, str]:
    """What the script says, in a process that cannot see the product."""
    listed = "".join(f"{path}\n" for path in paths)
    done = subprocess.run([sys.executable, "-I", SCRIPT], input=listed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line.split(" ", 1) for line in done.stdout.splitlines()]
    return {Path(path): digest for digest, path in lines}


def test_the_script_does_not_know_the_product() -> None:
    imports = [line for line in SCRIPT.read_text().splitlines() if line.startswith(("import ", "from "))]
    assert not any("gitops" in line or "support" in line for line in imports)


def test_every_file_of_the_pinned_set_has_the_digest_that_the_script_computes(
    model_file: Callable[[str, str], Path],
) -> None:
    files = [model_file(package, path) for package, path in models.model_files(".onnx", ".safetensors")]
    assert len(files) == 26
    computed = theirs(*files)
    assert {file: ours(file).weights for file in files} == computed


def test_every_model_of_the_zoo_has_the_digest_that_the_script_computes(tmp_path: Path) -> None:
    files: list[Path] = []
    for number, make in enumerate(onnx_zoo.ZOO.values()):
        files.append(tmp_path / f"{number}.onnx")
        files[-1].write_bytes(make().SerializeToString())
    computed = theirs(*files)
    found = {file: ours(file) for file in files}
    with_weights = {file for file in files if found[file].tensors}
    assert len(with_weights) > 40
    assert {file: found[file].weights for file in with_weights} == {file: computed[file] for file in with_weights}


# --- one model in every form ----------------------------------------------------------------------------------------
ARRAYS = {
    "conv.weight": np.random.default_rng(1).standard_normal((8, 3, 3, 3)).astype(np.float32),
    "conv.bias": np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, 1, 2], np.float32),
    "scale": np.array(0.5, np.float64),
    "shape": np.array([1, -1, 2**40], np.int64),
    "half": np.linspace(-2, 2, 7).astype(np.float16),
    "mask": np.array([[True, False], [False, True]]),
    "bytes": np.arange(-5, 5, dtype=np.int8),
    "counts": np.array([0, 1, 2**63 + 1], np.uint64),
    "small": np.array([0, 40_000], np.uint16),
    "none": np.zeros((0, 4), np.float32),
}


def raw(name: str) -> TensorProto:
    return numpy_helper.from_array(ARRAYS[name], name)


def typed(name: str) -> TensorProto:
    array = ARRAYS[name]
    code = helper.np_dtype_to_tensor_dtype(array.dtype)
    tensor = TensorProto(name=name, data_type=code, dims=array.shape)
    field = helper.tensor_dtype_to_field(code)
    narrow = {"float16": np.uint16, "bool": np.uint8}
    stored = array.view(narrow.get(array.dtype.name, array.dtype))
    getattr(tensor, field).extend(stored.ravel().tolist())
    return tensor


def assembled(initializers: list[TensorProto], nodes: list[onnx.NodeProto] | None = None) -> onnx.ModelProto:
    used = [helper.make_node("Use", list(ARRAYS), ["y"], domain="test")]
    graph = helper.make_graph([*(nodes or []), *used], "g", [], [onnx.ValueInfoProto(name="y")], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid("test", 1)])


def as_raw(folder: Path) -> Path:
    onnx.save(assembled([raw(name) for name in ARRAYS]), folder / "raw.onnx")
    return folder / "raw.onnx"


def as_typed(folder: Path) -> Path:
    onnx.save(assembled([typed(name) for name in ARRAYS]), folder / "typed.onnx")
    return folder / "typed.onnx"


def in_another_order(folder: Path) -> Path:
    onnx.save(assembled([raw(name) for name in reversed(ARRAYS)]), folder / "order.onnx")
    return folder / "order.onnx"


def as_constant_nodes(folder: Path) -> Path:
    nodes = [helper.make_node("Constant", [], [name], value=raw(name)) for name in ARRAYS]
    onnx.save(assembled([], nodes), folder / "constants.onnx")
    return folder / "constants.onnx"


def as_one_external_file(folder: Path) -> Path:
    path = folder / "external.onnx"
    onnx.save(assembled([raw(name) for name in ARRAYS]), path, save_as_external_data=True, size_threshold=0)
    return path


def as_many_external_files(folder: Path) -> Path:
    path = folder / "many.onnx"
    model = assembled([raw(name) for name in ARRAYS])
    onnx.save(model, path, save_as_external_data=True, all_tensors_to_one_file=False, size_threshold=0)
    return path


def as_safetensors(folder: Path) -> Path:
    save_file(ARRAYS, folder / "model.safetensors")
    return folder / "model.safetensors"


FORMS = [as_typed, in_another_order, as_constant_nodes, as_one_external_file, as_many_external_files, as_safetensors]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("jobs", [None, 1])
def test_one_set_of_weights_has_one_digest_in_every_form(
    tmp_path: Path, form: Callable[[Path], Path], jobs: int | None
) -> None:
    plain, other = as_raw(tmp_path), form(tmp_path)
    assert ours(other, jobs).weights == ours(plain).weights
    assert set(theirs(plain, other).values()) == {ours(plain).weights}


@pytest.mark.parametrize("form", FORMS[:-1], ids=lambda form: form.__name__)
def test_one_model_has_one_structure_in_every_form(tmp_path: Path, form: Callable[[Path], Path]) -> None:
    plain, other = ours(as_raw(tmp_path)), ours(form(tmp_path))
    assert (plain.structure, plain.model, plain.signature) == (other.structure, other.model, other.signature)


def test_a_missing_external_file_is_named(tmp_path: Path) -> None:
    path = as_one_external_file(tmp_path)
    next(file for file in tmp_path.iterdir() if file != path).unlink()
    with pytest.raises(Exception, match="is not there") as caught:
        ours(path)
    assert caught.value.problem.code == "GM010"  # type: ignore[attr-defined]
