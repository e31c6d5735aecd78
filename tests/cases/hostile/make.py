"""Writes the hostile files: every format under every trick we know, each in a folder of its own.

    python tests/cases/hostile/make.py FOLDER

The files are made, not stored: some are links, FIFOs or sparse. `expected.json` beside this script says which findings
each must give. A payload, if it ever ran, would create the file named by MARKER; a test looks for it.
"""

import gzip
import io
import json
import os
import pickle
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
from onnx import TensorProto, helper

sys.path.insert(0, str(Path(__file__).parents[2]))

from support.format_zoo import FILES, hdf5

MARKER = "payload-ran"
COMMAND = f"touch {MARKER}"

Make = Callable[[Path], None]
"""Writes the files of a case into its folder; the first one, by name, is what is checked."""


class Payload:
    """Unpickling this would run COMMAND."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (COMMAND,)


def data(name: str, content: bytes) -> Make:
    return lambda folder: put(folder, name, content)


def put(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)


# --- one trick, every ending ---------------------------------------------------------------------------------------
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 12345\n"
HTML = b"<!DOCTYPE html>\n<html><head><title>404</title></head><body>Not Found</body></html>\n"
ENDINGS = ("onnx", "safetensors", "gguf", "npy", "npz", "h5", "keras", "pt", "pth", "ckpt", "jit", "tflite", "pkl")


def everywhere() -> Iterator[tuple[str, Make]]:
    """What a failed download, a wrong name or a stranger leaves, under every ending."""
    for ending in ENDINGS:
        name = f"model.{ending}"
        yield f"{ending}-empty", data(name, b"")
        yield f"{ending}-html", data(name, HTML)
        yield f"{ending}-lfs-pointer", data(name, LFS)
        yield f"{ending}-pickle", data(name, pickle.dumps(Payload(), 2))
        yield f"{ending}-gzip", data(name, gzip.compress(b"model" * 100, mtime=0))
        yield f"{ending}-text", data(name, b"this is not the model that you are looking for\n" * 3)
        yield f"{ending}-fifo", lambda folder, name=name: os.mkfifo(folder / name)
    for name, make in FILES.items():
        yield f"half-{name}", lambda folder, name=name, make=make: put(folder, name, make()[: len(make()) // 2])


# --- formats -------------------------------------------------------------------------------------------------------
def safetensors_with(header: bytes, body: bytes = b"\0" * 16) -> bytes:
    return struct.pack("<Q", len(header)) + header + body


def safetensors() -> Iterator[tuple[str, bytes]]:
    tensor = '{"dtype":"F32","shape":[4],"data_offsets":[%d,%d]}'
    yield "length-2-62", struct.pack("<Q", 1 << 62) + b"{}"
    yield "duplicate-key", safetensors_with(f'{{"a":{tensor % (0, 16)},"a":{tensor % (0, 16)}}}'.encode())
    yield "hole", safetensors_with(f'{{"a":{tensor % (0, 16)},"b":{tensor % (20, 36)}}}'.encode(), b"\0" * 36)
    yield "overlap", safetensors_with(f'{{"a":{tensor % (0, 16)},"b":{tensor % (8, 24)}}}'.encode(), b"\0" * 24)
    yield "deep-json", safetensors_with(b"[" * 100_000)
    yield "huge-shape", safetensors_with(b'{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,16]}}')
    yield "unknown-dtype", safetensors_with(f'{{"a":{tensor % (0, 16)}}}'.replace("F32", "Q99").encode())


def gguf() -> Iterator[tuple[str, bytes]]:
    head = b"GGUF" + struct.pack("<I", 3)
    text = lambda word: struct.pack("<Q", len(word)) + word  # noqa: E731 - as short as what it writes
    yield "tensors-2-60", head + struct.pack("<QQ", 1 << 60, 0) + b"\0" * 64
    yield "keys-2-60", head + struct.pack("<QQ", 0, 1 << 60) + b"\0" * 64
    yield "name-2-62", head + struct.pack("<QQQ", 0, 1, 1 << 62) + b"\0" * 64
    yield "unknown-value", head + struct.pack("<QQ", 0, 1) + text(b"k") + struct.pack("<I", 99) + b"\0" * 64
    yield "duplicate-key", head + struct.pack("<QQ", 0, 2) + (text(b"k") + struct.pack("<II", 4, 7)) * 2 + b"\0" * 64
    yield "array-2-60", head + struct.pack("<QQ", 0, 1) + text(b"k") + struct.pack("<IIQ", 9, 4, 1 << 60) + b"\0" * 64
    nested = text(b"k") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 1000
    yield "nested-arrays", head + struct.pack("<QQ", 0, 1) + nested + b"\0" * 64
    alignment = text(b"general.alignment") + struct.pack("<II", 4, 3)
    yield "alignment-3", head + struct.pack("<QQ", 0, 1) + alignment + b"\0" * 64
    row = text(b"w") + struct.pack("<IQIQ", 1, 1 << 61, 0, 0)
    yield "tensor-2-61", head + struct.pack("<QQ", 1, 0) + row + b"\0" * 64
    row = text(b"w") + struct.pack("<IQIQ", 1, 4, 77, 0)
    yield "unknown-type", head + struct.pack("<QQ", 1, 0) + row + b"\0" * 64
    template = b"{{ ''.__class__.__mro__[1].__subclasses__() }}"
    key = text(b"tokenizer.chat_template") + struct.pack("<I", 8) + text(template)
    yield "template-escapes", head + struct.pack("<QQ", 0, 1) + key + b"\0" * 64


def npy(header: str, body: bytes = b"\0" * 64) -> bytes:
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header.encode() + body


def numpy() -> Iterator[tuple[str, bytes]]:
    yield (
        "evaluates",
        npy(f"{{'descr': '<f4', 'fortran_order': __import__('os').system('{COMMAND}'), 'shape': (4,), }}"),
    )
    yield "huge", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }")
    yield "negative", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-4,), }")
    yield "version-9", b"\x93NUMPY\x09\0" + b"\0" * 64
    out = io.BytesIO()
    np.save(out, np.array([Payload()], dtype=object))
    yield "objects", out.getvalue()
    yield "trailing", FILES["a.npy"]() + b"more"


def repacked(content: bytes, change: Callable[[zipfile.ZipFile, zipfile.ZipFile], None]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            new.writestr(zipfile.ZipInfo(info.filename), old.read(info))
        change(old, new)
    return out.getvalue()


def zip_tricks(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Every trick on a zip archive whose entries are stored."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        first = archive.infolist()[0]
        again = archive.read(first)

    def duplicate(_: zipfile.ZipFile, new: zipfile.ZipFile) -> None:
        import warnings  # the writer warns of a name that it has, and writes it all the same

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            new.writestr(zipfile.ZipInfo(first.filename), again)

    yield "duplicate-entry", repacked(content, duplicate)
    yield "traversal", repacked(content, lambda _, new: new.writestr(zipfile.ZipInfo("../../escaped"), b"x"))
    yield "absolute-entry", repacked(content, lambda _, new: new.writestr(zipfile.ZipInfo("/etc/escaped"), b"x"))
    clean = bytearray(repacked(content, lambda *_: None))
    directory = clean.rindex(b"PK\x01\x02", 0, clean.rindex(b"PK\x05\x06"))
    encrypted = bytearray(clean)
    encrypted[directory + 8] |= 1
    yield "encrypted", bytes(encrypted)
    damaged = bytearray(clean)
    damaged[30 + len(first.filename) + 4] ^= 0xFF
    yield "crc-mismatch", bytes(damaged)
    far = bytearray(clean)
    far[directory + 42 : directory + 46] = struct.pack("<I", 0x7FFFFFF0)
    yield "entry-outside", bytes(far)
    other = bytearray(clean)
    other[30:31] = b"X"
    yield "two-names", bytes(other)
    sizes = bytearray(clean)
    sizes[directory + 24 : directory + 28] = struct.pack("<I", 0x7FFFFFF0)
    yield "two-sizes", bytes(sizes)


def bomb(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        header = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (67108864,), }", b"")
        archive.writestr(zipfile.ZipInfo(name), header + bytes(1 << 28), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def torch_pickle(stream: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("archive/data.pkl"), stream)
        archive.writestr(zipfile.ZipInfo("archive/version"), b"3\n")
        archive.writestr(zipfile.ZipInfo("archive/data/0"), bytes(64))
    return out.getvalue()


def tensor_stream(shape: bytes, strides: bytes, offset: bytes = b"K\x00") -> bytes:
    """`_rebuild_tensor_v2(storage of 16 floats, offset, shape, strides, False, OrderedDict())` as opcodes."""
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x10tQ"
    call = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + offset + shape + strides
    return b"\x80\x02}X\x01\0\0\0w" + call + b"\x89ccollections\nOrderedDict\n)RtRs."


def torch() -> Iterator[tuple[str, bytes]]:
    command = b"(X" + struct.pack("<I", len(COMMAND)) + COMMAND.encode() + b"t"
    system = b"\x80\x02}X\x01\0\0\0xcos\nsystem\n" + command + b"Rs."
    yield "os-system", torch_pickle(system)
    yield "eval", torch_pickle(b"\x80\x02cbuiltins\neval\n(X\x04\0\0\x001+1 tR.")
    yield "import-only", torch_pickle(b"\x80\x02}X\x01\0\0\0xcantigravity\nfly\ns.")
    yield "stack-global", torch_pickle(b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.")
    yield "inst", torch_pickle(b"(S'true'\nios\nsystem\n.")
    yield "extension-code", torch_pickle(b"\x80\x02\x82\x07.")
    yield "getattr", torch_pickle(b"\x80\x02cbuiltins\ngetattr\n(cos\n__dict__\nX\x06\0\0\0systemtR.")
    yield "build-on-a-dict", torch_pickle(b"\x80\x02}}b.")
    yield "no-stop", torch_pickle(b"\x80\x02}")
    yield "unknown-opcode", torch_pickle(b"\x80\x02\xff.")
    yield "text-2-31", torch_pickle(b"\x80\x02X\xff\xff\xff\x7fabc.")
    yield "memo-missing", torch_pickle(b"\x80\x02h\x05.")
    yield "stack-empty", torch_pickle(b"\x80\x02\x86.")
    yield "list-doubles", torch_pickle(b"\x80\x02]q\x00" + b"(h\x00h\x00eq\x00" * 20_000 + b".")
    yield "holds-itself", torch_pickle(b"\x80\x02]q\x00h\x00a.")
    lists = b"\x80\x02" + b"]" + b"".join(b"q%c]h%ch%c\x86a" % (i, i, i) for i in range(40)) + b"."
    yield "shared-lists", torch_pickle(lists)
    tensor = tensor_stream(b"K\x04\x85", b"K\x01\x85")[2 + len(b"}X\x01\0\0\0w") : -2]
    doubled = b"".join(b"q%ch%ch%c\x86" % (i, i, i) for i in range(40))
    yield "shared-tensor", torch_pickle(b"\x80\x02" + tensor + doubled + b".")
    yield "view-outside", torch_pickle(tensor_stream(b"K\x20\x85", b"K\x01\x85"))
    yield "view-negative", torch_pickle(tensor_stream(b"J\xff\xff\xff\xff\x85", b"K\x01\x85"))
    yield "view-bomb", torch_pickle(tensor_stream(b"\x8a\x06\0\0\0\0\0\x01\x85", b"K\x00\x85"))
    yield "offset-outside", torch_pickle(tensor_stream(b"K\x04\x85", b"K\x01\x85", b"\x8a\x06\0\0\0\0\0\x01"))
    yield (
        "storage-missing",
        torch_pickle(tensor_stream(b"K\x04\x85", b"K\x01\x85").replace(b"\x000X\x03", b"\x007X\x03")),
    )
    yield "strides-missing", torch_pickle(tensor_stream(b"K\x04\x85", b")"))


def hdf5_tricks() -> Iterator[tuple[str, bytes]]:
    def made(build: Callable[[h5py.File], None], libver: str = "earliest") -> bytes:
        out = io.BytesIO()
        with h5py.File(out, "w", libver=libver) as file:
            build(file)
        return out.getvalue()

    def external_link(file: h5py.File) -> None:
        file["model_weights/w"] = h5py.ExternalLink("/etc/passwd", "/x")

    def external_storage(file: h5py.File) -> None:
        file.create_dataset("w", (4,), "f4", external=[("/etc/passwd", 0, 16)])

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((4,), "f4")
        layout[:] = h5py.VirtualSource("/etc/passwd", "w", (4,))
        file.create_virtual_dataset("w", layout)

    def unwritten(file: h5py.File) -> None:
        file.create_dataset("w", (1 << 40,), "f4", chunks=(1 << 20,), fillvalue=1.0)

    yield "external-link", made(external_link, "latest")
    yield "external-storage", made(external_storage)
    yield "virtual", made(virtual, "latest")
    yield "unwritten-terabytes", made(unwritten)
    content = bytearray(hdf5("earliest"))
    tree = content.index(b"TREE")
    loop = bytearray(content)
    loop[tree + 5] = 1
    loop[tree + 32 : tree + 40] = struct.pack("<Q", tree)
    yield "tree-in-a-circle", bytes(loop)
    at = content.index(b"HEAP")
    heap = bytearray(content)
    heap[at + 8 : at + 16] = struct.pack("<Q", 1 << 60)
    yield "heap-2-60", bytes(heap)


def keras() -> Iterator[tuple[str, bytes]]:
    def archive(config: object) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as made:
            made.writestr(zipfile.ZipInfo("config.json"), json.dumps(config))
            made.writestr(zipfile.ZipInfo("metadata.json"), "{}")
            made.writestr(zipfile.ZipInfo("model.weights.h5"), hdf5("earliest"))
        return out.getvalue()

    code = {"class_name": "Lambda", "config": {"name": "evil", "function": ["4wAAAA==", None, None]}}
    yield "lambda", archive({"class_name": "Sequential", "config": {"layers": [code]}})
    inner = {"class_name": "__lambda__", "config": {"code": "4wAAAA=="}}
    dense = {"class_name": "Dense", "config": {"name": "d", "activation": inner}}
    yield "lambda-inside", archive({"class_name": "Sequential", "config": {"layers": [dense]}})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(zipfile.ZipInfo("config.json"), "[" * 200_000)
        made.writestr(zipfile.ZipInfo("model.weights.h5"), hdf5("earliest"))
    yield "deep-json", out.getvalue()


def tflite() -> Iterator[tuple[str, bytes]]:
    whole = FILES["a.tflite"]()
    yield "root-outside", struct.pack("<I", 0x7FFFFFFF) + whole[4:]
    yield "root-zero", struct.pack("<I", 0) + whole[4:]
    yield "nothing-else", struct.pack("<I", 16) + b"TFL3" + b"\xff" * 64


def onnx_external(location: str) -> bytes:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", [x], [y], [tensor])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


def onnx() -> Iterator[tuple[str, Make]]:
    for label, location in (
        ("absolute", "/etc/passwd"), ("parent", "../../../../../../etc/passwd"), ("backslash", "..\\..\\secret"),
        ("drive", "C:\\secret"), ("nul", "a\0b"), ("nothing", ""), ("missing", "weights.bin"),
    ):  # fmt: skip
        yield f"onnx-external-{label}", data("model.onnx", onnx_external(location))

    def behind(kind: str) -> Make:
        def make(folder: Path) -> None:
            put(folder, "model.onnx", onnx_external("weights.bin"))
            if kind == "link":
                (folder / "weights.bin").symlink_to("/etc/passwd")
            elif kind == "fifo":
                os.mkfifo(folder / "weights.bin")
            else:
                (folder / "weights.bin").symlink_to("/dev/zero")

        return make

    for kind in ("link", "fifo", "device"):
        yield f"onnx-external-{kind}", behind(kind)
    yield "onnx-length-2-62", data("model.onnx", b"\x08\x08\x3a\x80\x80\x80\x80\x80\x80\x80\x80\x40")
    yield "onnx-varint-without-end", data("model.onnx", b"\x08\x08" + b"\xff" * 64)


def cases() -> dict[str, Make]:
    found = dict(everywhere())
    found.update(onnx())
    for prefix, name, made in (
        ("safetensors", "model.safetensors", safetensors()),
        ("gguf", "model.gguf", gguf()),
        ("npy", "model.npy", numpy()),
        ("npz", "model.npz", zip_tricks(FILES["a.npz"]())),
        ("keras-zip", "model.keras", zip_tricks(FILES["a.keras"]())),
        ("keras", "model.keras", keras()),
        ("torch-zip", "model.pt", zip_tricks(FILES["views.pt"]())),
        ("torch", "model.pt", torch()),
        ("script-zip", "model.jit", zip_tricks(FILES["script.jit"]())),
        ("hdf5", "model.h5", hdf5_tricks()),
        ("tflite", "model.tflite", tflite()),
    ):
        for trick, content in made:
            found[f"{prefix}-{trick}"] = data(name, content)
    found["npz-bomb"] = data("model.npz", bomb("a.npy"))
    found["link-to-a-model"] = lambda folder: (folder / "model.onnx").symlink_to("/etc/passwd")
    return found


def lay(target: Path) -> dict[str, Path]:
    """Write every case below `target`; case → the file to check."""
    laid: dict[str, Path] = {}
    for name, make in cases().items():
        folder = target / name
        folder.mkdir(parents=True)
        make(folder)
        laid[name] = min(folder.iterdir())
    return laid


if __name__ == "__main__":
    sys.stdout.write(f"{len(lay(Path(sys.argv[1])))} cases\n")
