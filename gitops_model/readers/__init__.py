"""One module per format, behind one table. A reader turns bytes into a `Model`; it never opens a path itself.

Each reader module has

    def sniff(head: bytes) -> bool                          # do these first bytes look like this format?
    def read(blob: Blob, source: Source) -> Model           # raises BadFile

and may have `TITLE`, what such a file is called in messages ("an ONNX model"). Adding a format is one module, one row
and a folder of cases (docs/adding-a-format.md).
"""

from collections.abc import Iterator
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from gitops_model.blob import Blob, Source
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Model

if TYPE_CHECKING:
    from gitops_model.readers.recognise import Stranger

HEAD = 4096
"""How many first bytes a sniffer sees."""

TELLING = 8
"""Bytes below which a beginning says nothing: a sniffer takes its own format's cut-off beginnings for what they are."""


class Format(NamedTuple):
    """A row: the name in reports, the module, the file name endings that promise this format (lower case)."""

    name: str
    module: str
    suffixes: tuple[str, ...]
    has_signature: bool = False
    """Whether such a file says what its inputs and outputs are."""
    weak: tuple[str, ...] = ()
    """Endings that other files have too (`.ts`, `.bin`): such a file is looked at only when somebody names it."""


FORMATS: tuple[Format, ...] = (
    Format("safetensors", "gitops_model.readers.safetensors.model", (".safetensors",)),
    Format("safetensors-index", "gitops_model.readers.safetensors.index", (".safetensors.index.json",)),
    Format("onnx", "gitops_model.readers.onnx.model", (".onnx",), has_signature=True),
    Format("torchscript", "gitops_model.readers.torch.script", (".jit",), weak=(".ts",)),
    Format(
        "pytorch",
        "gitops_model.readers.torch.checkpoint",
        (".pt", ".pth", ".ckpt", ".pth.tar", "pytorch_model.bin", "adapter_model.bin"),
        weak=(".bin",),
    ),
    Format("gguf", "gitops_model.readers.gguf.model", (".gguf",)),
    Format("numpy", "gitops_model.readers.numpy", (".npy", ".npz")),
    Format("keras", "gitops_model.readers.keras.archive", (".keras",)),
    Format("hdf5", "gitops_model.readers.keras.hdf5", (".h5", ".hdf5")),
    Format("savedmodel", "gitops_model.readers.savedmodel.model", ("saved_model.pb",), has_signature=True),
    Format("tflite", "gitops_model.readers.tflite.model", (".tflite", ".lite"), has_signature=True),
    Format("opaque", "gitops_model.readers.opaque", (".pkl", ".pickle", ".joblib")),
)

OPAQUE = "opaque"
"""The row of files whose name says little: torch.save and NumPy write models under it too."""


class Reader(Protocol):
    def sniff(self, head: bytes) -> bool: ...
    def read(self, blob: Blob, source: Source) -> Model: ...


def format_of_name(path: str) -> Format | None:
    """The format that the file name promises, the longest ending first; None when it is no model file by name."""
    name = path.rpartition("/")[2].lower()
    best: tuple[int, Format] | None = None
    for row in FORMATS:
        for suffix in row.suffixes:
            whole = suffix[0] != "." and name == suffix
            longer = name.endswith(suffix) and len(name) > len(suffix)
            if (whole or longer) and (best is None or len(suffix) > best[0]):
                best = (len(suffix), row)
    return best[1] if best else None


def is_model_path(path: str) -> bool:
    return format_of_name(path) is not None


def may_be_model(path: str, head: bytes) -> bool:
    """Whether a file that somebody listed is a model: by its name, or by a weak ending and its first bytes."""
    if is_model_path(path) or len(head) < TELLING:
        return is_model_path(path)
    name = path.rpartition("/")[2].lower()
    return any(name.endswith(row.weak) and reader_of(row).sniff(head) for row in FORMATS)


def reader_of(row: Format) -> Reader:
    return cast(Reader, import_module(row.module))


def title_of(row: Format) -> str:
    """What a file of the format is called in messages: "an ONNX model"."""
    return getattr(reader_of(row), "TITLE", f"a {row.name} file")


