"""A name stands for two tensors. Which of them a loader uses differs between loaders.

Why: it is a way to show a reviewer one set of weights and to serve another.

Example:

    model.onnx: error GM006 the tensor name 'conv1.weight' is there twice

Fix: write the file again so that every tensor has its own name.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM006", "duplicate-tensor", Severity.ERROR, "two tensors of one file have the same name")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
