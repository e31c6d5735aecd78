"""What torch's own rebuild functions would make of their arguments: tensors with locators, from a described pickle.

The functions and the order of their arguments are those of torch/_utils.py and torch/_tensor.py; a storage stands
behind a persistent id ('storage', class, key, location, numel[, view]) (torch/serialization.py).
"""

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple, cast

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Inline, Locator, Strided, Swapped
from gitops_model.readers.pickling.machine import Call, Global, Pairs, Persistent, Thing, sequence

DTYPES: dict[str, tuple[str, int]] = {
    "double": ("float64", 8), "float64": ("float64", 8), "float": ("float32", 4), "float32": ("float32", 4),
    "half": ("float16", 2), "float16": ("float16", 2), "bfloat16": ("bfloat16", 2),
    "long": ("int64", 8), "int64": ("int64", 8), "int": ("int32", 4), "int32": ("int32", 4),
    "short": ("int16", 2), "int16": ("int16", 2), "char": ("int8", 1), "int8": ("int8", 1),
    "byte": ("uint8", 1), "uint8": ("uint8", 1), "bool": ("bool", 1),
    "uint16": ("uint16", 2), "uint32": ("uint32", 4), "uint64": ("uint64", 8),
    "complex32": ("complex32", 4), "chalf": ("complex32", 4),
    "complex64": ("complex64", 8), "cfloat": ("complex64", 8), "complexfloat": ("complex64", 8),
    "complex128": ("complex128", 16), "cdouble": ("complex128", 16), "complexdouble": ("complex128", 16),
    "float8_e4m3fn": ("float8_e4m3fn", 1), "float8_e5m2": ("float8_e5m2", 1), "float8_e4m3fnuz": ("float8_e4m3fnuz", 1),
    "float8_e5m2fnuz": ("float8_e5m2fnuz", 1), "float8_e8m0fnu": ("float8_e8m0fnu", 1),
    "qint8": ("int8", 1), "quint8": ("uint8", 1), "qint32": ("int32", 4),
    "quint4x2": ("uint4x2", 1), "quint2x4": ("uint2x4", 1), "float4_e2m1fn_x2": ("float4_e2m1fn_x2", 1),
    "bits8": ("uint8", 1), "bits16": ("uint16", 2),
}  # fmt: skip
"""torch's dtype or storage class name (lower case) → our name and bytes per element. Packed types keep their pair."""

COMPLEX = {"complex32": 2, "complex64": 4, "complex128": 8}
"""Complex dtypes: bytes of one component, the unit in which byte order counts."""

LIMIT_SPREAD = 16
"""A view may show each byte of its storage this many times (64 MiB are free): more is a bomb (GM005)."""

FREE_SPREAD = 64 * 1024 * 1024


class Storage(NamedTuple):
    """A storage: its key, its element type (None for an untyped one), its size in bytes, where it begins."""

    key: str
    dtype: tuple[str, int] | None
    nbytes: int
    start: int
    """Bytes from the beginning of the keyed storage (legacy views of storages)."""


class Named(NamedTuple):
    """A tensor without its full name; `suffix` is what a quantised tensor's parts add to it."""

    suffix: str
    dtype: str
    shape: tuple[int, ...]
    data: Locator
    nbytes: int


Place = Callable[[Storage, int, int], Locator]
"""(storage, offset, length) in bytes → where they are. Raises BadFile GM010 or GM002."""


