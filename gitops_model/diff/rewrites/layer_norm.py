"""LayerNormalization and RMSNormalization, as one operator or in parts

`LayerNormalization`, `RMSNormalization`, ONNX Runtime's `SimplifiedLayerNormalization` and their `Skip…` forms become
the means, differences, products and roots that exporters write out.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.dims import place as axis_of
from gitops_model.diff.proof.table import NONE

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "layer-norm"
NUMERIC = "rounded"


def axes_from(b: "Builder", x: int, call: "Call") -> tuple[int, ...] | None:
    axis = call.attrs.get("axis", -1)
    shape = b.table.shape[x]
    if not isinstance(axis, int):
        return None
    if shape is None:
        return (-1,) if axis == -1 else None
    return tuple(range(axis_of(axis, len(shape)), len(shape))) if shape else None


def mean(b: "Builder", x: int, axes: tuple[int, ...]) -> int:
    return b.op("ReduceMean", x, b.int64s(axes), keepdims=1, version=18)


EPSILON = {"SkipLayerNormalization": 1e-12, "SkipSimplifiedLayerNormalization": 1e-12}
"""ONNX Runtime's defaults, where they are not ONNX's 1e-5."""


def normalised(b: "Builder", x: int, call: "Call", *, centred: bool) -> int | None:
    from gitops_model.diff.proof.floats import unpack_float
    from gitops_model.diff.rewrites.arithmetic import product, reciprocal, root, total

    axes = axes_from(b, x, call)
    epsilon = b.float_like(x, unpack_float(call.attrs.get("epsilon"), EPSILON.get(call.op, 1e-5)))
    if axes is None or epsilon is None:
        return None
    if centred:
        x = b.op("Sub", x, mean(b, x, axes))
    variance = mean(b, product(b, x, x), axes)
    return product(b, x, reciprocal(b, root(b, total(b, variance, epsilon))))


def norm(b: "Builder", x: int, scale: int, bias: int, call: "Call", *, centred: bool) -> tuple[int, ...] | None:
    """The results by place; statistics that are asked for too are functions of `x` that nothing else computes."""
    made = normalised(b, x, call, centred=centred)
    if made is None:
        return None
    if scale != NONE:
        made = b.op("Mul", made, scale)
    if bias != NONE:
        made = b.op("Add", made, bias)
    b.note(PATTERN)
    attrs = (centred, call.op, *sorted(call.attrs.items()))
    rest = (b.table.make("norm-statistic", (x,), (index, *attrs)) for index in range(1, call.outputs))
    return made, *rest


def layer_norm(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    return norm(b, call.arg(0), call.arg(1), call.arg(2), call, centred=True)


def rms_norm(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    return norm(b, call.arg(0), call.arg(1), NONE, call, centred=False)


def skip(b: "Builder", call: "Call", *, centred: bool) -> tuple[int, ...] | None:
    """SkipLayerNormalization(input, skip, gamma, beta, bias); without beta in the simplified form.

    The fourth result is the sum that is normalised.
    """
    if b.table.shape[call.arg(0)] is None or b.table.shape[call.arg(0)] != b.table.shape[call.arg(1)]:
        return None  # a sum would be as large as the larger of them
    x = b.op("Add", call.arg(0), call.arg(1))
    beta, bias = (call.arg(3), call.arg(4)) if centred else (NONE, call.arg(3))
    if bias != NONE:
        x = b.op("Add", x, bias)
    made = norm(b, x, call.arg(2), beta, call._replace(attrs={**call.attrs, "axis": -1}), centred=centred)
    return made if made is None or call.outputs < 4 else (*made[:3], x)


def skip_layer_norm(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    return skip(b, call, centred=True)


def skip_rms_norm(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    return skip(b, call, centred=False)


RULES: "Rules" = {
    ("ai.onnx", "LayerNormalization"): (layer_norm,),
    ("ai.onnx", "RMSNormalization"): (rms_norm,),
    ("ai.onnx", "SimplifiedLayerNormalization"): (rms_norm,),
    ("com.microsoft", "SimplifiedLayerNormalization"): (rms_norm,),
    ("com.microsoft", "SkipLayerNormalization"): (skip_layer_norm,),
    ("com.microsoft", "SkipSimplifiedLayerNormalization"): (skip_rms_norm,),
}
