"""One form for sums and products

Arguments that may change places, differences as sums, quotients as products with a reciprocal, powers by small numbers
as products or roots, constant factors and terms taken together. In real arithmetic all of it is the same; floats may
round differently.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.infer import broadcast, common
from gitops_model.diff.rewrites.conv_affine import parts, scaled, shifted
from gitops_model.diff.rewrites.layout import PATTERN as LAYOUT
from gitops_model.diff.rewrites.layout import common_perm, perm_of, turned
from gitops_model.diff.rewrites.reshape import inside, past, to_shape

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "arithmetic"
NUMERIC = "rounded"
FOLDS = True

FLOATS = frozenset(("float16", "float32", "float64", "bfloat16"))
MOST_FACTORS = 8
"""Factors that one product may have: products of products could grow with the square of the graph."""


def typed(b: "Builder", number: int, args: tuple[int, ...]) -> int:
    if b.table.is_new(number):
        b.table.typed(number, common(b.table, args), broadcast([b.table.shape[arg] for arg in args]))
    return number


def is_scalar(b: "Builder", number: int) -> bool:
    """A constant of one element and no dimensions: it leaves the shape of whatever it meets alone."""
    return b.table.constant[number] and b.table.static(number) == ()


def product(b: "Builder", *factors: int) -> int:
    """The product of expressions: nested products opened, constants taken together, the rest sorted."""
    opened: list[int] = []
    for factor in factors:
        item = b.table.items[factor]
        if item.op == "prod" and len(opened) + len(item.args) <= MOST_FACTORS and not b.table.constant[factor]:
            opened += item.args
        else:
            opened.append(factor)
    constants = sorted(factor for factor in opened if b.table.constant[factor])
    rest = sorted(factor for factor in opened if not b.table.constant[factor])
    if constants and rest:
        constant = constants[0] if len(constants) == 1 else fold(b, "prod", constants)
        if b.scalar(constant) == 1.0 and b.table.static(constant) == ():
            constants = []
        elif len(rest) == 1:
            return scaled(b, rest[0], constant) or make(b, "prod", (constant, *rest))
        else:
            constants = [constant]
            into = [factor for factor in rest if parts(b, factor)]
            changed = scaled(b, into[0], constant) if len(into) == 1 and is_scalar(b, constant) else None
            if changed is not None:
                constants, rest = [], sorted((changed, *without(rest, into[0])))
    if not constants and len(rest) == 1:
        return rest[0]
    return make(b, "prod", (*constants, *rest))


def without(numbers: list[int], one: int) -> list[int]:
    place = numbers.index(one)
    return numbers[:place] + numbers[place + 1 :]


def is_zero(b: "Builder", constant: int, x: int) -> bool:
    """A constant of zeros that does not make `x` any larger."""
    shape, wide = b.table.shape[x], b.table.static(constant)
    if wide is None or set(wide) - {1} or (wide and (shape is None or len(wide) > len(shape))):
        return False
    return b.scalar(constant) == 0.0 or b.ints(constant) == (0,)


def fold(b: "Builder", op: str, constants: list[int]) -> int:
    b.note(PATTERN)
    return make(b, op, tuple(constants))


def make(b: "Builder", op: str, args: tuple[int, ...]) -> int:
    """The expression; one Transpose that all arguments share, or a Reshape of the only one that varies, goes behind."""
    moved = common_perm(b, args) if len(args) > 1 else None
    if moved is not None:
        b.note(LAYOUT)
        inner, perm = moved
        order = (min(inner), max(inner)) if op == "sum" and not any(b.table.constant[arg] for arg in inner) else inner
        return turned(b, product(b, *inner) if op == "prod" else make(b, op, order), perm)
    moved_shape = past(b, args) if len(args) > 1 and op in ("sum", "prod") else None
    if moved_shape is not None:
        b.note(LAYOUT)
        inner, dims = moved_shape
        return to_shape(b, product(b, *inner) if op == "prod" else total(b, *inner), dims)
    return typed(b, b.table.make(op, args), args)


def total(b: "Builder", left: int, right: int) -> int:
    """The sum of two expressions; constant terms of an inner sum are taken together."""
    if b.table.constant[left] and not b.table.constant[right]:
        left, right = right, left
    if b.table.constant[right] and not b.table.constant[left]:
        if is_zero(b, right, left):
            return left
        inner = b.table.items[left]
        if inner.op == "sum" and b.table.constant[inner.args[1]]:
            return total(b, inner.args[0], fold(b, "sum", sorted((inner.args[1], right))))
        made = shifted(b, left, right)
        if made is not None:
            return made
        return make(b, "sum", (left, right))
    return make(b, "sum", (min(left, right), max(left, right)))


def single(b: "Builder", op: str, x: int) -> int:
    """An operation on single elements; a Transpose before it goes behind it."""
    found = perm_of(b, x)
    if found is not None:
        b.note(LAYOUT)
        return turned(b, single(b, op, found[0]), found[1])
    shaped = inside(b, x)
    if shaped is not None:
        b.note(LAYOUT)
        return to_shape(b, single(b, op, shaped[0]), shaped[2])
    return typed(b, b.table.make(op, (x,)), (x,))


def negative(b: "Builder", x: int) -> int:
    inner = b.table.items[x]
    return inner.args[0] if inner.op == "neg" else single(b, "neg", x)


def reciprocal(b: "Builder", x: int) -> int:
    return single(b, "recip", x)


def root(b: "Builder", x: int) -> int:
    return single(b, "sqrt", x)


def is_float(b: "Builder", *args: int) -> bool:
    return common(b.table, args) in FLOATS


# --- rules ---------------------------------------------------------------------------------------------------------
def add(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    if len(call.args) != 2 or call.version < 7:
        return None
    return (total(b, *call.args),)


def variadic_sum(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    if len(call.args) < 2:
        return None
    b.note(PATTERN)
    made = call.args[0]
    for arg in call.args[1:]:
        made = total(b, made, arg)
    return (made,)


def sub(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    if len(call.args) != 2 or call.version < 7:
        return None
    b.note(PATTERN)
    return (total(b, call.args[0], negative(b, call.args[1])),)


def mul(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    if len(call.args) != 2 or call.version < 7:
        return None
    return (product(b, *call.args),)


def div(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    if len(call.args) != 2 or call.version < 7 or not is_float(b, *call.args):
        return None
    b.note(PATTERN)
    return (product(b, call.args[0], reciprocal(b, call.args[1])),)


def power(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    if call.version < 7 or not is_float(b, call.arg(0)) or not is_scalar(b, call.arg(1)):
        return None
    x = call.arg(0)
    if b.table.static(call.arg(1)) != ():
        return None
    exponent = b.scalar(call.arg(1))
    if exponent is None:
        whole = b.ints(call.arg(1))
        exponent = float(whole[0]) if whole and len(whole) == 1 else None
    if exponent in (1, 2, 3, 0.5, -0.5, -1):
        b.note(PATTERN)
    if exponent == 1:
        return (x,)
    if exponent in (2, 3):
        return (product(b, *(x for _ in range(int(exponent)))),)
    if exponent == 0.5:
        return (root(b, x),)
    if exponent == -0.5:
        return (reciprocal(b, root(b, x)),)
    if exponent == -1:
        return (reciprocal(b, x),)
    return None


def neg(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    b.note(PATTERN)
    return (negative(b, call.arg(0)),)


def recip(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    b.note(PATTERN)
    return (reciprocal(b, call.arg(0)),)


def sqrt(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    b.note(PATTERN)
    return (root(b, call.arg(0)),)


def commuted(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """Arguments in one order, where their order does not matter."""
    if call.version < 7 and call.op in ("And", "Or", "Xor", "Equal"):
        return None
    ordered = tuple(sorted(call.args))
    return None if ordered == call.args else b.emit(call._replace(args=ordered))


RULES: "Rules" = {
    ("ai.onnx", "Add"): (add,),
    ("ai.onnx", "Sum"): (variadic_sum,),
    ("ai.onnx", "Sub"): (sub,),
    ("ai.onnx", "Mul"): (mul,),
    ("ai.onnx", "Div"): (div,),
    ("ai.onnx", "Pow"): (power,),
    ("ai.onnx", "Neg"): (neg,),
    ("ai.onnx", "Reciprocal"): (recip,),
    ("ai.onnx", "Sqrt"): (sqrt,),
    **{
        ("ai.onnx", op): (commuted,)
        for op in ("Max", "Min", "Mean", "And", "Or", "Xor", "Equal", "BitwiseAnd", "BitwiseOr", "BitwiseXor")
    },
}
