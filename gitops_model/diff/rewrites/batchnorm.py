"""BatchNormalization folded into what stands before it

In inference a BatchNormalization is a factor and a term per channel, which optimisers put into the weights and bias of
the Conv or Gemm before it. It becomes that factor and that term.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "batchnorm-folding"
NUMERIC = "rounded"
FLOATS = ("float16", "float32", "float64", "bfloat16")
FOLDS = True


def batchnorm(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    from gitops_model.diff.proof.floats import unpack_float
    from gitops_model.diff.rewrites.arithmetic import make, negative, product, reciprocal, root, total
    from gitops_model.diff.rewrites.reshape import to_shape

    if call.outputs > 1 or call.attrs.get("training_mode") or call.version < 7 or not call.attrs.get("spatial", 1):
        return None
    x, scale, bias, mean, variance = (call.arg(index) for index in range(5))
    shape, channels = b.table.shape[x], b.table.static(scale)
    epsilon = b.float_like(variance, unpack_float(call.attrs.get("epsilon"), 1e-5))
    if shape is None or len(shape) < 2 or channels is None or len(channels) != 1 or epsilon is None:
        return None
    if not all(b.table.constant[arg] and b.table.static(arg) == channels for arg in (scale, bias, mean, variance)):
        return None
    factor = make(b, "prod", (scale, reciprocal(b, root(b, make(b, "sum", (variance, epsilon))))))
    term = make(b, "sum", (bias, negative(b, make(b, "prod", (mean, factor)))))
    wide = (channels[0], *(1 for _ in shape[2:]))
    result = total(b, product(b, x, to_shape(b, factor, wide)), to_shape(b, term, wide))
    b.table.typed(result, b.table.dtype[x], shape)
    b.note(PATTERN)
    return (result,)


def as_it_stands(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    """In inference all versions since opset 7 mean the same; `momentum` is a matter of training."""
    if call.outputs > 1 or call.attrs.get("training_mode") or call.version < 7 or not call.attrs.get("spatial", 1):
        return None
    shapes = [b.table.shape[arg] for arg in call.args[1:5]]
    if b.table.dtype[call.arg(0)] not in FLOATS or any(shape is not None and len(shape) != 1 for shape in shapes):
        return None  # no runtime takes that
    made = b.table.make("batchnorm", call.args[:5], (call.attrs.get("epsilon"),))
    return (b.table.typed(made, b.table.dtype[call.arg(0)], b.table.shape[call.arg(0)]),)


RULES: "Rules" = {("ai.onnx", "BatchNormalization"): (batchnorm, as_it_stands)}
