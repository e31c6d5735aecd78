"""Bits of a tensor's last byte that belong to no element."""

from gitops_model.errors import Problem
from gitops_model.ir import ELEMENT_BITS


def padding(name: str, dtype: str, shape: tuple[int, ...], last: int) -> Problem | None:
    """GM011 when such bits of `last`, the last byte, are set: the same elements would then have two digests."""
    used = ELEMENT_BITS.get(dtype, 8)
    for dim in shape:
        used = used * dim % 8
    if not used or not last >> used:
        return None
    return Problem(
        "GM011",
        f"tensor {name!r} has padding bits that are not zero",
        expected=f"zeros above bit {used - 1} of the last byte",
        found=f"{last:#04x}",
    )
