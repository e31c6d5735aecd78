"""PyTorch checkpoints: `.pt .pth .bin .ckpt .pth.tar`, as zip archives, legacy pickle streams and the first tars.

Nothing is unpickled: `pickling` describes the stream, `objects` knows what torch's rebuild functions mean
by their arguments, `names` walks the result. Layouts: torch/serialization.py (_save, _legacy_save, legacy_load)
and, for zip archives, caffe2/serialize/inline_container.cc.
"""

from gitops_model.blob import Blob, Source
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Locator, Model, Span
from gitops_model.readers.pickling.allowed import outside
from gitops_model.readers.pickling.machine import Machine
from gitops_model.readers.torch.names import group, named_tensors
from gitops_model.readers.torch.objects import Storage, TorchObjects
from gitops_model.readers.zip import Archive

TITLE = "a PyTorch checkpoint"

ZIP_MAGIC = b"PK\x03\x04"
LEGACY_MAGIC = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""The first pickle of a legacy file is the integer 0x1950a86a20f9469cfc6c (after PROTO, absent in protocol 0 and 1)."""


def sniff(head: bytes) -> bool:
    return is_zip(head) or is_legacy(head) or is_tar(head)


def is_zip(head: bytes) -> bool:
    return head[:4] == ZIP_MAGIC[: len(head)]


def is_legacy(head: bytes) -> bool:
    return head[:1] == b"\x80" and head[2:15] == LEGACY_MAGIC[: max(0, len(head) - 2)]


def is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


def read(blob: Blob, _source: Source) -> Model:
    """Describe a checkpoint (or the TorchScript that such a file may be). Raises BadFile.

    GM001 cut short, GM002 contradicts itself, GM004 a pickle that is no checkpoint, GM005 beyond the limits,
    GM009 `.pt2` and what is not read, GM606 zip tricks.
    """
    import gc

    collects = gc.isenabled()
    gc.disable()  # a million small objects that all stay: looking for garbage among them is a fifth of the time
    try:
        return read_container(blob)
    finally:
        if collects:
            gc.enable()


def read_container(blob: Blob) -> Model:
    head = blob.head(512)
    if is_zip(head):
        return read_zip(blob)
    if is_legacy(head):
        from gitops_model.readers.torch.legacy import read_legacy

        return read_legacy(blob)
    if is_tar(head):
        from gitops_model.readers.torch.tar import read_tar

        return read_tar(blob)
    if head[:1] == b"\x80" or head[:2] in (b"(d", b"cc", b"(l", b"c_", b"ct"):
        raise BadFile(
            Problem(
                "GM004",
                "this is a Python pickle, but no checkpoint that torch.save wrote",
                expected="a torch.save file",
                found="a pickle",
                hint="save the state dict with torch.save or, better, as .safetensors",
            )
        )
    raise BadFile(Problem("GM004", "this is no PyTorch file", expected="a zip archive or a torch pickle"))


def read_zip(blob: Blob) -> Model:
    archive = Archive.open(blob)
    root = root_of(archive)
    if root is None:
        raise BadFile(
            Problem("GM009", what_zip(archive), expected="an archive with data.pkl", hint="gitops-model explain GM009")
        )
    if f"{root}constants.pkl" in archive.entries or any(name.startswith(f"{root}code/") for name in archive.entries):
        from gitops_model.readers.torch.script import read_archive

        return read_archive(archive, root)
    objects = TorchObjects(Storages(archive, f"{root}data/"), swapped=byteorder(archive, root) == "big")
    described, unsafe = unpickle(archive, f"{root}data.pkl")
    tensors = named_tensors(described, objects)
    return Model(
        "pytorch",
        tuple(group(tensors)),
        properties={"container": "zip", "byteorder": byteorder(archive, root), **version_of(archive, root)},
        problems=(*archive.problems, *unsafe),
    )


class Storages:
    """Where the bytes of a keyed storage are: one entry each below `folder`."""

    def __init__(self, archive: Archive, folder: str) -> None:
        self.archive = archive
        self.folder = folder
        self.spans: dict[str, Span] = {}

    def __call__(self, storage: Storage, offset: int, length: int) -> Locator:
        name = self.folder + storage.key
        entry = self.archive.entries.get(name)
        if entry is None:
            raise BadFile(Problem("GM010", f"the archive holds no entry {name!r} for a tensor's values"))
        if entry.size < storage.start + storage.nbytes:
            raise BadFile(Problem("GM002", f"entry {name!r} has {entry.size} bytes, its storage {storage.nbytes}"))
        if entry.method:
            return self.archive.locate(entry, storage.start + offset, length)
        span = self.spans.get(name)
        if span is None:
            located = self.archive.locate(entry)
            if not isinstance(located, Span):
                return located
            self.spans[name] = span = located
        return Span(span.offset + storage.start + offset, length)


def root_of(archive: Archive) -> str | None:
    """The folder that holds data.pkl: every name begins with it ("archive/", the file's name, or none)."""
    for name in archive.entries:
        if name == "data.pkl":
            return ""
        folder, slash, rest = name.partition("/")
        if slash and rest == "data.pkl":
            return folder + slash
    return None


def what_zip(archive: Archive) -> str:
    """What a zip without data.pkl is, for the message."""
    names = archive.entries
    if any(name.endswith(("archive_format", "serialized_exported_program.json")) for name in names):
        return "this is a torch.export archive (.pt2), which is not read yet"
    if "config.json" in names and "model.weights.h5" in names:
        return "this is a Keras 3 archive, not a PyTorch file"
    if any(name.endswith(".npy") for name in names):
        return "this is a NumPy .npz archive, not a PyTorch file"
    if any(name.endswith("model.json") for name in names):
        return "this is an early torch.jit archive (model.json), which is not read"
    return f"this is a zip archive with {len(names)} entries, but no PyTorch file"


def unpickle(archive: Archive, name: str, *, script: bool = False) -> tuple[object, list[Problem]]:
    """The described object of one entry, and what it would call beyond the allow-list.

    The stream's end is not the file's: a cut stream in a whole archive is GM002.
    """
    content = archive.read(archive.entries[name])
    try:
        machine = Machine(Blob.of_bytes(name, content))
        return machine.run(), outside(machine, name, script=script)
    except BadFile as error:
        if error.problem.code != "GM001":
            raise
        raise BadFile(Problem("GM002", f"the pickle in entry {name!r} ends too early")) from error


def byteorder(archive: Archive, root: str) -> str:
    entry = archive.entries.get(f"{root}byteorder")
    order = archive.read(entry, 64).strip() if entry else b"little"
    if order not in (b"little", b"big"):
        raise BadFile(Problem("GM002", f"the byte order of the archive is {order!r}", expected="little or big"))
    return order.decode()


def version_of(archive: Archive, root: str) -> dict[str, str | int]:
    entry = archive.entries.get(f"{root}version")
    if entry is None:
        return {}
    text = archive.read(entry, 64).strip()
    return {"version": int(text) if text.isdigit() and len(text) < 10 else text.decode("utf-8", "replace")}
