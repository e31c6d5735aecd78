"""Do two files hold the same weights? Graded, measured, and never more than was measured.

    compare(before: Side, after: Side, tolerance) -> Sameness

From the strictest grade to the weakest, each tensor is paired once:

* `exact`       the same type, shape and bytes
* `transposed`  the same bytes with the axes in another order (or folded into other dims)
* `close`       values within the tolerance, which says how far apart the farthest two are
* `folded`      one is the other times a constant per output channel (a BatchNormalization that was folded in)
* `apart`       the same tensor by its name or place, with other values: out of step

What is left on one side only is told as that. Tensors of fewer than SMALL elements (shapes, axes, epsilons that an
exporter adds) are counted apart and decide nothing unless they are all there is.
"""

from gitops_model.diff.same.compare import compare
from gitops_model.diff.same.result import Pair, Sameness

__all__ = ["Pair", "Sameness", "compare"]