class TorchObjects:
    """Turns a `Call` into tensors, or says that it is none. `swapped` when the storages are big endian."""

    def __init__(self, place: Place, swapped: bool = False) -> None:
        self.place = place
        self.swapped = swapped
        self.notes: list[Problem] = []

    def tensors(self, thing: Thing) -> list[Named] | None:
        """The tensors that a call stands for (a quantised one stands for several), None when it is no tensor."""
        depth = 0
        while isinstance(thing, Call) and thing.path in WRAPPERS:
            index = WRAPPERS[thing.path]
            thing = unwrap(thing, index)
            depth += 1
            if depth > 64:
                raise BadFile(Problem("GM005", "a tensor is wrapped more than 64 times"))
        if not isinstance(thing, Call):
            return None
        rebuild = REBUILDERS.get(thing.path)
        return None if rebuild is None else rebuild(self, arguments(thing))

    def storage(self, thing: Thing) -> Storage:
        key = thing.key if isinstance(thing, Persistent) else None
        parts = sequence(key)
        if parts is None or len(parts) < 5 or parts[0] != "storage":
            raise BadFile(Problem("GM002", "a tensor has no storage behind it"))
        _, kind, name, _, numel, *view = parts
        dtype = storage_dtype(kind)
        size = dtype[1] if dtype else 1
        count = whole(numel, "the size of a storage")
        start = 0
        if view and view[0] is not None:  # legacy: a storage that is a window of another
            _, first, count = sequence(view[0]) or (None, None, None)
            start, count = whole(first, "a storage view") * size, whole(count, "a storage view")
        return Storage(str(name), dtype, count * size, start)

    def dense(self, storage: Storage, dtype: tuple[str, int], first: Thing, shape: Thing, strides: Thing) -> Named:
        """The tensor at `first` elements into the storage, with these sizes and strides (elements)."""
        name, itemsize = dtype
        dims = sizes(shape, "the shape of a tensor")
        steps = sizes(strides, "the strides of a tensor")
        begin = whole(first, "the storage offset of a tensor")
        if len(dims) != len(steps):
            raise BadFile(Problem("GM002", f"a tensor has {len(dims)} dimensions and {len(steps)} strides"))
        count = prod(dims)
        nbytes = count * itemsize
        flat = contiguous(dims, steps)
        last = begin + count - 1 if flat else begin
        if count and not flat:
            last += sum((dim - 1) * step for dim, step in zip(dims, steps, strict=True))
        if count and (last + 1) * itemsize > storage.nbytes:
            raise BadFile(
                Problem(
                    "GM002",
                    f"a tensor of shape {list(dims)} needs {(last + 1) * itemsize} bytes of storage {storage.key!r}, "
                    f"which has {storage.nbytes}",
                )
            )
        if not count:
            return Named("", name, dims, Inline(b""), 0)
        if flat:
            data = self.place(storage, begin * itemsize, nbytes)
        else:
            reach = (last + 1 - begin) * itemsize
            if nbytes > max(FREE_SPREAD, LIMIT_SPREAD * reach):
                raise BadFile(Problem("GM005", f"a view spreads {reach} bytes over a tensor of {nbytes} bytes"))
            data = Strided(self.place(storage, begin * itemsize, reach), itemsize, 0, dims, steps)
        unit = COMPLEX.get(name, itemsize)
        return Named("", name, dims, Swapped(data, unit) if self.swapped and unit > 1 else data, nbytes)


# --- the rebuild functions -----------------------------------------------------------------------------------------
def rebuild_v2(objects: TorchObjects, args: tuple[Thing, ...]) -> list[Named]:
    """_rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, hooks, metadata=None), and older."""
    storage = objects.storage(args[0])
    if len(args) > 6 and isinstance(args[6], Pairs):
        for key, value in args[6].pairs:
            if value is True and key in ("conj", "neg"):
                message = f"a tensor with its {key!r} bit set: its stored bytes are not its values"
                raise BadFile(Problem("GM009", message))
    if storage.dtype is None:
        raise BadFile(Problem("GM002", "a tensor over an untyped storage does not say its type"))
    return [objects.dense(storage, storage.dtype, *args[1:4])]


def rebuild_v3(objects: TorchObjects, args: tuple[Thing, ...]) -> list[Named]:
    """_rebuild_tensor_v3(storage, storage_offset, size, stride, requires_grad, hooks, dtype, metadata=None)."""
    return [objects.dense(objects.storage(args[0]), dtype_of(args[6]), *args[1:4])]


def rebuild_quantised(objects: TorchObjects, args: tuple[Thing, ...]) -> list[Named]:
    """_rebuild_qtensor(storage, storage_offset, size, stride, quantizer_params, requires_grad, hooks).

    Described as its integers with `.scale` and `.zero_point`: float64 and int64 scalars, or tensors per channel.
    """
    from struct import pack

    storage = objects.storage(args[0])
    if storage.dtype is None:
        raise BadFile(Problem("GM002", "a quantised tensor over an untyped storage"))
    whole_tensor = objects.dense(storage, storage.dtype, *args[1:4])
    scheme, scale, zero_point = args[4][:3]
    if isinstance(scheme, Global) and scheme.name == "per_tensor_affine":
        return [
            whole_tensor,
            Named(".scale", "float64", (), Inline(pack("<d", float(scale))), 8),
            Named(".zero_point", "int64", (), Inline(pack("<q", whole(zero_point, "a zero point", signed=True))), 8),
        ]
    scales, points = objects.tensors(scale), objects.tensors(zero_point)
    if not scales or not points:
        raise BadFile(Problem("GM002", "a quantised tensor without its scales"))
    return [whole_tensor, scales[0]._replace(suffix=".scale"), points[0]._replace(suffix=".zero_point")]


def rebuild_meta(_: TorchObjects, args: tuple[Thing, ...]) -> list[Named]:
    """_rebuild_meta_tensor_no_storage(dtype, size, stride, requires_grad): a shape without values."""
    shape = list(sizes(args[1], "the shape of a tensor"))
    raise BadFile(Problem("GM010", f"a tensor of shape {shape} is on the meta device: the file has no values for it"))


