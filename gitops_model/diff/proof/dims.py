"""Dimensions as numbers or symbols, and small integer tensors by the dimensions they hold.

A symbol stands for one size at run time: equal symbols are equal sizes. It is named after where it comes from (an
input's dimension, or an operation on others), so that both models call the same size by the same name.
"""

from math import prod
from typing import TYPE_CHECKING

from gitops_model.diff.proof.table import NONE, Dims, Table, onnx_name

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder

LIMIT_SYMBOL = 120
LIMIT_ITEMS = 64
LIMIT_DEPTH = 32
"""Operations on sizes, one on another, that are looked through."""


def symbol(operation: str, *parts: object) -> str:
    """The symbol for the result of an operation on dimensions; long ones are named by their digest."""
    text = f"{operation}({','.join(map(str, parts))})"
    return text if len(text) <= LIMIT_SYMBOL else short(FULL * has_some(text) + operation, text)


def short(word: str, text: str) -> str:
    """A name for a long text: its digest."""
    from blake3 import blake3

    return f"{word}#{blake3(text.encode()).hexdigest(16)}"


FULL = "full-"
"""Begins the digest of a long symbol that is not zero."""


def has_some(size: str) -> bool:
    """Whether a symbol is certain not to be zero.

    Inputs are taken to have no empty dimension, and windows to fit. What is left of a range may be nothing.
    """
    word, _, inner = size.partition("(")
    if word in ("in", "window"):
        return True
    if word not in ("mul", "max", "ceil", "add"):
        return size.startswith(FULL)
    found = (int(part) > 0 if part.isdecimal() else has_some(part) for part in arguments(inner[:-1]))
    return any(found) if word == "add" else all(found)


MOST_SIZES, LIMIT_SIZE = 16, 60
"""Sizes that the symbol of their largest names one by one, and characters of each."""


def largest(sizes: set[str]) -> str:
    """The symbol for the largest of some sizes, in whatever order they met: max(a, max(b, a)) is that of two."""
    flat: set[str] = set()
    for size in sizes:
        flat.update(arguments(size[4:-1]) if size.startswith("max(") and size.endswith(")") else (size,))
    flat -= {size for size in flat if is_beginning(size, flat)}
    named = sorted({size if len(size) <= LIMIT_SIZE else short(FULL * has_some(size) + "size", size) for size in flat})
    if len(named) == 1:
        return next(iter(flat))
    some = FULL if all(map(has_some, flat)) else ""
    return f"max({','.join(named)})" if len(named) <= MOST_SIZES else short(f"{some}largest", ",".join(named))


def is_beginning(size: str, others: set[str]) -> bool:
    """Whether a size is that of the first K of another (K > 1): if both go together, they are equal."""
    whole, *span = arguments(size[5:-1]) if size.startswith("part(") else ("",)
    return whole in others and len(span) == 2 and span[0] == "0" and span[1].isdecimal() and int(span[1]) > 1


def factors(dims: Dims) -> tuple[int, list[str]]:
    """The product of dimensions, as a number and symbols that are no products themselves."""
    number, symbols = 1, list[str]()
    for dim in dims:
        if isinstance(dim, int):
            number *= dim
        elif dim.startswith("mul(") and dim.endswith(")"):
            first, *rest = arguments(dim[4:-1])
            number *= int(first)
            symbols += rest
        else:
            symbols.append(dim)
    return number, symbols


def arguments(text: str) -> list[str]:
    """What stands between the commas that are in no parentheses. (Names of inputs are written without either.)"""
    found, depth, start = list[str](), 0, 0
    for index, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            found.append(text[start:index])
            start = index + 1
    return [*found, text[start:]]


