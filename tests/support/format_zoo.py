"""One small, valid file of every format, made by somebody else's library wherever there is one.

`FILES` maps a file name (its ending is the format's) to a function that gives its bytes. They are what fuzzing, prefix
tests and hostile cases begin with. PyTorch files are the committed ones (tests/data/torch), since torch is no
requirement of `make test`; TFLite and SavedModel come from the pinned models.
"""

import io
import json
import pickle
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import gguf
import h5py
import numpy as np
import safetensors.numpy
from onnx import TensorProto, helper

from support import models

TORCH = Path(__file__).parents[1] / "data" / "torch"
RNG = np.random.default_rng(5)
ARRAYS = {
    "layer.weight": RNG.standard_normal((6, 4)).astype(np.float32),
    "layer.bias": RNG.standard_normal(6).astype(np.float16),
    "steps": np.array([1, 2, 3], np.int64),
}


def onnx_file() -> bytes:
    weight = helper.make_tensor("w", TensorProto.FLOAT, (4, 6), ARRAYS["layer.weight"].tobytes(), raw=True)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Relu", ["h"], ["y"])]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 6])
    graph = helper.make_graph(nodes, "g", [x], [y], [weight])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


def safetensors_file() -> bytes:
    return safetensors.numpy.save(ARRAYS, {"format": "np"})


def gguf_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.gguf"
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_string("general.name", "small")
        writer.add_array("tokenizer.ggml.tokens", [f"token{i}" for i in range(40)])
        writer.add_uint32("llama.block_count", 2)
        for name, array in ARRAYS.items():
            writer.add_tensor(name, array)
        blocks = gguf.quants.quantize(RNG.random((4, 64)).astype(np.float32), gguf.GGMLQuantizationType.Q8_0)
        writer.add_tensor("quantised", blocks, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path.read_bytes()


def npy_file() -> bytes:
    out = io.BytesIO()
    np.save(out, np.asfortranarray(ARRAYS["layer.weight"].astype(">f4")))
    return out.getvalue()


def npz_file() -> bytes:
    out = io.BytesIO()
    np.savez(out, **ARRAYS)
    return out.getvalue()


def npz_packed_file() -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **ARRAYS, zeros=np.zeros(5000, np.float32))
    return out.getvalue()


def hdf5(libver: str) -> bytes:
    out = io.BytesIO()
    with h5py.File(out, "w", libver=libver) as file:
        file.attrs["keras_version"] = "2.15.0"
        for name, array in ARRAYS.items():
            file[f"model_weights/{name.replace('.', '/')}:0"] = array
        file.create_dataset("chunked", data=RNG.random((20, 7)), chunks=(8, 3), compression="gzip", shuffle=True)
        file.create_dataset("growing", data=RNG.random((20, 7)), chunks=(8, 3), maxshape=(None, 7))
        for index in range(20):
            file[f"many/x{index}"] = float(index)
    return out.getvalue()


def keras_file() -> bytes:
    layers = [
        {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, 4], "dtype": "float32"}},
        {"class_name": "Dense", "config": {"name": "layer", "units": 6, "activation": "relu"}},
    ]
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": layers}}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.5.0", "date_saved": "2026-01-01"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", hdf5("earliest"))
    return out.getvalue()


def torch_file(name: str) -> Callable[[], bytes]:
    return (TORCH / name).read_bytes


def tflite_file() -> bytes:
    return models.model_file("pymicro-wakeword==2.5.0", "pymicro_wakeword/models/alexa.tflite").read_bytes()


def savedmodel_file() -> bytes:
    return models.model_file(
        "basic-pitch==0.4.0", "basic_pitch/saved_models/icassp_2022/nmp/saved_model.pb"
    ).read_bytes()


def index_file() -> bytes:
    places = dict.fromkeys(ARRAYS, "model-00001-of-00001.safetensors")
    return json.dumps({"metadata": {"total_size": 132}, "weight_map": places}, indent=2).encode()


def beside(name: str) -> dict[str, bytes]:
    """The other files that a file of `FILES` needs, by their paths from its folder."""
    if name == "a.safetensors.index.json":
        return {"model-00001-of-00001.safetensors": safetensors_file()}
    if name != "saved_model.pb":
        return {}
    folder = "basic_pitch/saved_models/icassp_2022/nmp"
    names = ("variables/variables.index", "variables/variables.data-00000-of-00001")
    return {path: models.model_file("basic-pitch==0.4.0", f"{folder}/{path}").read_bytes() for path in names}


def pickle_file() -> bytes:
    return pickle.dumps({"name": "small", "arrays": ARRAYS, "rates": [0.1, 2, None, (True, b"x")]}, protocol=4)


FILES: dict[str, Callable[[], bytes]] = {
    "a.onnx": onnx_file,
    "a.safetensors": safetensors_file,
    "a.gguf": gguf_file,
    "a.npy": npy_file,
    "a.npz": npz_file,
    "packed.npz": npz_packed_file,
    "a.h5": lambda: hdf5("earliest"),
    "latest.h5": lambda: hdf5("latest"),
    "a.keras": keras_file,
    "zip.pt": torch_file("zoo.pt"),
    "legacy.pt": torch_file("zoo_legacy.pt"),
    "views.pt": torch_file("views.pt"),
    "deflated.pt": torch_file("deflated.pt"),
    "training.ckpt": torch_file("checkpoint.pt"),
    "script.jit": torch_file("script.pt"),
    "frozen.jit": torch_file("frozen.pt"),
    "a.tflite": tflite_file,
    "saved_model.pb": savedmodel_file,
    "a.safetensors.index.json": index_file,
    "a.pkl": pickle_file,
}
