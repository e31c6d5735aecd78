"""Writing merged weights as a stream: safetensors as its own library lays it out, npz as NumPy does.

The same tensors and metadata give the same bytes: tensors are sorted (safetensors: wider types first, then by name, so
that each begins at a multiple of its size), and an archive carries one fixed date.
"""

import json
from collections.abc import Iterator
from typing import BinaryIO

from gitops_model.ir import ELEMENT_BITS, Tensor
from gitops_model.pipeline.merge.decide import Decision, Taken
from gitops_model.readers.bytes import TensorBytes
from gitops_model.readers.pickling.arrays import DTYPES as NUMPY_TYPES

DATE = (1980, 1, 1, 0, 0, 0)
"""The first date that a zip archive can hold."""


def write_safetensors(decision: Decision, data: tuple[TensorBytes, TensorBytes], out: BinaryIO) -> None:
    """`data` are the bytes of ours and theirs."""
    from gitops_model.readers.safetensors.model import DTYPES

    codes = {name: code for code, name in DTYPES.items()}
    taken = sorted(decision.tensors, key=lambda one: (-ELEMENT_BITS[one.tensor.dtype], one.tensor.name))
    header: dict[str, object] = {}
    if decision.metadata:
        header["__metadata__"] = dict(sorted(decision.metadata.items()))
    at = 0
    for one in taken:
        tensor = one.tensor
        end = at + tensor.nbytes
        header[tensor.name] = {
            "dtype": codes[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [at, end],
        }
        at = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    text += b" " * (-len(text) % 8)
    out.write(len(text).to_bytes(8, "little") + text)
    for one in taken:
        copy(one, data, out)


def write_npz(decision: Decision, data: tuple[TensorBytes, TensorBytes], out: BinaryIO, *, deflated: bool) -> None:
    from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

    with ZipFile(out, "w", ZIP_DEFLATED if deflated else ZIP_STORED, allowZip64=True) as archive:
        for one in sorted(decision.tensors, key=lambda one: one.tensor.name):
            entry = ZipInfo(f"{one.tensor.name}.npy", DATE)
            entry.compress_type = ZIP_DEFLATED if deflated else ZIP_STORED
            entry.external_attr = 0o600 << 16
            with archive.open(entry, "w", force_zip64=True) as stream:
                stream.write(npy_header(one.tensor))
                for chunk in pieces(one, data):
                    stream.write(chunk)


def npy_header(tensor: Tensor) -> bytes:
    """Version 1.0, C order, little endian; the data begins at a multiple of 64 bytes (numpy/lib/format.py)."""
    code = next(code for code, (name, _) in NUMPY_TYPES.items() if name == tensor.dtype)
    descr = ("|" if code in {"b1", "i1", "u1"} else "<") + code
    shape = ", ".join(map(str, tensor.shape)) + ("," if len(tensor.shape) == 1 else "")
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}".encode("latin-1")
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def pieces(one: Taken, data: tuple[TensorBytes, TensorBytes]) -> Iterator[bytes]:
    for chunk in data[one.side - 1].chunks(one.tensor.data):
        yield bytes(chunk)


def copy(one: Taken, data: tuple[TensorBytes, TensorBytes], out: BinaryIO) -> None:
    out.writelines(pieces(one, data))
