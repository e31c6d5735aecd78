"""The first `torch.save` files (before 0.1.10): an uncompressed tar with the members storages, tensors and pickle.

Layout after legacy_load in torch/serialization.py: `storages` is a count and per storage a pickle (key, location,
class), an int64 number of elements and the elements, then a list of views; `tensors` is a count and per tensor a pickle
(key, storage key, class), an int32 number of dimensions, four bytes of padding, then sizes, strides, offset as int64;
`pickle` names tensors by persistent id.
"""

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Locator, Model, Span
from gitops_model.readers.pickling.allowed import outside
from gitops_model.readers.pickling.machine import Machine, Persistent, Thing, sequence
from gitops_model.readers.torch.names import group, named_tensors
from gitops_model.readers.torch.objects import Named, Storage, TorchObjects, storage_dtype, whole

LIMIT_MEMBERS = 64
LIMIT_COUNT = 1_000_000


def read_tar(blob: Blob) -> Model:
    """Raises BadFile: GM001 cut short, GM002 contradicts itself, GM009 a tar that torch did not write."""
    members = tar_members(blob)
    if not {"storages", "tensors", "pickle"} <= members.keys():
        raise BadFile(
            Problem("GM009", f"this is a tar archive ({', '.join(list(members)[:4])}, …), not a PyTorch file")
        )
    objects = TarObjects(blob)
    objects.read_storages(members["storages"])
    objects.read_tensors(members["tensors"])
    span = members["pickle"]
    machine = Machine(blob, span.offset, span.offset + span.length)
    tensors = named_tensors(machine.run(), objects)
    return Model(
        "pytorch",
        tuple(group(tensors)),
        properties={"container": "tar"},
        problems=(*objects.unsafe, *outside(machine, "pickle")),
    )


class TarObjects(TorchObjects):
    """Tensors are read up front; the pickle names them by key."""

    def __init__(self, blob: Blob) -> None:
        super().__init__(self.find)
        self.blob = blob
        self.storages: dict[str, tuple[Storage, Span]] = {}
        self.by_key: dict[str, Named] = {}
        self.unsafe: list[Problem] = []

    def find(self, storage: Storage, offset: int, length: int) -> Locator:
        span = self.storages[storage.key][1]
        return Span(span.offset + offset, length)

    def tensors(self, thing: Thing) -> list[Named] | None:
        if isinstance(thing, Persistent) and isinstance(thing.key, (str, int)):
            found = self.by_key.get(str(thing.key))
            return None if found is None else [found]
        return super().tensors(thing)

    def read_storages(self, span: Span) -> None:
        end = span.offset + span.length
        machine = Machine(self.blob, span.offset, end)
        for _ in range(count_of(machine)):
            key, kind = three(machine.run(), 0, 2)
            dtype = storage_dtype(kind)
            if dtype is None:
                raise BadFile(Problem("GM002", "a storage without a type"))
            numel = int.from_bytes(bounded(self.blob, machine.offset, 8, end), "little", signed=True)
            nbytes = whole(numel, "the size of a storage") * dtype[1]
            begin = machine.offset + 8
            if begin + nbytes > end:
                raise BadFile(Problem("GM002", f"storage {key!r} needs {nbytes} bytes, more than are there"))
            self.storages[str(key)] = Storage(str(key), dtype, nbytes, 0), Span(begin, nbytes)
            machine.offset = begin + nbytes
        for view in sequence(machine.run()) or ():
            target, root, first, numel = sequence(view) or (None, None, None, None)
            if str(root) not in self.storages:
                raise BadFile(Problem("GM002", f"a view of a storage {root!r} that is not there"))
            storage, whole_span = self.storages[str(root)]
            itemsize = storage.dtype[1] if storage.dtype else 1
            start, size = whole(first, "a view") * itemsize, whole(numel, "a view") * itemsize
            if start + size > whole_span.length:
                raise BadFile(Problem("GM002", f"a view reaches beyond storage {root!r}"))
            self.storages[str(target)] = (
                Storage(str(target), storage.dtype, size, 0),
                Span(whole_span.offset + start, size),
            )
        self.unsafe += outside(machine, "storages")

    def read_tensors(self, span: Span) -> None:
        end = span.offset + span.length
        machine = Machine(self.blob, span.offset, end)
        for _ in range(count_of(machine)):
            key, storage_key = three(machine.run(), 0, 1)
            at = machine.offset
            rank = int.from_bytes(bounded(self.blob, at, 8, end)[:4], "little", signed=True)
            if not 0 <= rank <= 64:
                raise BadFile(Problem("GM002", f"a tensor of {rank} dimensions"))
            raw = bounded(self.blob, at + 8, 16 * rank + 8, end)
            numbers = [int.from_bytes(raw[i : i + 8], "little", signed=True) for i in range(0, len(raw), 8)]
            machine.offset = at + 16 + 16 * rank
            if str(storage_key) not in self.storages:
                raise BadFile(Problem("GM002", f"a tensor over a storage {storage_key!r} that is not there"))
            storage = self.storages[str(storage_key)][0]
            if storage.dtype is not None:
                self.by_key[str(key)] = self.dense(
                    storage, storage.dtype, numbers[-1], tuple(numbers[:rank]), tuple(numbers[rank : 2 * rank])
                )
        self.unsafe += outside(machine, "tensors")


def tar_members(blob: Blob) -> dict[str, Span]:
    """Regular members by name. Headers are 512 bytes: name at 0, size in octal at 124, type at 156 (POSIX ustar)."""
    members: dict[str, Span] = {}
    at = 0
    while at + 512 <= blob.size and len(members) < LIMIT_MEMBERS:
        header = blob.read(at, 512)
        if not header.strip(b"\0"):
            break
        digits = header[124:136].strip(b" \0")
        if header[257:262] != b"ustar" or not digits.isdigit() or b"8" in digits or b"9" in digits:
            raise BadFile(Problem("GM002", f"the tar header at byte {at} is damaged"))
        size = int(digits, 8)
        if at + 512 + size > blob.size:
            raise BadFile(blob.truncated(at + 512, size))
        if header[156:157] in (b"0", b"\0"):
            name = header[:100].rstrip(b"\0").decode("utf-8", "replace").removeprefix("./")
            members[name] = Span(at + 512, size)
        at += 512 + (size + 511) // 512 * 512
    else:
        if at + 512 > blob.size:
            raise BadFile(blob.truncated(at, 512))
    return members


def bounded(blob: Blob, offset: int, length: int, end: int) -> bytes:
    if offset + length > end:
        raise BadFile(
            Problem("GM002", f"a member of the tar ends at byte {end}, {length} bytes are needed at {offset}")
        )
    return blob.read(offset, length)


def count_of(machine: Machine) -> int:
    count = whole(machine.run(), "a count")
    if count > LIMIT_COUNT:
        raise BadFile(Problem("GM005", f"the file claims {count} items"))
    return count


def three(thing: Thing, first: int, second: int) -> tuple[Thing, Thing]:
    parts = sequence(thing)
    if parts is None or len(parts) != 3:
        raise BadFile(Problem("GM002", "an item of the tar is not described by three facts"))
    return parts[first], parts[second]
