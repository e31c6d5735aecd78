"""TorchScript archives (`torch.jit.save`): module tree, constants, signature and serialized code.

The module tree is data.pkl, a pickle of objects of generated classes whose attributes name the tensors; constants.pkl
is a tuple that the code calls `CONSTANTS.c0`, `.c1`, … (in a frozen module these are the weights). The code is a subset
of Python below code/; it is parsed, never run (torch/csrc/jit/serialization: export_module.cpp, python_print.cpp).
"""

from gitops_model.blob import Blob, Source
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Model, OtherType, Tensor, Value
from gitops_model.readers.pickling.machine import Call, Thing
from gitops_model.readers.torch.checkpoint import Storages, byteorder, read_zip, unpickle, version_of
from gitops_model.readers.torch.names import named_tensors
from gitops_model.readers.torch.objects import TorchObjects
from gitops_model.readers.torch.script_code import parse_code, plain
from gitops_model.readers.zip import Archive

TITLE = "a TorchScript archive"

LIMIT_CODE = 16 * 1024 * 1024
"""Bytes of code in all; real archives hold some 100 kB."""


def sniff(head: bytes) -> bool:
    return head[:4] == b"PK\x03\x04"[: len(head)]


def read(blob: Blob, _source: Source) -> Model:
    """Describe the archive; a checkpoint under such a name is described as the checkpoint it is. Raises BadFile."""
    if not sniff(blob.head(4)):
        raise BadFile(Problem("GM004", "this is no TorchScript archive", expected="a zip archive"))
    return read_zip(blob)


def read_archive(archive: Archive, root: str) -> Model:
    swapped = byteorder(archive, root) == "big"
    module, unsafe = unpickle(archive, f"{root}data.pkl", script=True)
    tensors = named_tensors(module, TorchObjects(Storages(archive, f"{root}data/"), swapped))
    found, more = constants(archive, root, swapped)
    tensors += found
    code = parse_code(sources(archive, root))
    kind = class_of(module)
    forward = code.methods.get((kind, "forward"))
    inputs = outputs = None
    if forward is not None:
        inputs = tuple(Value(name, OtherType(plain(text))) for name, text in forward.parameters)
        outputs = tuple(Value(f"output.{i}", OtherType(plain(text))) for i, text in enumerate(forward.results))
    return Model(
        "torchscript",
        tuple(tensors),
        inputs=inputs,
        outputs=outputs,
        graph=forward.graph if forward is not None else None,
        functions=code.functions(without=(kind, "forward")),
        properties={
            "container": "zip",
            "byteorder": byteorder(archive, root),
            "class": plain(kind),
            **version_of(archive, root),
        },
        problems=(*archive.problems, *unsafe, *more, *code.problems),
    )


def constants(archive: Archive, root: str, swapped: bool) -> tuple[list[Tensor], list[Problem]]:
    """The tensors among the constants, as the code names them (`CONSTANTS.c0`), and what their pickle would call."""
    if f"{root}constants.pkl" not in archive.entries:
        return [], []
    described, unsafe = unpickle(archive, f"{root}constants.pkl", script=True)
    objects = TorchObjects(Storages(archive, f"{root}constants/"), swapped)
    found = named_tensors(described, objects)
    return [tensor._replace(name=f"CONSTANTS.c{tensor.name}") for tensor in found], unsafe


def class_of(module: Thing) -> str:
    return module.path if isinstance(module, Call) else ""


def sources(archive: Archive, root: str) -> dict[str, str]:
    """Qualified module name (`__torch__.a.b`) → source text, bounded in all."""
    found: dict[str, str] = {}
    total = 0
    folder = f"{root}code/"
    for name, entry in archive.entries.items():
        if not name.startswith(folder) or not name.endswith(".py"):
            continue
        total += entry.size
        if total > LIMIT_CODE:
            raise BadFile(Problem("GM005", f"the archive holds more than {LIMIT_CODE} bytes of code"))
        text = archive.read(entry, LIMIT_CODE)
        found[name[len(folder) : -3].replace("/", ".")] = text.decode("utf-8", "replace")
    return found
