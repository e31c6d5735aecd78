"""The table of expressions that two models share: an expression is its operation, attributes and arguments, once."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, TypeGuard, cast

from gitops_model.ir import Tensor

NONE = 0
"""The expression of an omitted optional input."""

LIMIT = 3_000_000
"""Expressions in all; beyond that nothing is proved."""

MOST_DIMS = 64
"""Dimensions of a shape that is looked at: a chain of nodes that each add one would grow with its square."""

Dims = tuple[int | str, ...]
"""Dimensions: a number, or a symbol that stands for one size at run time. An unknown rank is None in its place."""


CONST = "const"

ConstantKey = tuple[str, tuple[int, ...], str]
"""Type, shape and digest: what makes two constants one."""

STUMBLES = (IndexError, KeyError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What a rule may raise on a call that no schema allows (too few inputs, an attribute of another kind): it then does
not apply, and the call stays what it is."""


class TooLarge(Exception):
    """The graphs have more expressions than are compared."""


class Expression(NamedTuple):
    """`op` is an `op_key`, or a word of our own: none, input, const, out, param, free, sum, prod, …"""

    op: str
    args: tuple[int, ...]
    attrs: tuple[Any, ...]


def has_body(attribute: Any) -> bool:
    """Whether an attribute is a subgraph, or several: it may use any value from around it."""
    items = tuple_of(tuple_of(attribute)[1:2])
    return any(is_body(item) or any(map(is_body, tuple_of(item))) for item in items)


def is_body(value: Any) -> bool:
    return tuple_of(value)[:1] == ("graph",)


def tuple_of(value: Any) -> tuple[Any, ...]:
    return cast("tuple[Any, ...]", value) if isinstance(value, tuple) else ()


class Constant(NamedTuple):
    """Where the value of a constant comes from: a tensor of one of the models, or bytes that were computed here."""

    tensor: Tensor | None
    read: Callable[[Tensor], bytes] | None
    value: bytes | None = None


@lru_cache(4096)
def op_key(domain: str, op: str, version: int) -> str:
    """`DOMAIN:OP:VERSION`; a file may put colons into either, and must not choose what they mean."""
    return ":".join((*(part.replace("%", "%25").replace(":", "%3A") for part in (domain, op)), str(version)))


def onnx_name(op: str) -> str:
    """The operator of the default domain, or our own word; "" for an operator of another domain."""
    parts = op.split(":")
    if len(parts) != 3:
        return op
    return parts[1] if parts[0] == "ai.onnx" else ""


def version_of(op: str) -> int:
    """The version in an operator's key; 0 for a word of our own."""
    return int(op.rpartition(":")[2]) if op.count(":") == 2 else 0


class Table:
    """Expressions by number. `constant[i]` says that no input reaches i; dtype and shape are "" and None if unknown."""

    def __init__(self) -> None:
        self.items: list[Expression] = []
        self.dtype: list[str] = []
        self.shape: list[Dims | None] = []
        self.dims: dict[int, Dims] = {}
        self.no_dims: dict[int, int] = {}
        """What holds no dims that are known, and the least depth (`dims.dims_of`) at which they were asked for."""
        self.constant: list[bool] = []
        self.sources: dict[int, Constant] = {}
        self.looked_at: set[int] = set()
        """Constants whose value decided something."""
        self._index: dict[tuple[str, tuple[int, ...], tuple[Any, ...]], int] = {}
        self.make("none")
        self.constant[NONE] = True

    def make(self, op: str, args: tuple[int, ...] = (), attrs: tuple[Any, ...] = ()) -> int:
        """The number of this expression, made if it is new."""
        found = self._index.get((op, args, attrs))
        if found is not None:
            return found
        number = len(self.items)
        if number >= LIMIT:
            raise TooLarge
        item = Expression(op, args, attrs)
        self._index[item] = number
        self.items.append(item)
        self.dtype.append("")
        self.shape.append(None)
        constants = self.constant
        known = bool(args) and all(map(constants.__getitem__, args))
        constants.append(known and not (attrs and any(map(has_body, attrs))))
        return number

    def find(self, key: ConstantKey) -> int | None:
        """The number of a constant that is there."""
        return self._index.get((CONST, (), key))

    def is_new(self, number: int) -> bool:
        """Whether nothing is known about it yet (it was made just now)."""
        return not self.dtype[number] and self.shape[number] is None

    def const(self, dtype: str, shape: tuple[int, ...], digest: str, source: Constant) -> int:
        """A constant by its content; equal contents of both models are one."""
        number = self.make(CONST, (), (dtype, shape, digest))
        if number not in self.sources:
            self.sources[number] = source
            self.dtype[number], self.shape[number], self.constant[number] = dtype, shape, True
        return number

    def typed(self, number: int, dtype: str, shape: Dims | None) -> int:
        """Note what is certain about an expression; returns its number."""
        if dtype and not self.dtype[number]:
            self.dtype[number] = dtype
        if shape is not None and self.shape[number] is None and len(shape) <= MOST_DIMS:
            self.shape[number] = shape
        return number

    def static(self, number: int) -> tuple[int, ...] | None:
        """The shape where every dimension is known."""
        shape = self.shape[number]
        return shape if shape is not None and is_fixed(shape) else None


def is_fixed(dims: Dims) -> TypeGuard[tuple[int, ...]]:
    """Whether every dimension is a number."""
    return all(isinstance(dim, int) for dim in dims)


def list_of(value: object) -> list[object]:
    """The items of a list or tuple; of anything else none."""
    return list(cast("list[object]", value)) if isinstance(value, (list, tuple)) else []


def items_of(value: object) -> tuple[Any, ...] | None:
    """An attribute that is a list, or the body of a subgraph ("graph", inputs, outputs…)."""
    return cast("tuple[Any, ...]", value) if isinstance(value, tuple) else None


def ints_of(value: object) -> tuple[int, ...] | None:
    """An attribute that is a list of integers."""
    items = items_of(value)
    numbers = tuple(item for item in items or () if isinstance(item, int))
    return numbers if items is not None and len(numbers) == len(items) else None
