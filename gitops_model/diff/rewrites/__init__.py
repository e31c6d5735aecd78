"""Known ways to write the same thing: one file per rewrite; the module's docstring is its page (docs/rewrites.md).

Each module has

    PATTERN: str        the name in reports
    NUMERIC: str        "exact" when the same float operations are done, "rounded" when only real arithmetic agrees,
                        "lossy" when numbers change
    RULES: Rules        (domain, operator) → functions (builder, call) -> outputs, or None when the rule does not apply

    FOLDS = True        where weights are computed, so that it is proved only if they come out the same
    count(one, other)   where it is not counted by the nodes that its rules note

A rule brings a call to the form that both ways of writing share, and notes what it recognised. It may use only what is
certain: a rule that guesses would make two different models equivalent.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.proof.tally import Tally

Rule = Callable[["Builder", "Call"], "tuple[int, ...] | None"]
Rules = dict[tuple[str, str], tuple[Rule, ...]]

REWRITES: dict[str, str] = {
    "explicit-defaults": "defaults",
    "opset-conversion": "opset",
    "constant-folding": "constant_folding",
    "shape-computation": "shapes",
    "identity": "identity",
    "dropout": "dropout",
    "cast": "cast",
    "transpose": "transpose",
    "reshape": "reshape",
    "no-op": "no_op",
    "slice": "slices",
    "global-pool": "pooling",
    "nested-reduction": "nested_reduction",
    "constant-fill": "fill",
    "recurrent-defaults": "recurrent",
    "if-constant": "if_constant",
    "size-test": "size_test",
    "gemm": "gemm",
    "activation-fusion": "activation_fusion",
    "batchnorm-folding": "batchnorm",
    "conv-affine": "conv_affine",
    "layer-norm": "layer_norm",
    "gelu": "gelu",
    "silu": "silu",
    "attention": "attention",
    "arithmetic": "arithmetic",
    "commuted-inputs": "commuted",
    "layout": "layout",
    "function-inlining": "functions",
    "prefix": "prefix",
    "constant-initializer": "constant_initializer",
    "duplicate-initializers": "duplicates",
    "external-data": "external_data",
}
"""Pattern → module, in the order in which their rules are tried."""

LOSSY: dict[str, str] = {
    "fp16": "half_precision",
    "bf16": "bfloat16",
    "qdq": "qdq",
    "qoperator": "qoperator",
    "dynamic-quantization": "dynamic_quantization",
}
"""The same for what changes the numbers, on purpose. Their rules count only when models were found not to be equal."""


def module_of(pattern: str) -> ModuleType:
    return import_module(f"gitops_model.diff.rewrites.{REWRITES.get(pattern) or LOSSY[pattern]}")


@cache
def rules(*, lossy: bool = False) -> Rules:
    """Every rule by operator, in the order of the table; the lossy ones, if wanted, before all others."""
    found: Rules = {}
    for pattern in (*LOSSY, *REWRITES) if lossy else REWRITES:
        for key, functions in module_of(pattern).RULES.items():
            found[key] = (*found.get(key, ()), *functions)
    return found


def count(pattern: str, one: "Tally", other: "Tally") -> int:
    """How often the two sides differ by this rewrite: by nodes of one side, unless its module counts something else."""
    from gitops_model.diff.proof.tally import surplus

    own = getattr(module_of(pattern), "count", None)
    return surplus(one, other, pattern) if own is None else own(one, other)


def folds(pattern: str) -> bool:
    """Whether constants are computed for it, so that it is proved only where they come out the same."""
    return getattr(module_of(pattern), "FOLDS", False)


def numeric(pattern: str) -> str:
    return module_of(pattern).NUMERIC
