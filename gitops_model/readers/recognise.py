"""What a file is when it is not the model that its name promises: one table of first bytes.

A stranger is strange only to a format that it does not belong to: `read_model` asks the format's own sniffer first, so
that a row here never keeps a reader from its files. A new kind of file is one row.
"""

import re
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from gitops_model.blob import Blob
from gitops_model.errors import Problem

if TYPE_CHECKING:
    from gitops_model.readers import Format


class Stranger(NamedTuple):
    """`kind` is a short fixed word for programs, `what` completes "this is …", `fetch` is a command's template."""

    kind: str
    what: str
    fetch: str | None = None
    """Where the content is somewhere else: the command that brings it, `{path}` standing for the quoted path."""

    def problem(self, blob: Blob, promised: "Format | None") -> Problem:
        """GM003 for a pointer whose content is not here, GM004 for anything else."""
        from gitops_model.readers import title_of

        wanted = title_of(promised) if promised is not None else "a model file"
        if self.fetch is not None:
            return Problem(
                "GM003",
                f"this is {self.what}; the content that it points to is not here",
                expected=wanted,
                found=self.what,
                hint=self.fetch.format(path=shlex.quote(blob.path)),
            )
        if promised is None and self.kind in UNREAD:
            hint = "gitops-model explain GM009"
            return Problem("GM009", f"this is {self.what}, which is not read here", found=self.what, hint=hint)
        return Problem(
            "GM004",
            f"this is {self.what}, not {wanted}",
            expected=wanted,
            found=self.what,
        )


class Row(NamedTuple):
    """`test` is a prefix of the file, or decides on its first bytes."""

    stranger: Stranger
    test: bytes | Callable[[bytes], object]


