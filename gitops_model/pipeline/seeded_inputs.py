"""Values to run a model with: made of a seed and the signature, the same on every machine and with every NumPy.

Element `i` of an input is SplitMix64 (Steele, Lea, Flood 2014) of `key + i`, where the key is the first 8 bytes of
SHA-256 of `SEED 00 NAME`, so that inputs do not change when another one is added. NumPy's own generators promise no
stable streams (NEP 19).
"""

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

LARGEST = 1 << 28
"""Elements of one input that are made."""

_INTEGERS = tuple(f"{sign}int{width}" for sign in ("", "u") for width in (8, 16, 32, 64))
PLAIN = frozenset(("bool", "complex64", "complex128", "float16", "float32", "float64", *_INTEGERS))
"""Types that NumPy has by itself; others are there or not by what else was imported."""


class NotMade(Exception):
    """There are no values for an input; the message says why."""


def bits(name: str, seed: int, count: int) -> "np.ndarray[Any, np.dtype[np.uint64]]":
    """`count` numbers of 64 bits."""
    import numpy as np

    digest = hashlib.sha256(f"{seed}\0{name}".encode("utf-8", "surrogatepass")).digest()
    state = np.arange(1, count + 1, dtype=np.uint64)
    state = state * np.uint64(0x9E3779B97F4A7C15) + np.uint64(int.from_bytes(digest[:8], "little"))
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def values(
    name: str,
    dtype: str,
    shape: tuple[int, ...],
    seed: int = 0,
    fixed: float | None = None,
    *,
    below: int | None = None,
    among: tuple[int, ...] = (),
) -> Any:
    """An array for one input; `fixed` is the value of every element. NotMade for a type that NumPy does not have.

    Floats lie in [-1, 1). Bytes take all values. Other integers are 0 or 1: a mask stays a mask, and an index is in
    every range. Where more is known of integers they are `below` a number, or one of those of `among`.
    """
    import numpy as np

    count = 1
    for dim in shape:
        count *= dim
    if count > LARGEST:
        raise NotMade(f"the input {name} would have {count:,} elements (at most {LARGEST:,})")
    plain = "float32" if dtype == "bfloat16" else dtype
    if plain == "string":
        words = [str(number % 10) for number in bits(name, seed, count).tolist()]
        return np.array(words, dtype=object).reshape(shape)
    if plain not in PLAIN:
        raise NotMade(f"no values can be made for the input {name}: its type is {dtype}")
    kind = np.dtype(plain)
    if fixed is not None:
        made = np.full(shape, fixed).astype(kind)
    elif kind.kind in "iu" and (below is not None or among):
        made = _integers(bits(name, seed, count), kind, below, among).reshape(shape)
    else:
        made = _random(bits(name, seed, count), kind).reshape(shape)
    return _bfloat16(made) if dtype == "bfloat16" else made


def _random(raw: Any, kind: Any) -> Any:
    import numpy as np

    if kind.kind == "f":
        return ((raw >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1.0).astype(kind)
    if kind.kind == "c":
        return (_random(raw, np.dtype(np.float64)) + 0j).astype(kind)
    if kind.itemsize == 1 and kind.kind in "iu":
        return (raw & np.uint64(0xFF)).astype(np.uint8).view(kind)
    return (raw >> np.uint64(63)).astype(kind)


def _integers(raw: Any, kind: Any, below: int | None, among: tuple[int, ...]) -> Any:
    """Numbers that the type holds: the others would be other numbers in it."""
    import numpy as np

    info = np.iinfo(kind)
    if below is not None:
        return ((raw >> np.uint64(1)) % np.uint64(min(below, int(info.max) + 1))).astype(kind)
    kept = [number for number in among if info.min <= number <= info.max] or [0, 1]
    return np.array(kept).astype(kind)[((raw >> np.uint64(1)) % np.uint64(len(kept))).astype(np.int64)]


def _bfloat16(made: Any) -> Any:
    """The upper halves of float32, as 16-bit numbers; NumPy has no such type."""
    import numpy as np

    return (np.ascontiguousarray(made).view(np.uint32) >> np.uint32(16)).astype(np.uint16)
