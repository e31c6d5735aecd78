"""A tensor carries its data twice (raw bytes and typed values), or not as many bytes as its type and shape need.

Why: libraries choose differently between the two, so the file has more than one meaning.

Example:

    model.onnx: error GM007 'conv1.weight' has raw_data and float_data

Fix: write the file again with the library of its format.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM007", "tensor-data-conflict", Severity.ERROR, "a tensor's data contradicts itself")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