def at(offset: int, magic: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[offset : offset + len(magic)] == magic


def pattern(text: bytes) -> Callable[[bytes], object]:
    return re.compile(text).match


def zip_with(*names: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[:4] == b"PK\x03\x04" and any(name in head for name in names)


def is_safetensors(head: bytes) -> bool:
    return head[4:10] == b'\0\0\0\0{"'


def is_windows_program(head: bytes) -> bool:
    return head[:2] == b"MZ" and len(head) >= 64


def is_text(head: bytes) -> bool:
    """At least a line's worth of printable UTF-8 (a cut last character is forgiven)."""
    if len(head) < 16 or re.search(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]", head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4
    return True


def is_zeros(head: bytes) -> bool:
    return len(head) >= 64 and not head.strip(b"\0")


UNREAD = ("ggml", "ort", "engine")
"""Kinds that are models, of formats that are not read here."""

ENDINGS = {
    "mlmodel": "a Core ML model",
    "mlpackage": "a Core ML package",
    "plan": "a TensorRT engine plan",
    "engine": "a TensorRT engine plan",
    "trt": "a TensorRT engine plan",
    "pb": "a TensorFlow graph",
    "params": "an MXNet or Paddle parameter file",
    "pdiparams": "a Paddle parameter file",
    "pdmodel": "a Paddle model",
    "msgpack": "a MessagePack file (Flax)",
    "rknn": "a Rockchip NPU model",
    "dlc": "a Qualcomm DLC model",
    "bmodel": "a Sophgo model",
    "xmodel": "a Xilinx model",
    "mnn": "an MNN model",
    "caffemodel": "a Caffe model",
}
"""What the ending says of a file whose first bytes say nothing; never a reason to read it."""

HTML = rb"(?:\xef\xbb\xbf)?\s*(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|body|title|script|meta)\b"
PICKLE = rb"\x80[\x02-\x05](?:[\x00-\x0f(}\])cXUKMJ\x8a-\x9e\x95]|$)"
OLD_PICKLE = rb"(?:\((?:lp|dp|t|i)|[cI](?:__builtin__|builtins|copy_reg|posix|nt|os|numpy[\w.]*|torch[\w.]*)\n)"

STRANGERS: tuple[Row, ...] = (
    # --- content that is somewhere else
    Row(
        Stranger("lfs-pointer", "a Git LFS pointer", "git lfs pull --include={path}"),
        pattern(rb"version https?://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/"),
    ),
    Row(
        Stranger("dvc-pointer", "a DVC pointer", "dvc pull {path}"),
        pattern(rb"(?:(?:md5|frozen|deps|wdir|meta):.*\n(?:[ -].*\n)*)*outs:\s*\n\s*- .*\n?(?:\s+.*\n)*"),
    ),
    Row(
        Stranger("xet-pointer", "a git-xet pointer", "git xet checkout -- {path}"),
        b"# xet version ",
    ),
    # --- what a failed download leaves
    Row(Stranger("html", "an HTML page"), re.compile(HTML, re.IGNORECASE | re.DOTALL).match),
    Row(Stranger("xml", "an XML document"), pattern(rb"(?:\xef\xbb\xbf)?\s*<\?xml\b")),
    Row(Stranger("conflict", "a file with git conflict markers"), b"<<<<<<< "),
    # --- model formats of other names
    Row(Stranger("safetensors", "a safetensors file"), is_safetensors),
    Row(Stranger("gguf", "a GGUF file"), b"GGUF"),
    Row(Stranger("ggml", "an old GGML file (before GGUF)"), pattern(rb"(?:lmgg|fmgg|tjgg|algg)[\x00-\x7f]")),
    Row(Stranger("hdf5", "an HDF5 file (Keras .h5)"), b"\x89HDF\r\n\x1a\n"),
    Row(Stranger("npy", "a NumPy array (.npy)"), b"\x93NUMPY"),
    Row(Stranger("tflite", "a TensorFlow Lite model"), at(4, b"TFL3")),
    Row(Stranger("ort", "an ONNX Runtime model (.ort)"), at(4, b"ORTM")),
    Row(Stranger("engine", "a TensorRT engine plan"), pattern(rb"(?:ftrt|ptrt)")),
    Row(Stranger("torch-zip", "a PyTorch zip archive with a pickle inside"), zip_with(b"/data.pkl", b"constants.pkl")),
    Row(Stranger("keras-zip", "a Keras archive (.keras)"), zip_with(b"metadata.json", b"model.weights.h5")),
    Row(Stranger("npz", "a NumPy archive (.npz)"), zip_with(b".npy")),
    # --- pickles
    Row(Stranger("pickle", "a Python pickle"), pattern(PICKLE)),
    Row(Stranger("pickle", "a Python pickle"), pattern(OLD_PICKLE)),
    # --- archives
    Row(Stranger("zip", "a zip archive"), pattern(rb"PK(?:\x03\x04|\x05\x06|\x07\x08)")),
    Row(Stranger("gzip", "a gzip archive"), b"\x1f\x8b"),
    Row(Stranger("bzip2", "a bzip2 archive"), pattern(rb"BZh[1-9]")),
    Row(Stranger("xz", "an xz archive"), b"\xfd7zXZ\0"),
    Row(Stranger("zstd", "a Zstandard archive"), b"\x28\xb5\x2f\xfd"),
    Row(Stranger("lz4", "an LZ4 archive"), b"\x04\x22\x4d\x18"),
    Row(Stranger("7z", "a 7-Zip archive"), b"7z\xbc\xaf\x27\x1c"),
    Row(Stranger("rar", "a RAR archive"), b"Rar!\x1a\x07"),
    Row(Stranger("tar", "a tar archive"), at(257, b"ustar")),
    # --- programs, documents, pictures
    Row(Stranger("elf", "an ELF binary"), b"\x7fELF"),
    Row(Stranger("pe", "a Windows program"), is_windows_program),
    Row(Stranger("pdf", "a PDF document"), b"%PDF-"),
    Row(Stranger("png", "a PNG picture"), b"\x89PNG\r\n\x1a\n"),
    Row(Stranger("jpeg", "a JPEG picture"), b"\xff\xd8\xff"),
    Row(Stranger("git-pack", "a git pack"), b"PACK\0\0\0"),
    Row(Stranger("sqlite", "an SQLite database"), b"SQLite format 3\0"),
    Row(Stranger("parquet", "a Parquet file"), b"PAR1"),
    # --- plain content, last
    Row(Stranger("script", "a script"), b"#!"),
    Row(Stranger("json", "JSON"), pattern(rb'(?:\xef\xbb\xbf)?\s*(?:\{\s*(?:"|\})|\[\s*[\[{"\d\]])')),
    Row(Stranger("zeros", "a file of zero bytes"), is_zeros),
    Row(Stranger("text", "a text file"), is_text),
)


def foreign(head: bytes) -> Stranger | None:
    """What the first bytes show; None when they show nothing known."""
    for stranger, test in STRANGERS:
        if head.startswith(test) if isinstance(test, bytes) else test(head):
            return stranger
    return None
