"""The manifest declares another element type than the file, or a tensor where the file has none (a sequence, a map).

Example:

    model.yaml:10:12: error GM302 the input 'x' of model.onnx has another type (expected float16, found float32)

Fix: change the manifest if the file is right; this is a breaking change for clients, so the version moves too.
"""

from collections.abc import Iterator

from gitops_model.checks import finding
from gitops_model.checks.facts import Facts
from gitops_model.checks.signature import pairs
from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity
from gitops_model.ir import TensorType

RULE = Rule("GM302", "signature-dtype", Severity.ERROR, "a declared element type differs from the model")


def check(facts: Facts) -> Iterator[Finding]:
    for pair in pairs(facts):
        declared, real = pair.declared, pair.real
        if isinstance(real, TensorType):
            expected, found, place = declared.dtype or declared.type, real.dtype, declared.dtype_place
        else:
            expected, found, place = declared.type or declared.dtype, real.text, declared.dtype_place
        if expected is not None and expected != found:
            message = f"{pair.title} has another type"
            problem = Problem(RULE.code, message, *(place or declared.place), expected=expected, found=found)
            yield finding(RULE, facts.path, problem)