def divided(dims: Dims, known: Dims) -> int | str | None:
    """The dimension that makes the product of `known` equal to that of `dims`; None where that is not certain."""
    above, left = factors(dims)
    below, gone = factors(known)
    for dim in gone:
        if dim not in left:
            return None
        left.remove(dim)
    if not below or above % below:
        return None
    if not left:
        return above // below
    if len(left) == 1 and above == below:
        return left[0]
    return symbol("mul", above // below, *sorted(left))


def input_symbol(key: object, index: int) -> str:
    """The symbol for a dimension of an input, known by a key of both models; its name by digest if it is no word."""
    text = str(key)
    if not text.isidentifier() and not text.isdecimal():
        from blake3 import blake3

        text = "#" + blake3(repr(key).encode("utf-8", "surrogatepass")).hexdigest(16)
    return symbol("in", text, index)


def dims_of(b: "Builder", number: int, depth: int = 0) -> Dims | None:
    """The numbers and symbols that a small tensor of integers holds (a scalar is one item); None if not known."""
    table = b.table
    found = table.dims.get(number)
    # What had no dims from here, or from nearer to where the question was asked, has none: asked again and again, the
    # same few operations would be walked along every path between them.
    if found is not None or depth > LIMIT_DEPTH or depth >= table.no_dims.get(number, LIMIT_DEPTH + 1):
        return found
    made = evaluated(b, number, depth)
    if made is not None and len(made) <= LIMIT_ITEMS:
        table.dims[number] = made
        return made
    table.no_dims[number] = depth
    return None


def evaluated(b: "Builder", number: int, depth: int) -> Dims | None:  # noqa: C901 - one case per operation
    table = b.table
    rank = rank_of(table, number)
    if rank is None or rank > 1 or table.dtype[number] not in ("int64", "int32"):
        return None
    if table.constant[number]:
        return b.ints(number)
    item = table.items[number]
    name = onnx_name(item.op)
    attrs = dict(item.attrs) if item.op != name else {}

    def inner(index: int) -> Dims | None:
        return dims_of(b, item.args[index], depth + 1) if index < len(item.args) else None

    if name == "Shape":
        shape = table.shape[item.args[0]]
        start, end = attrs.get("start", 0), attrs.get("end")
        if shape is None or not isinstance(start, int) or not isinstance(end, (int, type(None))):
            return None
        return shape[start:end]
    if name in ("Cast", "reshape", "squeeze", "unsqueeze", "Identity"):
        if name == "Cast" and attrs.get("to") not in (6, 7):
            return None
        return inner(0)
    if name == "Concat":
        parts = [inner(index) for index in range(len(item.args))]
        if (
            attrs.get("axis") not in (0, -1)
            or any(part is None for part in parts)
            or any(len(table.shape[arg] or ()) != 1 for arg in item.args)
        ):
            return None
        return tuple(dim for part in parts if part is not None for dim in part)
    if name == "Gather":
        values, places = inner(0), b.ints(item.args[1])
        if (
            attrs.get("axis") not in (0, -1)
            or values is None
            or places is None
            or len(table.shape[item.args[0]] or ()) != 1
        ):
            return None
        if any(not -len(values) <= place < len(values) for place in places):
            return None
        return tuple(values[place] for place in places)
    if name == "Slice":
        return sliced(b, item.args, inner(0))
    if item.op == "part":
        values, (_, start, stop) = inner(0), item.attrs
        return None if values is None or start < 0 or stop > len(values) else values[start:stop]
    if name in ("prod", "sum"):
        return arithmetic(name, [inner(index) for index in range(len(item.args))])
    if name in ("neg", "Div", "Max", "Min"):
        parts = [inner(index) for index in range(len(item.args))]
        if all(part is not None and len(part) == 1 for part in parts):
            return (computed(name, [part[0] for part in parts if part is not None]),)
    return None


def computed(name: str, parts: list[int | str]) -> int | str:
    numbers = [part for part in parts if isinstance(part, int)]
    if len(numbers) == len(parts):
        if name == "neg":
            return -numbers[0]
        if name == "Div" and numbers[1]:
            return abs(numbers[0]) // abs(numbers[1]) * (1 if (numbers[0] < 0) == (numbers[1] < 0) else -1)
        if name in ("Max", "Min"):
            return max(numbers) if name == "Max" else min(numbers)
    sizes = all(is_size(part) for part in parts) and name != "neg"
    return symbol(name if sizes else SIGNED + name, *(sorted(map(str, parts)) if name in ("Max", "Min") else parts))


SIGNED = "signed-"
"""Begins the name of a symbol that may be negative: a number, but no dimension."""


def is_size(dim: int | str) -> bool:
    """Whether a number or symbol is certain not to be negative."""
    return dim >= 0 if isinstance(dim, int) else not dim.startswith(SIGNED)


def sizes_of(b: "Builder", number: int) -> Dims | None:
    """`dims_of`, where all of them are certain not to be negative (numbers are as they are)."""
    found = dims_of(b, number)
    return None if found is None or any(isinstance(dim, str) and not is_size(dim) for dim in found) else found


def sliced(b: "Builder", args: tuple[int, ...], values: Dims | None) -> Dims | None:
    numbers = [(0,) if arg == NONE else b.ints(arg) for arg in args[1:]]
    if values is None or len(numbers) < 2 or any(found is None or len(found) != 1 for found in numbers):
        return None
    found = [item[0] for item in numbers if item]
    step = found[3] if len(found) > 3 and args[4] != NONE else 1
    return values[found[0] : found[1] : step] if step > 0 else None


def arithmetic(name: str, parts: list[Dims | None]) -> Dims | None:
    """Sum or product, item by item; a single item goes with each of the others."""
    known = [part for part in parts if part is not None]
    if len(known) != len(parts) or not known:
        return None
    size = max(len(part) for part in known)
    if any(len(part) not in (1, size) for part in known):
        return None
    return tuple(combined(name, [part[index if len(part) > 1 else 0] for part in known]) for index in range(size))


def combined(name: str, items: list[int | str]) -> int | str:
    """The sum or product of numbers and symbols."""
    numbers = [item for item in items if isinstance(item, int)]
    symbols = sorted(item for item in items if isinstance(item, str))
    number = sum(numbers) if name == "sum" else prod(numbers)
    if not symbols:
        return number
    if len(symbols) == 1 and number == (0 if name == "sum" else 1):
        return symbols[0]
    word = "add" if name == "sum" else "mul"
    return symbol(word if all(map(is_size, items)) else SIGNED + word, number, *symbols)


def multiplied(dim: int | str, times: int | str) -> int | str:
    """A size times a number or another size."""
    made = arithmetic("prod", [(dim,), (times,)])
    return made[0] if made else symbol("mul", dim, times)


def place(axis: int, rank: int) -> int:
    """An axis counted from the front. Raises IndexError where there is no such axis."""
    return range(rank)[axis]


def flag(value: object) -> bool:
    """An attribute that is 0 or 1. Raises ValueError for any other: runtimes do not agree on those."""
    if value not in (0, 1):
        raise ValueError(value)
    return bool(value)


def rank_of(table: Table, number: int) -> int | None:
    shape = table.shape[number]
    return None if shape is None else len(shape)
