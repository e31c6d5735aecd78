"""One state dict in every container has one weights digest, and other weights have another."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from support.contents import Held, contents, held
from support.folder import Folder

from gitops_model.blob import Blob
from gitops_model.fingerprint import fingerprint
from gitops_model.readers import read_model
from gitops_model.readers.bytes import TensorBytes

TORCH = Path(__file__).parents[1] / "data" / "torch"
Arrays = dict[str, "np.ndarray[Any, Any]"]


def array(tensor: Held) -> "np.ndarray[Any, Any]":
    return np.frombuffer(tensor.content, tensor.dtype).reshape(tensor.shape)


ARRAYS: Arrays = {name: array(tensor) for name, tensor in contents(TORCH / "state_dict.pt").items()}
"""What torch saved (tests/oracles/torch/make_fixtures.py); test_golden.py holds it against what torch reads."""


def weights(path: Path) -> str:
    source = Folder(path.parent)
    with Blob.of_file(path) as blob, TensorBytes(blob, source) as data:
        return fingerprint(read_model(blob, source), data).weights


# --- the containers -------------------------------------------------------------------------------------------------
def as_safetensors(path: Path, arrays: Arrays) -> Path:
    target = path.with_suffix(".safetensors")
    save_file({name: np.array(item, order="C") for name, item in arrays.items()}, target)
    return target


def as_npz(path: Path, arrays: Arrays) -> Path:
    target = path.with_suffix(".npz")
    with target.open("wb") as out:
        np.savez(out, **arrays)
    return target


def as_packed_npz(path: Path, arrays: Arrays) -> Path:
    target = path.with_name("packed.npz")
    with target.open("wb") as out:
        np.savez_compressed(
            out, **{name: np.asfortranarray(item) if item.ndim else item for name, item in arrays.items()}
        )
    return target


def as_big_endian_npz(path: Path, arrays: Arrays) -> Path:
    target = path.with_name("big.npz")
    with target.open("wb") as out:
        np.savez(out, **{name: item.astype(item.dtype.newbyteorder(">")) for name, item in arrays.items()})
    return target


def onnx_model(arrays: Arrays) -> onnx.ModelProto:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    tensors = [numpy_helper.from_array(np.array(item, order="C"), name) for name, item in arrays.items()]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value], [value], tensors)
    graph.output[0].name = "y"
    return helper.make_model(graph)


def as_onnx(path: Path, arrays: Arrays) -> Path:
    target = path.with_suffix(".onnx")
    target.write_bytes(onnx_model(arrays).SerializeToString())
    return target


def as_external_onnx(path: Path, arrays: Arrays) -> Path:
    target = path.with_name("external.onnx")
    settings = {"location": "external.data", "size_threshold": 0}
    onnx.save_model(onnx_model(arrays), target, save_as_external_data=True, **settings)
    return target


def as_gguf(path: Path, arrays: Arrays) -> Path:
    target = path.with_suffix(".gguf")
    writer = gguf.GGUFWriter(target, "llama")
    for name, item in arrays.items():
        writer.add_tensor(name, np.array(item, order="C"), raw_shape=item.shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def as_hdf5(path: Path, arrays: Arrays) -> Path:
    import h5py

    target = path.with_suffix(".h5")
    with h5py.File(target, "w") as file:
        for name, item in arrays.items():
            file[name] = item
    return target


def as_sharded_safetensors(path: Path, arrays: Arrays) -> Path:
    import json

    names = sorted(arrays)
    halves = [names[::2], names[1::2]]
    places: dict[str, str] = {}
    for number, half in enumerate(halves, 1):
        shard = f"model-0000{number}-of-00002.safetensors"
        save_file({name: np.array(arrays[name], order="C") for name in half}, path.with_name(shard))
        places |= dict.fromkeys(half, shard)
    target = path.with_name("model.safetensors.index.json")
    target.write_text(json.dumps({"metadata": {"total_size": 0}, "weight_map": places}))
    return target


def big_endian_torch(path: Path, arrays: Arrays) -> Path:
    """The committed archive as a big-endian machine would have written it: its marker, and every storage swapped."""
    target = path.with_name("big_endian.pt")
    order = {name.partition("/")[2]: name for name in zipfile.ZipFile(TORCH / "state_dict.pt").namelist()}
    sizes = {len(item.tobytes()): item.dtype.itemsize for item in arrays.values()}
    with zipfile.ZipFile(TORCH / "state_dict.pt") as old, zipfile.ZipFile(target, "w") as new:
        for short, name in order.items():
            content = old.read(name)
            if short == "byteorder":
                content = b"big"
            elif short.startswith("data/"):
                content = np.frombuffer(content, f"u{sizes[len(content)]}").byteswap().tobytes()
            new.writestr(zipfile.ZipInfo(name), content)
    return target


WRITERS: tuple[Callable[[Path, Arrays], Path], ...] = (
    *(as_safetensors, as_npz, as_packed_npz, as_big_endian_npz, as_onnx, as_external_onnx, as_hdf5, big_endian_torch),
    as_sharded_safetensors,
)
COMMITTED = ("state_dict.pt", "deflated.pt", "other_root.pt", "checkpoint.pt", "script.pt", "module.pt")


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_one_digest_in_every_container(write: Callable[[Path, Arrays], Path], tmp_path: Path) -> None:
    assert weights(write(tmp_path / "model", ARRAYS)) == weights(TORCH / "state_dict.pt")


@pytest.mark.parametrize("name", COMMITTED)
def test_one_digest_in_everything_that_torch_wrote(name: str) -> None:
    assert weights(TORCH / name) == weights(TORCH / "state_dict.pt")


def test_gguf_too_which_has_no_scalars(tmp_path: Path) -> None:
    arrays = {name: item for name, item in ARRAYS.items() if item.ndim}
    assert len(arrays) < len(ARRAYS)
    assert weights(as_gguf(tmp_path / "model", arrays)) == weights(as_safetensors(tmp_path / "model", arrays))


def test_views_are_what_they_show(tmp_path: Path) -> None:
    """Slices, transposed and expanded tensors of torch, legacy and zip, against plain arrays of the same values."""
    shown = {name: array(tensor) for name, tensor in contents(TORCH / "views.pt").items()}
    assert shown["transposed"].tobytes() == shown["tied.one"].T.tobytes()
    expected = weights(as_safetensors(tmp_path / "model", shown))
    assert weights(TORCH / "views.pt") == expected
    assert weights(TORCH / "views_legacy.pt") == expected


def test_one_changed_bit_is_another_digest(tmp_path: Path) -> None:
    name = next(name for name, item in ARRAYS.items() if item.dtype == np.float32)
    changed = ARRAYS[name].copy()
    changed.reshape(-1).view(np.uint32)[0] ^= 1
    other = weights(as_safetensors(tmp_path / "model", {**ARRAYS, name: changed}))
    assert other != weights(TORCH / "state_dict.pt")


def test_the_fixture_is_what_it_says() -> None:
    assert {name: held(item) for name, item in ARRAYS.items()} == contents(TORCH / "state_dict.pt")
    assert io.BytesIO(zipfile.ZipFile(TORCH / "state_dict.pt").read("state_dict/byteorder")).read() == b"little"