def rebuild_sparse(objects: TorchObjects, args: tuple[Thing, ...]) -> list[Named]:
    """_rebuild_sparse_tensor(layout, data): its parts, `.indices` and `.values` (COO), `.crow_indices` … (CSR …)."""
    layout, data = args[0], args[1]
    kind = layout.name if isinstance(layout, Global) else ""
    names = {
        "sparse_coo": (".indices", ".values"),
        "sparse_csr": (".crow_indices", ".col_indices", ".values"),
        "sparse_bsr": (".crow_indices", ".col_indices", ".values"),
        "sparse_csc": (".ccol_indices", ".row_indices", ".values"),
        "sparse_bsc": (".ccol_indices", ".row_indices", ".values"),
    }.get(kind)
    if names is None:
        raise BadFile(Problem("GM009", f"a sparse tensor of layout {kind or layout!r} is not read"))
    parts: list[Named] = []
    for suffix, part in zip(names, data, strict=False):
        inner = objects.tensors(part)
        if not inner:
            raise BadFile(Problem("GM002", "a sparse tensor without its parts"))
        parts.append(inner[0]._replace(suffix=suffix))
    return parts


Rebuild = Callable[[TorchObjects, tuple[Any, ...]], list[Named]]

REBUILDERS: dict[str, Rebuild] = {
    "torch._utils._rebuild_tensor": rebuild_v2,
    "torch._utils._rebuild_tensor_v2": rebuild_v2,
    "torch._utils._rebuild_tensor_v3": rebuild_v3,
    "torch._utils._rebuild_qtensor": rebuild_quantised,
    "torch._utils._rebuild_meta_tensor_no_storage": rebuild_meta,
    "torch._utils._rebuild_sparse_tensor": rebuild_sparse,
    "torch._utils._rebuild_sparse_csr_tensor": rebuild_sparse,
}

WRAPPERS: dict[str, int] = {
    "torch._utils._rebuild_parameter": 0,
    "torch._utils._rebuild_parameter_with_state": 0,
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": 0,
    "torch._tensor._rebuild_from_type_v2": -1,
    "torch._tensor._rebuild_from_type": -1,
}
"""Functions that give their tensor a class, a device or a gradient flag: which argument is the tensor (-1: a call)."""


def unwrap(call: Call, index: int) -> Thing:
    args = arguments(call)
    if index >= 0:
        return args[index]
    function, _, inner = args[:3]  # (function, type, arguments, state)
    return Call(function, inner, call.position)


# --- small pieces --------------------------------------------------------------------------------------------------
def arguments(call: Call) -> tuple[Thing, ...]:
    found = sequence(call.args)
    if found is None:
        raise BadFile(Problem("GM002", f"{call.path} at byte {call.position} is called without a tuple"))
    return found


def dtype_of(thing: Thing) -> tuple[str, int]:
    name = thing.name if isinstance(thing, Global) and thing.module == "torch" else ""
    if name not in DTYPES:
        raise BadFile(Problem("GM009", f"element type {name or thing!r} is not known"))
    return DTYPES[name]


def storage_dtype(kind: Thing) -> tuple[str, int] | None:
    """Of a storage class (`torch.FloatStorage`, `torch.cuda.HalfStorage`); None for an untyped one."""
    name = kind.name if isinstance(kind, Global) else kind if isinstance(kind, str) else ""
    name = name.removesuffix("Storage").lower()
    if name in ("untyped", "_untyped"):
        return None
    if name not in DTYPES:
        raise BadFile(Problem("GM009", f"storage type {name or kind!r} is not known"))
    return DTYPES[name]


def whole(thing: Thing, what: str, *, signed: bool = False) -> int:
    if not isinstance(thing, int) or isinstance(thing, bool) or (thing < 0 and not signed) or abs(thing) >= 1 << 62:
        raise BadFile(Problem("GM002", f"{what} is not a size"))
    return thing


def sizes(thing: Thing, what: str) -> tuple[int, ...]:
    if type(thing) is tuple and len(plain := cast("tuple[Thing, ...]", thing)) <= 64:  # as every writer has it
        for item in plain:
            if type(item) is not int or not 0 <= item < 1 << 62:
                break
        else:
            return plain
    if isinstance(thing, Call) and thing.path == "torch.Size":
        thing = thing.arguments[0] if thing.arguments else ()
    found = sequence(thing)
    if found is None or len(found) > 64:
        raise BadFile(Problem("GM002", f"{what} is not a tuple of sizes"))
    return tuple(whole(item, what) for item in found)


def contiguous(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    expected = 1
    for dim, stride in zip(reversed(shape), reversed(strides), strict=True):
        if dim != 1 and stride != expected:
            return False
        expected *= dim
    return True
