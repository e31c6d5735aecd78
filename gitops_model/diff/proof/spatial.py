"""Shapes along the axes of images and signals: convolutions, pooling, resizing."""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.dims import multiplied, short, sizes_of, symbol
from gitops_model.diff.proof.table import NONE, Dims, ints_of

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call


def windows(size: int | str, kernel: int, step: int, pads: int, wide: int) -> int | str:
    """The outputs of a sliding window along one dimension; of one that does not fit runtimes say this and that."""
    if isinstance(size, int) and size + pads > wide * (kernel - 1):
        return (size + pads - wide * (kernel - 1) - 1) // step + 1
    if step == 1 and pads == wide * (kernel - 1):
        return size
    return symbol("window", size, kernel, step, pads, wide)


def conv(b: "Builder", call: "Call") -> Dims | None:
    """(N, M, spatial…); the last are symbols unless kernel, strides, pads and dilations are explicit."""
    x, w = (b.table.shape[arg] for arg in call.args[:2])
    if x is None or w is None or len(x) != len(w) or len(x) < 3:
        return None
    spatial = spatial_dims(call, x[2:], w[2:])
    return (x[0], w[0], *spatial)


def pool(b: "Builder", call: "Call") -> Dims | None:
    x, kernel = b.table.shape[call.args[0]], ints_of(call.attrs.get("kernel_shape"))
    if x is None or kernel is None or len(x) != len(kernel) + 2:
        return None
    if call.attrs.get("ceil_mode"):
        return (*x[:2], *(symbol("pool", call.version, dim, index, told(call)) for index, dim in enumerate(x[2:])))
    return (*x[:2], *spatial_dims(call, x[2:], kernel))


def told(call: "Call") -> str:
    """The attributes, as part of a symbol: a name without parentheses, whatever texts the file has put into them."""
    return short("attributes", repr(sorted(call.attrs.items())))


SAME_SIZE = (b"SAME_UPPER", b"SAME_LOWER")


def ceiling(size: int | str, step: int) -> int | str:
    """A size divided by a number, rounded up."""
    return -(-size // step) if isinstance(size, int) else size if step == 1 else symbol("ceil", size, step)


def spatial_dims(call: "Call", sizes: Dims, kernel: Dims) -> Dims:
    rank = len(sizes)
    steps = ints_of(call.attrs.get("strides")) or (1,) * rank
    valid = call.attrs.get("auto_pad") == b"VALID"  # then the pads do not count
    pads = (not valid and ints_of(call.attrs.get("pads"))) or (0,) * (2 * rank)
    wide = ints_of(call.attrs.get("dilations")) or (1,) * rank
    even = call.op == "Conv" or set(wide) == {1}  # who pads a window with gaps by how much is not agreed on
    explicit = call.attrs.get("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID")
    fits = len(steps) == rank and len(pads) == 2 * rank and len(wide) == rank and all(steps)
    made: list[int | str] = []
    for index, size in enumerate(sizes):
        width = kernel[index]
        if fits and even and call.attrs.get("auto_pad") in SAME_SIZE:
            made.append(ceiling(size, steps[index]))
        elif explicit and fits and isinstance(width, int):
            made.append(windows(size, width, steps[index], pads[index] + pads[rank + index], wide[index]))
        else:
            made.append(symbol("window", size, width, index, told(call)))
    return tuple(made)


def resize(b: "Builder", call: "Call") -> Dims | None:
    """Each size times its scale, rounded down; or the sizes that are asked for."""
    shape = b.table.shape[call.args[0]]
    plain = call.attrs.get("coordinate_transformation_mode") != b"tf_crop_and_resize"
    if shape is None or call.version < 10 or not plain or {"axes", "keep_aspect_ratio_policy"} & call.attrs.keys():
        return None
    if call.version > 10 and call.arg(3) != NONE:
        wanted = sizes_of(b, call.arg(3))
        return wanted if wanted is not None and len(wanted) == len(shape) else None
    scales = b.floats(call.arg(2 if call.version > 10 else 1))
    if scales is None or len(scales) != len(shape):
        return None
    return tuple(scaled(dim, scale) for dim, scale in zip(shape, scales, strict=True))


def scaled(dim: int | str, scale: float) -> int | str:
    if not 0 < scale < 1 << 20:
        return symbol("resize", dim, scale)
    if scale == int(scale):
        return multiplied(dim, int(scale))
    # the product of a float32 and a whole number: who rounds it where decides about the last one
    return symbol("resize", dim, scale)


def global_pool(b: "Builder", call: "Call") -> Dims | None:
    shape = b.table.shape[call.args[0]]
    return None if shape is None or len(shape) < 3 else (*shape[:2], *(1 for _ in shape[2:]))
