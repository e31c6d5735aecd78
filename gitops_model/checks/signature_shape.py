"""Rank and fixed sizes must be the same. null in the manifest, or an unknown dimension in the file, agrees with
everything. A number in the manifest agrees with a symbol in the file (it promises less); a symbol in the manifest
does not agree with a fixed size in the file, because a client would send other sizes.

Example:

    model.yaml:10:28: error GM303 the input 'x' of model.onnx has another size in dimension 0 (expected batch, found 1)

Fix: declare what the file has, or export it with a free dimension.
"""

from collections.abc import Iterator

from gitops_model.checks import finding
from gitops_model.checks.facts import Facts
from gitops_model.checks.signature import pairs, shown
from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity
from gitops_model.ir import TensorType

RULE = Rule("GM303", "signature-shape", Severity.ERROR, "a declared rank or fixed dimension differs from the model")


def check(facts: Facts) -> Iterator[Finding]:
    for pair in pairs(facts):
        declared, real = pair.declared, pair.real
        if not isinstance(real, TensorType) or declared.shape is None or real.shape is None:
            continue
        place = declared.shape_place or declared.place
        if len(declared.shape) != len(real.shape):
            message = f"{pair.title} has another rank"
            expected, found = shown(declared.shape), shown(real.shape)
            yield finding(RULE, facts.path, Problem(RULE.code, message, *place, expected=expected, found=found))
            continue
        for number, (mine, theirs) in enumerate(zip(declared.shape, real.shape, strict=True)):
            if isinstance(theirs, int) and mine is not None and mine != theirs:
                where = declared.dims[number] if number < len(declared.dims) else place
                message = f"{pair.title} has another size in dimension {number}"
                problem = Problem(RULE.code, message, *where, expected=str(mine), found=str(theirs))
                yield finding(RULE, facts.path, problem)
