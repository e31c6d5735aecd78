"""One prefix for all names

Wrappers and compilers put a prefix before every name of a checkpoint (`module.`, `_orig_mod.`, `model.`,
`state_dict.`), `onnx.compose.add_prefix` before every name of a graph. When nearly all names got one, lost it or have
another one instead, that is one line instead of as many renames, and tensors that changed besides are still compared
with what they were. A prefix is made of whole components, split at `.` and `/`; compose's may be any text, and stands
at each level of names in subgraphs. The count is that of the tensors.

What a graph computes does not depend on names. A loader of a checkpoint knows tensors by nothing else: without a graph
the same line stands among the patterns of the weights (`weights.patterns`, `weights.prefix`), and asks for a minor
version.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gitops_model.diff.result import Rewrite, WeightsDiff

if TYPE_CHECKING:
    from gitops_model.diff.rewrites import Rules

PATTERN = "prefix"
NUMERIC = "exact"

RULES: "Rules" = {}


def rewrites(weights: WeightsDiff) -> Iterator[Rewrite]:
    """The rewrite, where the weights have one."""
    if weights.prefix is not None:
        yield Rewrite(PATTERN, weights.prefix.tensors, NUMERIC)
