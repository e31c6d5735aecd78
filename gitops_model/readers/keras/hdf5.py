"""HDF5 files (`.h5 .hdf5`): Keras models, weights of Keras models, and other arrays.

Tensors are named by their path without TensorFlow's `:0`; below `optimizer_weights` or `optimizer` they are training
state. A Keras model keeps its configuration as JSON in the root attribute `model_config`.
"""

from gitops_model.blob import Blob, Source
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Model, Tensor
from gitops_model.readers.hdf5.file import MAGIC, File
from gitops_model.readers.hdf5.walk import datasets
from gitops_model.readers.keras.config import read_config

TITLE = "an HDF5 file"

OPTIMIZER = ("optimizer_weights/", "optimizer/")


def sniff(head: bytes) -> bool:
    return len(head) > 0 and head[:8] == MAGIC[: len(head)]


def read(blob: Blob, _source: Source) -> Model:
    """Describe the file. Raises BadFile: GM001 cut short, GM002, GM004, GM005, GM009, GM601 values in other files."""
    head = blob.head(8)
    if not sniff(head):
        raise BadFile(Problem("GM004", "this is no HDF5 file", expected="\\x89HDF", found=repr(head[:4])))
    return describe(File(blob))


def describe(file: File) -> Model:
    found, attributes, others = datasets(file)
    problems: list[Problem] = []
    tensors = tuple(grouped(tensor) for tensor in found)
    texts = {name: value for name, value in attributes.items() if isinstance(value, str)}
    config = texts.pop("model_config", None)
    texts.pop("training_config", None)
    properties: dict[str, str | int] = {}
    for name in ("keras_version", "backend"):
        if name in texts:
            properties[name] = texts.pop(name)
    graph = None
    if config is not None:
        properties["container"] = "h5"
        graph, trouble = read_config(config)
        problems += trouble
    return Model(
        "keras" if config is not None else "hdf5",
        tensors,
        graph=graph,
        properties=properties,
        metadata=texts | others,
        problems=tuple(problems),
    )


def grouped(tensor: Tensor) -> Tensor:
    name = tensor.name.removesuffix(":0")
    return tensor._replace(name=name, group="optimizer" if name.startswith(OPTIMIZER) else "")
