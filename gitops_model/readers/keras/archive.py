"""Keras 3 archives (`.keras`): a zip with config.json, metadata.json and model.weights.h5."""

from gitops_model.blob import Blob, Source
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Model, Span
from gitops_model.readers.hdf5.file import File
from gitops_model.readers.keras.config import LIMIT_JSON, keras_version, read_config
from gitops_model.readers.keras.hdf5 import describe
from gitops_model.readers.zip import Archive

TITLE = "a Keras archive"

ZIP_MAGIC = b"PK\x03\x04"
WEIGHTS = "model.weights.h5"


def sniff(head: bytes) -> bool:
    return len(head) > 0 and head[:4] == ZIP_MAGIC[: len(head)]


def read(blob: Blob, source: Source) -> Model:
    """Describe the archive. Raises BadFile: GM001 cut short, GM002, GM004, GM009, GM601, GM606 zip tricks.

    The date of saving is left out: two saves of one model are one model.
    """
    if not sniff(blob.head(4)):
        from gitops_model.readers.keras import hdf5

        if hdf5.sniff(blob.head(8)):  # Keras writes HDF5 under any name it is given
            return hdf5.read(blob, source)
        raise BadFile(Problem("GM004", "this is no Keras archive", expected="a zip archive"))
    archive = Archive.open(blob)
    entry = archive.entries.get(WEIGHTS)
    if entry is None or "config.json" not in archive.entries:
        raise BadFile(Problem("GM009", f"this zip archive has no {WEIGHTS} and config.json: it is no Keras model"))
    where = archive.locate(entry)
    if isinstance(where, Span):
        model = describe(File(blob, where.offset, where.length))
    else:
        raise BadFile(
            Problem("GM009", f"{WEIGHTS} is deflated; Keras stores it", hint="save the model with Keras again")
        )
    graph, trouble = read_config(text(archive, "config.json"))
    model.format = "keras"
    model.graph = graph
    model.properties["container"] = "keras"
    if "metadata.json" in archive.entries:
        version = keras_version(text(archive, "metadata.json"))
        if version is not None:
            model.properties["keras_version"] = version
    model.problems = (*archive.problems, *model.problems, *trouble)
    return model


def text(archive: Archive, name: str) -> str:
    return archive.read(archive.entries[name], LIMIT_JSON).decode("utf-8", "backslashreplace")