def read_model(blob: Blob, source: Source) -> Model:
    """Read a file in the format that its name promises; without a promise, in the one that its bytes show.

    Names that stand for two tensors are among the problems of the model, whatever the format (GM006). Raises BadFile
    with GM001 (truncated, empty), GM003 (pointer), GM004 (not what its name says), GM009 (unsupported) or what the
    format's reader found.
    """
    model = _read(blob, source)
    if all(problem.code != "GM006" for problem in model.problems):  # else the reader has told of it, and knows more
        model.problems += tuple(twice(model))
    return model


MOST_TWICE = 100
"""Names of two tensors that are told one by one."""


def twice(model: Model) -> Iterator[Problem]:
    """GM006 for every name that more than one tensor has. Training state has names of its own."""
    seen: set[tuple[str, str]] = set()
    found: dict[str, None] = {}
    for tensor in model.tensors:
        key = tensor.name, tensor.group
        if key in seen:
            found[tensor.name] = None
        seen.add(key)
    for name in islice(found, MOST_TWICE):
        yield Problem("GM006", f"two tensors are called {name!r}", hint="gitops-model explain GM006")
    if len(found) > MOST_TWICE:
        yield Problem("GM006", f"and {len(found) - MOST_TWICE} more names of two tensors")


def _read(blob: Blob, source: Source) -> Model:
    promised = format_of_name(blob.path)
    head = blob.head(HEAD)
    if not head:
        raise BadFile(blob.truncated(0, 1))
    if promised is not None and promised.name != OPAQUE and reader_of(promised).sniff(head):
        return reader_of(promised).read(blob, source)
    stranger, rows = recognised(head)
    if rows and (promised is None or promised.name == OPAQUE):
        return by_content(rows, blob, source)
    if promised is not None and promised.name == OPAQUE and (stranger is None or stranger.fetch is None):
        return reader_of(promised).read(blob, source)
    if stranger is not None:
        raise BadFile(stranger.problem(blob, promised))
    if promised is not None:  # nobody knows the bytes: the promised reader says best what is wrong with them
        return reader_of(promised).read(blob, source)
    raise BadFile(unread(blob.path) or Problem("GM009", UNKNOWN, hint="gitops-model explain GM009"))


UNKNOWN = "this is no model format that can be read here"


def by_content(rows: list[Format], blob: Blob, source: Source) -> Model:
    """Read a file whose name promises none of the formats that its first bytes look like."""
    try:
        return first_that_reads(rows, blob, source)
    except BadFile as error:  # the first bytes of some formats look like those of another
        problem = unread(blob.path)
        if problem is None:
            raise
        raise BadFile(problem) from error


def unread(path: str) -> Problem | None:
    """GM009 where the ending says what a file is that is not read here."""
    from gitops_model.readers.recognise import ENDINGS

    what = ENDINGS.get(path.lower().rpartition(".")[2])
    if what is None:
        return None
    return Problem("GM009", f"this is {what}, which is not read here", found=what, hint="gitops-model explain GM009")


def audit(blob: Blob) -> list[Problem]:
    """What only reading every byte shows: for zip archives, contents that do not match their directory (GM606)."""
    from gitops_model.readers.zip import LOCAL, Archive

    if blob.head(4) != LOCAL:
        return []
    from gitops_model.readers.zip_audit import audit as audit_zip

    try:
        return audit_zip(Archive.open(blob))
    except BadFile:
        return []  # the reader has said so


def first_that_reads(rows: list[Format], blob: Blob, source: Source) -> Model:
    """Several formats are zip archives: the first whose reader finds its own content in it."""
    first: BadFile | None = None
    for row in rows:
        try:
            return reader_of(row).read(blob, source)
        except BadFile as error:
            if error.problem.code not in ("GM004", "GM009"):
                raise
            first = first or error
    assert first is not None
    raise first


def recognised(head: bytes) -> "tuple[Stranger | None, list[Format]]":
    """What the first bytes show, in words and as the formats that claim them."""
    from gitops_model.readers.recognise import Stranger, foreign

    stranger = foreign(head)
    if stranger is not None and stranger.fetch is not None:
        return stranger, []
    rows = [row for row in FORMATS if len(head) >= TELLING and reader_of(row).sniff(head)]
    if rows and stranger is None:
        stranger = Stranger(rows[0].name, title_of(rows[0]))
    return stranger, rows
