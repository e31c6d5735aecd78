"""Dynamic quantisation

`DynamicQuantizeLinear` measures its input and quantises it; `MatMulInteger` and `ConvInteger` work on the integers, and
the scales are multiplied in behind. It counts as the product of the floats (see qdq).
"""

from struct import pack
from typing import TYPE_CHECKING

from gitops_model.diff.ops import meaning
from gitops_model.diff.proof.call import Call
from gitops_model.diff.proof.form import defaults
from gitops_model.diff.proof.table import NONE

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.rewrites import Rules

PATTERN = "dynamic-quantization"
NUMERIC = "lossy"


def quantize(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """The input for the integers, with a scale of one: the weights' scale is what remains."""
    return call.arg(0), b.value("float32", (), pack("<f", 1.0)), NONE


def weights(b: "Builder", call: "Call", axis: int) -> int | None:
    from gitops_model.diff.rewrites.qdq import stored

    if not b.table.constant[call.arg(1)] or b.table.constant[call.arg(0)]:
        return None
    return stored(b, call.arg(1), b.value("float32", (), pack("<f", 1.0)), call.arg(3), axis)


def matmul(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    w = weights(b, call, 1)
    if w is None:
        return None
    made = b.op("MatMul", call.arg(0), w)
    b.note(PATTERN)
    return (made,)


def conv(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    w = weights(b, call, 0)
    if w is None:
        return None
    made = b.op("Conv", call.arg(0), w, **call.attrs)
    b.note(PATTERN)
    return (made,)


def scaled_product(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """A single scale behind a product with weights goes into the weights."""
    from gitops_model.diff.rewrites.arithmetic import is_scalar, make, product
    from gitops_model.diff.rewrites.reshape import inside, to_shape

    for x, scale in (call.args[:2], call.args[1::-1]):
        shaped = inside(b, x)
        if shaped is not None and b.table.constant[scale]:
            made = scaled_product(b, call._replace(args=(shaped[0], scale)))
            return None if made is None else (to_shape(b, made[0], shaped[2]),)
        item = b.table.items[x]
        if item.op == "prod" and b.table.constant[scale] and not b.table.constant[x]:
            scalars = [arg for arg in item.args if is_scalar(b, arg)]
            rest = [arg for arg in item.args if arg not in scalars]
            made = scaled_product(b, call._replace(args=(rest[0], scale))) if len(rest) == 1 and scalars else None
            if made is not None:
                return (product(b, made[0], *scalars),)
        plain = item.op == "matmul" and b.table.constant[item.args[1]] and not b.table.constant[x]
        if plain and b.table.constant[scale] and b.table.static(scale) in ((), (1,)):
            return (b.op("MatMul", item.args[0], make(b, "prod", (item.args[1], scale))),)
    return None


def lstm(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """ONNX Runtime's DynamicQuantizeLSTM: an LSTM whose weights are integers, and lie the other way round."""
    from gitops_model.diff.rewrites.qdq import stored

    meant = meaning("LSTM", 21)
    turned: list[int] = []
    for place, scale in ((1, 8), (2, 10)):
        w = call.arg(place)
        if meant is None or not b.table.constant[w] or len(b.table.shape[w] or ()) != 3:
            return None
        turned.append(b.op("Transpose", stored(b, w, call.arg(scale), call.arg(scale + 1), 0), perm=(0, 2, 1)))
    attrs = {**defaults("LSTM", 21), **{name: call.attrs[name] for name in call.attrs if name in meant.attributes}}
    args = (call.arg(0), *turned, *(call.arg(place) for place in range(3, 8)))
    made = b.emit(Call("LSTM", "ai.onnx", meant.version, args, attrs, call.outputs))
    b.note(PATTERN)
    return made


RULES: "Rules" = {
    ("com.microsoft", "DynamicQuantizeLSTM"): (lstm,),
    ("ai.onnx", "DynamicQuantizeLinear"): (quantize,),
    ("ai.onnx", "MatMulInteger"): (matmul,),
    ("ai.onnx", "ConvInteger"): (conv,),
    ("ai.onnx", "Mul"): (scaled_product,),
}
