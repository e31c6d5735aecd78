"""What a comparison of weights says. Data only."""

from typing import NamedTuple

from gitops_model.ir import Tensor

GRADES = ("exact", "transposed", "close", "folded", "apart")
"""Best first."""


class Pair(NamedTuple):
    """Two tensors that are meant to be one. `distance` is the largest absolute difference that was measured, None
    where the bytes are the same; `relative` is it in units of the larger tensor's largest value; `note` says more
    (the permutation of axes, the residual of a folding)."""

    before: Tensor
    after: Tensor
    grade: str
    distance: float | None = None
    relative: float | None = None
    note: str = ""


class Sameness(NamedTuple):
    """`pairs` covers the tensors that count; `only_before`/`only_after` what has no partner.

    `small` is how many tensors of each side were left out for being small; `unread` names tensors whose bytes cannot be
    had.
    """

    pairs: tuple[Pair, ...]
    only_before: tuple[Tensor, ...] = ()
    only_after: tuple[Tensor, ...] = ()
    small: tuple[int, int] = (0, 0)
    unread: tuple[str, ...] = ()
    tolerance: float = 0.0

    @property
    def grade(self) -> str:
        """The worst grade of all; `apart` when tensors are missing or unread; `nothing` when there was nothing."""
        if not self.pairs:
            return "nothing"
        if self.only_before or self.only_after or self.unread:
            return "apart"
        return max((pair.grade for pair in self.pairs), key=GRADES.index)

    @property
    def same(self) -> bool:
        """Whether the files hold the same weights, as far as their grade says."""
        return self.grade not in ("apart", "nothing")

    @property
    def out_of_step(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.pairs if pair.grade == "apart")
