"""Legacy `torch.save` files (before 1.6): pickles one after another, then the storages.

magic number, protocol version (1001), system facts, the object, the list of storage keys; then, in the order of that
list, each storage as an int64 count of elements and its elements, little endian (torch/serialization.py, _legacy_save).
"""

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Locator, Model, Span
from gitops_model.readers.pickling.allowed import outside
from gitops_model.readers.pickling.machine import Machine, Pairs, sequence
from gitops_model.readers.torch.names import group, named_tensors
from gitops_model.readers.torch.objects import Storage, TorchObjects, storage_dtype

PROTOCOL = 1001


def read_legacy(blob: Blob) -> Model:
    """Raises BadFile: GM001 cut short, GM002 contradicts itself."""
    machine = Machine(blob)
    machine.run()  # the magic number, which brought us here
    protocol = machine.run()
    if protocol != PROTOCOL:
        raise BadFile(Problem("GM002", f"legacy protocol {protocol!r} is not known", expected=str(PROTOCOL)))
    facts = machine.run()
    storages = LegacyStorages(blob)
    root = machine.run()
    sizes = element_sizes(machine)
    keys = machine.run()
    names = sequence(keys)
    if names is None:
        raise BadFile(Problem("GM002", "the list of storages is no list"))
    storages.scan(names, sizes, machine.offset)
    unsafe = outside(machine)
    tensors = named_tensors(root, TorchObjects(storages))
    little = True
    if isinstance(facts, Pairs):
        little = {str(key): value for key, value in facts.pairs}.get("little_endian", True) is not False
    return Model(
        "pytorch",
        tuple(group(tensors)),
        properties={"container": "legacy", "byteorder": "little" if little else "big"},
        problems=tuple(unsafe),
    )


def element_sizes(machine: Machine) -> dict[str, int]:
    """Bytes per element of each storage key, from the persistent ids that the object's pickle named."""
    sizes: dict[str, int] = {}
    for persistent in machine.persistent:
        key = sequence(persistent.key)
        if key is not None and len(key) >= 5 and key[0] == "storage":
            dtype = storage_dtype(key[1])
            sizes[str(key[2])] = dtype[1] if dtype else 1
    return sizes


class LegacyStorages:
    """Where each storage begins, found by stepping from one to the next."""

    def __init__(self, blob: Blob) -> None:
        self.blob = blob
        self.spans: dict[str, Span] = {}

    def scan(self, keys: tuple[object, ...], sizes: dict[str, int], offset: int) -> None:
        for key in keys:
            name = str(key)
            if name not in sizes:
                raise BadFile(Problem("GM002", f"storage {name!r} is listed, but no tensor says its type"))
            if name in self.spans:
                raise BadFile(Problem("GM002", f"storage {name!r} is listed twice"))
            count = int.from_bytes(self.blob.read(offset, 8), "little", signed=True)
            length = count * sizes[name]
            if count < 0:
                raise BadFile(Problem("GM002", f"storage {name!r} has {count} elements"))
            if offset + 8 + length > self.blob.size:
                raise BadFile(self.blob.truncated(offset + 8, length))
            self.spans[name] = Span(offset + 8, length)
            offset += 8 + length

    def __call__(self, storage: Storage, offset: int, length: int) -> Locator:
        span = self.spans.get(storage.key)
        if span is None:
            raise BadFile(Problem("GM002", f"the file holds no storage {storage.key!r}"))
        begin = storage.start + offset
        if begin + length > span.length:
            raise BadFile(
                Problem("GM002", f"storage {storage.key!r} has {span.length} bytes, a tensor needs {begin + length}")
            )
        return Span(span.offset + begin, length)
