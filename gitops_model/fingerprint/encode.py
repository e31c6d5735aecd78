"""The pieces that the recipes of docs/format.md are made of."""

import re

from gitops_model.ir import TensorType, Value


def u32(number: int) -> bytes:
    """Four bytes, little endian; a count of things in memory always fits."""
    return number.to_bytes(4, "little")


def text(value: str | bytes) -> bytes:
    """Length (u32) and bytes."""
    data = value if isinstance(value, bytes) else name_bytes(value)
    return len(data).to_bytes(4, "little") + data


def name_bytes(name: str) -> bytes:
    """A name as the file has it: UTF-8, and bytes that were no UTF-8 as they were (escaped as lone surrogates)."""
    try:
        return name.encode()
    except UnicodeEncodeError:
        try:
            return name.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            return name.encode("utf-8", "surrogatepass")


def dims(shape: tuple[int, ...]) -> str:
    """Decimal numbers joined by commas; a scalar has none."""
    return ",".join(map(str, shape))


def tensor_header(dtype: str, shape: tuple[int, ...], recipe: str = "tensor") -> bytes:
    """What is hashed before the elements of a tensor."""
    return f"gitops-model/{recipe}/1\0{dtype}\0{dims(shape)}\0".encode()


_TENSOR_DIMS = r"(?<=tensor\()(\w+),\[([^\]]*)\]"


def without_symbols(words: str, symbols: dict[str, int]) -> str:
    """The text of a type with symbols by number: `sequence(tensor(float32,[N,3]))` → `…[$0,3]))`."""

    def numbered(found: re.Match[str]) -> str:
        parts = [
            part if part in ("", "?") or part.isdecimal() else f"${symbols.setdefault(part, len(symbols))}"
            for part in found[2].split(",")
        ]
        return f"{found[1]},[{','.join(parts)}]"

    return re.sub(_TENSOR_DIMS, numbered, words)


def value(item: Value, symbols: dict[str, int]) -> bytes:
    """An input or output: its name and its type, symbols by the order in which they appear."""
    return text(item.name) + value_type(item.type, symbols)


def value_type(kind: object, symbols: dict[str, int]) -> bytes:
    if kind is None:
        return b"\0"
    if not isinstance(kind, TensorType):
        return b"\2" + text(without_symbols(str(getattr(kind, "text", "")), symbols))
    out = b"\1" + text(kind.dtype)
    if kind.shape is None:
        return out + b"\0"
    out += b"\1" + u32(len(kind.shape))
    for dim in kind.shape:
        if isinstance(dim, int):
            out += b"\1" + text(str(dim))
        elif dim:
            out += b"\2" + u32(symbols.setdefault(dim, len(symbols)))
        else:
            out += b"\0"
    return out
