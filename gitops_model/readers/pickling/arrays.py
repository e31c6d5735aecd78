"""NumPy arrays inside a pickle, as described calls: `_reconstruct` with its state, and `_frombuffer`."""

from math import prod

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Inline, Locator, Span, Strided, Swapped
from gitops_model.readers.pickling.machine import Bytes, Call, Thing, sequence
from gitops_model.readers.torch.objects import Named, sizes

RECONSTRUCT = frozenset(("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"))
BUFFER = frozenset(("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer"))

DTYPES: dict[str, tuple[str, int]] = {
    "b1": ("bool", 1), "i1": ("int8", 1), "i2": ("int16", 2), "i4": ("int32", 4), "i8": ("int64", 8),
    "u1": ("uint8", 1), "u2": ("uint16", 2), "u4": ("uint32", 4), "u8": ("uint64", 8),
    "f2": ("float16", 2), "f4": ("float32", 4), "f8": ("float64", 8), "c8": ("complex64", 8), "c16": ("complex128", 16),
}  # fmt: skip
"""NumPy's type codes (numpy.dtype.str without the byte order) → our name and bytes per element."""


def dtype_of_call(thing: Thing) -> tuple[str, int, bool] | None:
    """(name, itemsize, big endian) of `dtype('f4', …)` with its state `(3, '<', …)`; None for types without numbers."""
    if not isinstance(thing, Call) or thing.path != "numpy.dtype" or not thing.arguments:
        return None
    code = thing.arguments[0]
    state = sequence(thing.state) or ()
    order = state[1] if len(state) > 1 else "<"
    if not isinstance(code, str) or code not in DTYPES:
        return None
    return *DTYPES[code], order == ">"


def buffer_of(thing: Thing) -> tuple[Locator, int] | None:
    """The bytes an array is made of: in the stream, or as Latin-1 text (protocol 2 by Python 3)."""
    if isinstance(thing, Bytes):
        return Span(thing.offset, thing.length), thing.length
    if isinstance(thing, bytes):
        return Inline(thing), len(thing)
    if isinstance(thing, str):
        return inline_text(thing)
    if isinstance(thing, Call) and thing.path == "_codecs.encode" and thing.arguments:
        text = thing.arguments[0]
        return inline_text(text) if isinstance(text, str) else None
    return None


def inline_text(text: str) -> tuple[Locator, int] | None:
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        return None
    return Inline(data), len(data)


def array_of_call(call: Call) -> Named | None:
    """The array that the call stands for, None when it is no array of numbers. Raises BadFile GM002 when it lies."""
    args = call.arguments
    state = sequence(call.state) or ()
    fortran: Thing = False
    if call.path in RECONSTRUCT and len(state) >= 5:
        _, shape, dtype_call, fortran, data = state[:5]
    elif call.path in BUFFER and len(args) >= 4:
        data, dtype_call, shape, order = args[:4]
        fortran = order == "F"
    else:
        return None
    dtype = dtype_of_call(dtype_call)
    found = buffer_of(data)
    if dtype is None or found is None:
        return None
    name, itemsize, big = dtype
    dims = sizes(shape, "the shape of an array")
    locator, length = found
    nbytes = prod(dims) * itemsize
    if nbytes != length:
        raise BadFile(
            Problem("GM002", f"an array of shape {list(dims)} and type {name} has {length} bytes, not {nbytes}")
        )
    if fortran and len(dims) > 1 and nbytes:
        locator = Strided(locator, itemsize, 0, dims, fortran_strides(dims))
    unit = itemsize // 2 if name.startswith("complex") else itemsize
    return Named("", name, dims, Swapped(locator, unit) if big and unit > 1 else locator, nbytes)


def fortran_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides: list[int] = []
    step = 1
    for dim in shape:
        strides.append(step)
        step *= dim
    return tuple(strides)
